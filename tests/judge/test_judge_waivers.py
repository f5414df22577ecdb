"""Waivers: known, owned, and only for a time."""

from datetime import timedelta

import pytest
from judged import NOW, a_waiver, an_outcome, failed, skipped, unknown

from opsproof.judge.outcome import Outcome, Status
from opsproof.judge.waivers import no_longer_needed, waive


@pytest.mark.parametrize("check", ["health.alive", "health.alive[demo/local]", "DEMO-1"])
@pytest.mark.parametrize("outcome", [failed(), unknown()], ids=["failed", "unknown"])
def test_a_waiver_names_a_check_one_instance_or_a_row(check: str, outcome: Outcome) -> None:
    """The one who waives writes what the report shows."""
    waived = waive(outcome, [a_waiver(check=check)], NOW)

    assert waived.status is Status.WAIVED
    assert waived.cause is outcome.cause
    assert waived.waiver
    assert (waived.waiver.owner, waived.waiver.expired) == ("kim", False)


@pytest.mark.parametrize("outcome", [an_outcome(), skipped()], ids=["passed", "skipped"])
def test_a_waiver_changes_nothing_that_is_not_bad(outcome: Outcome) -> None:
    """A pass stays a pass."""
    assert waive(outcome, [a_waiver()], NOW) == outcome


def test_a_waiver_for_another_check_does_not_apply() -> None:
    """A waiver is no blanket."""
    assert waive(failed("health.other", runbook=("DEMO-2",)), [a_waiver()], NOW).status is Status.FAILED


@pytest.mark.parametrize("outcome", [failed(), unknown()], ids=["failed", "unknown"])
def test_an_expired_waiver_fails_the_check(outcome: Outcome) -> None:
    """What was promised to be repaired by then, and was not, stops the gate."""
    waiver = a_waiver(until="2026-11-20")

    late = waive(outcome, [waiver], NOW)

    assert late.status is Status.FAILED
    assert late.waiver
    assert late.waiver.expired


def test_a_date_lasts_until_its_end_in_utc() -> None:
    """Half past midnight in Seoul is still the day before in UTC."""
    waiver = a_waiver(until="2026-11-21")

    assert waive(failed(), [waiver], waiver.until).status is Status.WAIVED
    assert waive(failed(), [waiver], waiver.until + timedelta(milliseconds=1)).status is Status.FAILED


@pytest.mark.parametrize(
    ("outcomes", "needless"),
    [
        pytest.param([an_outcome()], True, id="passes"),
        pytest.param([an_outcome(), failed()], False, id="one-of-two-fails"),
        pytest.param([], False, id="did-not-run"),
        pytest.param([skipped()], False, id="skipped"),
    ],
)
def test_a_waiver_is_needless_once_its_checks_were_seen_to_pass(outcomes: list[Outcome], needless: bool) -> None:
    """What was not seen says nothing about the waiver."""
    assert no_longer_needed(a_waiver(), outcomes) is needless
