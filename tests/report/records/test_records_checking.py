"""`record check`: what a record still wants."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from incident_builders import EVALUATION, INCIDENT, WRITTEN, a_failed_recovery, a_record, a_recovery
from report_builders import a_failure

from opsproof.errors import OpsproofError
from opsproof.report.records.checking import check_record, end_of, read_record
from opsproof.report.records.kinds import KINDS
from opsproof.report.records.writing import record_name, write_record

NOW = WRITTEN + timedelta(minutes=1)
GOOD = {"근본 원인 (한 줄)": "Redis 메모리 한도 초과", "기한 YYYY-MM-DD": "2026-12-01"}


def filled(text: str) -> str:
    """The record with every blank filled in, as a careful person would."""

    def fill(match: re.Match[str]) -> str:
        what = match[1]
        if "HH:MM" in what:
            return "2026-11-20 02:50 KST"
        return GOOD.get(what, "2026-12-01" if "YYYY-MM-DD" in what else "확인함 3건")

    return re.sub(r"\[\[[^:]+: ([^\]]+)\]\]", fill, text)


def found(text: str, now: datetime = NOW, ended: datetime | None = None) -> list[str]:
    return [finding.what for finding in check_record(text, now=now, ended=ended)]


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_finished_when_its_blanks_are_filled_in(kind: str, lang: str) -> None:
    """And every blank before is told with its line."""
    failed = a_failure("indicators.disk", profile=EVALUATION, severity="SEV-3", priority="P1", started=INCIDENT)
    run = a_recovery().model_copy(update={"outcomes": (*a_recovery().outcomes, failed)})
    text = a_record(kind, run, lang, severity="SEV-1", priority="P1", scenario="db")

    assert found(text) == [f"blank: {what}" for what in re.findall(r"\[\[[^:]+: ([^\]]+)\]\]", text)]
    late = ["응답 시각: 10 min late", "Answered at: 10 min late"] if kind == "alerts" else []
    assert [what for what in found(filled(text)) if what not in late] == []


def test_an_end_message_of_a_run_that_did_not_verify_recovery_is_never_finished() -> None:
    """Nothing that a person writes into it makes it true."""
    assert found(filled(a_record("end", a_failed_recovery()))) == [
        "recovery is not verified; run the recovery checks again and make it from that run"
    ]


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("확인함 3건 (담당자: 확인함 3건, ", "과제 (", "재발 방지 과제: no owner (담당자: / owner:)"),
        ("담당자: 확인함 3건", "담당자: 미정", "재발 방지 과제: no owner (담당자: / owner:)"),
        ("담당자: 확인함 3건", "담당자: TBD", "재발 방지 과제: no owner (담당자: / owner:)"),
        ("기한: 2026-12-01", "기한: 곧", "재발 방지 과제: no due date (기한: / due: YYYY-MM-DD)"),
        ("기한: 2026-12-01", "기한: 2026-11-01", "재발 방지 과제: due 2026-11-01, before the incident ended"),
        ("기한: 2026-12-01", "기한: 2026-13-01", "재발 방지 과제: there is no such date"),
        ("종료 시각: 2026-11-20 02:32 KST", "종료 시각: 2026-11-20 02:09 KST", "종료 시각 is before the start"),
        (
            "종료 시각: 2026-11-20 02:32 KST (2026-11-19 17:32 UTC)",
            "종료 시각: 2026-11-20 02:32",
            "종료 시각: the time has no zone; write KST, UTC or +09:00",
        ),
        ("종료 시각: 2026-11-20 02:32 KST", "종료 시각: 2026-11-20 25:32 KST", "종료 시각: there is no such time"),
        (
            "종료 시각: 2026-11-20 02:32 KST (2026-11-19 17:32 UTC)",
            "종료 시각: 새벽",
            "종료 시각: expected a time such as 2026-11-20 02:10 KST",
        ),
        ("한도 초과\n", "한도 초과\n  설정이 바뀌었음\n", "근본 원인: one line, and 2 were written"),
        ("- 근본 원인: Redis 메모리 한도 초과\n", "", "missing: 근본 원인"),
        ("- 근본 원인: Redis 메모리 한도 초과\n", "- 근본 원인:\n", "empty: 근본 원인"),
    ],
)
def test_an_end_message_wants_cause_owner_due_and_an_end_after_the_start(old: str, new: str, finding: str) -> None:
    """EVAL-037."""
    text = filled(a_record("end", a_recovery()))
    assert old in text

    assert found(text.replace(old, new)) == [finding]


def test_an_update_that_is_due_is_told_until_the_incident_has_ended() -> None:
    """EVAL-036: 30 minutes after the message."""
    text = filled(a_record("start", a_recovery()))
    late = WRITTEN + timedelta(minutes=42)

    assert found(text, WRITTEN + timedelta(minutes=29)) == []
    assert found(text, late) == ["다음 업데이트 예정: 12 min overdue; send it, or write the end message"]
    assert found(text, late, ended=late) == []


def test_a_sev_report_wants_its_etas_and_the_next_update() -> None:
    """ING-032, ING-033: a missing ETA, and 15 minutes that are over."""
    text = filled(a_record("sev", a_failed_recovery(), severity="SEV-1"))
    assert found(text) == []

    without = re.sub(r"- 최종 복구 ETA.*\n", "", text)

    assert found(without, WRITTEN + timedelta(minutes=16)) == [
        "missing: 최종 복구 ETA",
        "다음 업데이트: 1 min overdue; send it, or write the end message",
    ]


@pytest.mark.parametrize(("priority", "hours"), [("P1", 25), ("P2", 24 * 6)])
def test_a_post_mortem_that_is_not_written_in_time_is_told(priority: str, hours: int) -> None:
    """EVAL-038, EVAL-039."""
    text = a_record("postmortem", a_recovery(), priority=priority)
    past = INCIDENT + timedelta(hours=hours)

    assert not [what for what in found(text, INCIDENT + timedelta(hours=20)) if "overdue" in what]
    assert [what for what in found(text, past) if "overdue, and the post-mortem is not written" in what]
    assert found(filled(text), past) == []


def test_a_scenario_keeps_the_runbooks_order() -> None:
    """ING-026: 원인 before 영향 is red."""
    text = filled(a_record("scenario", a_recovery(), scenario="db"))
    assert found(text) == []
    impact = re.search(r"- 영향:.*\n  - .*\n", text)
    assert impact

    moved = text.replace(impact[0], "").replace("- 임시조치:", f"{impact[0]}- 임시조치:")

    assert found(moved) == ["원인 stands before 영향; the order is the runbook's"]


def test_a_rollback_analysis_without_its_cause_is_not_finished() -> None:
    """FAI-069."""
    text = filled(a_record("rollback", a_recovery())).replace("- 롤백 원인: 확인함 3건", "- 롤백 원인: ")

    assert found(text) == ["empty: 롤백 원인"]


def test_a_customer_notice_wants_a_number_for_the_loss_of_data() -> None:
    """FAI-141: `없음` alone is a claim."""
    text = filled(a_record("customer-notice", a_recovery()))

    assert found(text.replace("데이터 손실: 확인함 3건", "데이터 손실: 없음")) == [
        "데이터 손실: expected what was measured, with its number"
    ]


ESCALATION = a_record("escalation", a_failed_recovery())
"""Begun at 02:10, not recovered."""


@pytest.mark.parametrize(
    ("minutes", "escalated", "answered", "finding"),
    [
        (29, None, None, None),
        (31, None, None, "level 1's 30 minutes ended 1 min ago; escalate to level 2"),
        (90, "02:45", None, "escalated 5 min after level 1's 30 minutes"),
        (91, "02:40", None, "level 2 has not answered; its hour ended 1 min ago"),
        (120, "02:40", "03:50", "level 2 answered 10 min after its hour"),
        (120, "02:40", "03:30", None),
    ],
)
def test_an_escalation_keeps_the_times_of_runbook_000(
    minutes: int, escalated: str | None, answered: str | None, finding: str | None
) -> None:
    """OPS-103 and OPS-105."""
    text = ESCALATION
    for label, at in (("에스컬레이션 시각", escalated), ("응답 시각", answered)):
        if at:
            text = re.sub(rf"- {label}: \[\[.*?\]\]", f"- {label}: 2026-11-20 {at} KST", text)

    told = [what for what in found(text, INCIDENT + timedelta(minutes=minutes)) if not what.startswith("blank")]

    assert told == ([finding] if finding else [])


@pytest.mark.parametrize("nobody", ["없음", "미정 (내일 정함)", "TBD"])
def test_work_of_level_3_has_an_owner(nobody: str) -> None:
    """OPS-106."""
    text = filled(ESCALATION).replace("- 담당자: 확인함 3건", f"- 담당자: {nobody}")

    assert "작업 항목: no owner is named" in found(text)


def test_a_429_analysis_without_the_concurrency_test_is_not_finished() -> None:
    """SB-102: all three parts."""
    text = re.sub(r"- 동시성 테스트:.*\n", "", filled(a_record("rate-limit", a_recovery())))

    assert found(text) == ["missing: 동시성 테스트"]


@pytest.mark.parametrize(
    ("at", "finding"),
    [("02:39", []), ("02:45", ["응답 시각: 5 min late"]), ("02:09", ["응답 시각 is before the alert"])],
)
def test_a_p1_is_answered_within_30_minutes(at: str, finding: list[str]) -> None:
    """SB-071."""
    failed = a_failure("indicators.disk", profile=EVALUATION, priority="P1", started=INCIDENT)
    text = a_record("alerts", a_recovery(failed, window=None))
    text = text.replace("[[담당자 입력: YYYY-MM-DD HH:MM KST]]", f"2026-11-20 {at} KST")

    assert found(filled(text)) == finding


def test_a_timeline_is_in_the_order_of_time() -> None:
    """ING-024: a row that a person adds in the wrong place."""
    text = filled(a_record("postmortem", a_recovery(), priority="P1"))
    row = "| 11-20 02:31:04 | 11-19 17:31:04 | 복구 관측 시작 |\n"

    assert found(text.replace(row, f"{row}| 11-20 02:20 | 11-19 17:20 | 온콜 호출 |\n")) == [
        "timeline: 11-20 02:20 stands after 11-20 02:31:04"
    ]


def test_the_end_is_found_in_the_end_message_beside_it(tmp_path: Path) -> None:
    """Then no update is due any more; a message that was withheld ends nothing."""
    start = write_record(tmp_path, record_name("INC-42", "start", "ko"), a_record("start", a_recovery())).path
    end = record_name("INC-42", "end", "ko")

    write_record(tmp_path, end, a_record("end", a_failed_recovery()))
    assert end_of(start, read_record(start)) is None
    write_record(tmp_path, end, a_record("end", a_recovery()))
    assert end_of(start, read_record(start)) == datetime(2026, 11, 19, 17, 32, tzinfo=UTC)


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    """With what to do about it."""
    (tmp_path / "notes.md").write_text("# notes", encoding="utf-8")

    for name in ("notes.md", "absent.md"):
        with pytest.raises(OpsproofError, match="record"):
            read_record(tmp_path / name)
