"""What earlier rehearsals say of this one."""

from datetime import timedelta
from pathlib import Path

import pytest
from rehearsal_builders import (
    QUARTER,
    a_failed_rehearsal,
    a_rehearsal,
    a_rehearsed_run,
    a_scenario,
    at,
    observations,
)

from opsproof.evidence.redaction import Redactor
from opsproof.rehearsal.facts import FindingFact
from opsproof.report.folder import write_run
from opsproof.report.rehearsals.trend import Past, read_earlier, trend, trends

OLD = -80 * 86400


def a_past(**changes: object) -> Past:
    fact = a_rehearsal(**{"started": at(OLD), "finished": at(OLD + 40)} | changes)
    return Past("0ld", "20260902T110000Z-0ld", fact)


def test_only_the_same_scenario_of_the_same_profile_is_compared() -> None:
    """A region is no damaged database."""
    past = [a_past(), a_past(scenario="polluted-data"), a_past(profile="ingest/dr"), a_past(started=at(900))]

    found = trend(a_rehearsal(), "n0w", past)

    assert [one.run for one in found.rehearsals] == ["0ld", "n0w"]


@pytest.mark.parametrize(("plan", "changed"), [("ab12" * 16, False), ("ff" * 32, True)], ids=["same", "changed"])
def test_a_changed_plan_is_said(plan: str, *, changed: bool) -> None:
    """It has not been rehearsed before."""
    scenario = a_scenario(a_rehearsal(), a_past(plan=plan))

    assert scenario.trend.plan_changed is changed
    assert any("plan changed" in remark for remark in scenario.remarks) is changed


def test_a_rehearsal_expires() -> None:
    """A report of last year is no proof of today."""
    fact = a_rehearsal()
    late = fact.finished + timedelta(seconds=QUARTER + 1)

    assert any("has expired" in remark for remark in a_scenario(fact, written=late).remarks)
    assert a_scenario(fact).remarks == []
    assert a_scenario(a_rehearsal(last_within=None), written=late).remarks == []


def test_a_gap_between_two_rehearsals_is_said() -> None:
    """Nothing was proven for that time."""
    past = a_past(started=at(-200 * 86400), finished=at(-200 * 86400 + 40))

    assert any("before this one had expired" in remark for remark in a_scenario(a_rehearsal(), past).remarks)


def test_findings_are_carried_over_until_a_person_closes_them() -> None:
    """What is only not seen again is not mended."""
    again = FindingFact(what="no archive on the new primary", owner="kim", due=at(-86400))
    gone = FindingFact(what="a role is missing", owner="lee", due=None)
    past = a_past(findings=(again, gone))

    found = trend(a_rehearsal(findings=(again,)), "n0w", [past]).carried_over

    assert [(one.finding.what, one.again, one.overdue) for one in found] == [
        ("no archive on the new primary", True, True),
        ("a role is missing", False, False),
    ]


@pytest.mark.parametrize(
    ("before", "now", "again"),
    [
        ("No hole in the archive.: 3 segments lack, from 00000001A", "No hole in the archive.: unknown: no list", True),
        ("segment 00000001000000000000001A lacks", "segment 000000010000000000000014 lacks", True),
        ("Owners are those of production.: 3", "Grants are those of production.: 3", False),
    ],
    ids=["same-promise", "other-numbers", "another"],
)
def test_a_finding_with_other_numbers_is_the_same(before: str, now: str, *, again: bool) -> None:
    """The segment has another name in each rehearsal."""
    past = a_past(findings=(FindingFact(what=before, owner="", due=None),))
    fact = a_rehearsal(findings=(FindingFact(what=now, owner="", due=None),))

    assert [one.again for one in trend(fact, "n0w", [past]).carried_over] == [again]


def test_earlier_runs_are_read_and_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A trend with a hole must say that it has one; replays and other runs are no rehearsals."""
    past = a_failed_rehearsal(started=at(OLD), finished=at(OLD + 9000))
    write_run(a_rehearsed_run(past, id="0ld", started=at(OLD)), observations(), tmp_path, Redactor())
    write_run(a_rehearsed_run(past, id="again", replay_of="0ld"), observations(), tmp_path, Redactor())
    write_run(
        a_rehearsed_run(id="smoke", started=at(-99)).model_copy(update={"rehearsals": ()}), [], tmp_path, Redactor()
    )
    unfit = {"cut": '{"id": "x", "rehearsals": [{', "list": "[]", "other": '{"rehearsals": [{"a": 1}], "id": "y"}'}
    for name, text in unfit.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(text)

    found, unreadable = read_earlier(tmp_path, tmp_path / "n0w")

    assert [(one.run, one.fact) for one in found] == [("0ld", past)]
    assert unreadable == ["cut", "list", "other"]


def test_a_run_is_not_its_own_past(tmp_path: Path) -> None:
    """Rendered again from its folder, it lies there itself, and `latest` points at it."""
    folder = write_run(a_rehearsed_run(a_rehearsal()), observations(), tmp_path, Redactor())

    for place in (folder, tmp_path / "latest"):
        assert [one.run for one in trends(a_rehearsed_run(a_rehearsal()), place)[0].rehearsals] == ["3f9a1c"]
