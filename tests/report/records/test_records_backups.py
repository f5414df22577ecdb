"""SB-052 and FAI-029: the monthly record says what was restored, and that it was not."""

import pytest
from incident_builders import EVALUATION, a_record, a_recovery
from report_builders import a_failure, an_outcome

from opsproof.report.records.kinds import wanted

RESTORED = "restored.the_dump_can_be_restored_too"


def test_a_month_without_a_restore_says_so() -> None:
    """An item that nobody did is not left out."""
    text = a_record("backup", a_recovery(), "en")

    assert "| Restore rehearsal | **not done** [[to fill in: why, and when it will be done]] |" in text
    assert "- Restore result: [[to fill in: result of the restore; this run restored nothing]]" in text


def test_a_restore_of_the_run_is_told_with_what_it_found() -> None:
    """Passed or not; the numbers of the object are a person's."""
    failed = a_failure(RESTORED, profile=EVALUATION, message="pg_restore: end of file", severity="SEV-3")

    passed, red = (a_record("backup", a_recovery(one), "ko") for one in (an_outcome(RESTORED, EVALUATION), failed))

    assert f"- 복원 결과: `{RESTORED}" in passed
    assert "대상 이상: pg_restore: end of file" in red
    assert "- 백업 크기: [[담당자 입력: 바이트]]" in passed


@pytest.mark.parametrize("system", ["storebridge", "factory-ai"])
def test_it_is_no_record_of_an_incident(system: str) -> None:
    """It is written where it is named."""
    assert "backup" not in wanted(frozenset({(system, "dr")}))
