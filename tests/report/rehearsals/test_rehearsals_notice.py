"""FAI-141: customers are told what was measured, and never that nothing was lost."""

from typing import Any

import pytest
from rehearsal_builders import (
    a_failed_rehearsal,
    a_ledger,
    a_rehearsal,
    an_aborted_rehearsal,
    objectives,
    reports_of,
)

from opsproof.judge.limits import Lang
from opsproof.rehearsal.facts import Proof, RehearsalFact
from opsproof.report.rehearsals.notice import loss_text, says_restored

UNMEASURED = {"lower": None, "upper": None, "proof": Proof.NOT_PROVEN}
FACTS = {
    "ok": a_rehearsal(),
    "lost": a_failed_rehearsal(),
    "aborted": an_aborted_rehearsal(),
    "no-bound": a_rehearsal(objectives=objectives(rpo=UNMEASURED)),
    "empty-ledger": a_rehearsal(ledger=a_ledger(sent=0, ok=0)),
    "no-objectives": a_rehearsal(objectives=()),
}


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_no_notice_says_that_nothing_was_lost(fact: RehearsalFact) -> None:
    """The runbook's own template says `없음`; nobody can measure that."""
    korean, english = loss_text(fact, "ko"), loss_text(fact, "en")

    assert "손실: 없음" not in korean
    assert "유실 없음" not in korean
    assert "no data" not in english.lower()
    assert "none" not in english.lower()


def test_lost_writes_stand_first_with_the_span_as_measured() -> None:
    """Twenty-five lost writes and a span over the limit: both, before anything else."""
    text = loss_text(a_failed_rehearsal(), "en")

    assert text.startswith("acknowledged writes lost: 25 (4672 are there)")
    assert "over the RPO limit of 15 min" in text
    assert "at most 16 min 25.2 s" in text


def test_lost_writes_within_the_limit_are_lost_all_the_same() -> None:
    """An RPO that holds is no reason not to tell."""
    text = loss_text(a_rehearsal(ledger=a_ledger(ok=498, lost=3)), "en")

    assert text.startswith("acknowledged writes lost: 3")


@pytest.mark.parametrize(
    ("lang", "none_lost", "to_replay"),
    [("en", "acknowledged writes lost: 0", "made again: 7"), ("ko", "유실 0건", "확인된 쓰기 7건은 복구에서 제외")],
)
def test_writes_after_a_wrong_change_are_to_be_made_again(lang: Lang, none_lost: str, to_replay: str) -> None:
    """They are given up on purpose: customers must make them again, and are not told that they were lost."""
    text = loss_text(a_rehearsal(ledger=a_ledger(ok=494, lost=7, to_replay=7)), lang)

    assert none_lost in text
    assert to_replay in text


def test_of_what_is_gone_only_the_part_after_a_wrong_change_is_made_again() -> None:
    """Three were lost before it, and stand first."""
    text = loss_text(a_rehearsal(ledger=a_ledger(ok=491, lost=10, to_replay=7)), "en")

    assert text.startswith("acknowledged writes lost: 3")
    assert "made again: 7" in text


@pytest.mark.parametrize("name", ["aborted", "no-bound", "empty-ledger", "no-objectives"])
@pytest.mark.parametrize(("lang", "said"), [("en", "not proven"), ("ko", "입증되지 않음")])
def test_what_was_not_measured_is_not_proven(name: str, lang: Lang, said: str) -> None:
    """Neither zero nor silence."""
    assert said in loss_text(FACTS[name], lang)


@pytest.mark.parametrize(
    ("name", "restored"), [("ok", True), ("lost", True), ("aborted", False), ("no-objectives", False)]
)
def test_only_a_service_that_came_back_is_called_restored(name: str, *, restored: bool) -> None:
    """A service that came too late is back; one that nobody measured is not."""
    assert says_restored(FACTS[name]) is restored


@pytest.mark.parametrize(
    ("lang", "fields", "withheld"),
    [
        (
            "ko",
            (
                "제목: [긴급] AI Factory 서비스 복구 완료",
                "장애 기간: 2026-11-21 20:00 KST",
                "영향 범위",
                "AI Factory 운영팀",
            ),
            "**보류.**",
        ),
        (
            "en",
            ("Subject: [Urgent] AI Factory", "Outage: 2026-11-21 20:00 KST", "Affected scope", "operations team"),
            "**Withheld.**",
        ),
    ],
)
def test_the_draft_has_the_fields_of_the_runbook_or_is_withheld(
    tmp_path: Any, lang: str, fields: tuple[str, ...], withheld: str
) -> None:
    """Subject, outage with duration, scope, recovery time, data loss, sender."""
    whole, cut = (reports_of(tmp_path, fact)[f"dr.{lang}.md"] for fact in (a_rehearsal(), an_aborted_rehearsal()))

    assert all(field in whole for field in fields)
    assert withheld not in whole
    assert withheld in cut
    assert fields[0] not in cut
