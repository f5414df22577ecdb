"""Tell what is new from what was there before, by a run of a better time: the baseline."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from pydantic import Field

from opsproof.judge.outcome import Cause, Fact, Outcome, Status

STANDINGS = ("new", "not_known", "there_before")
"""How something bad stands to the baseline, the most telling first."""

_STANDING = {False: "new", None: "not_known", True: "there_before"}
_BAD = (Status.FAILED, Status.UNKNOWN)
_WAS_BAD = (*_BAD, Status.WAIVED)


class Earlier(Fact):
    """What became, in the baseline, of a check that was bad there."""

    check: str
    status: Status
    cause: Cause | None
    message: str


class BaselineFact(Fact):
    """The run that this one is held against, as far as both looked at the same checks."""

    run: str = Field(description="Its id.")
    folder: str = Field("", description="Where it was read from.")
    started: datetime
    finished: datetime
    timezone: str = Field(description="Zone of the operators: Asia/Seoul.")
    bad: tuple[Earlier, ...] = Field((), description="What was bad in it and is bad in this run as well.")
    healed: tuple[str, ...] = Field((), description="Checks that were bad in it and pass now.")

    def said(self, check: str) -> str:
        """What it said of a check that was bad in it; "" of others."""
        return next((earlier.message for earlier in self.bad if earlier.check == check), "")


def told_apart(outcomes: Iterable[Outcome], baseline: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """
    Mark every outcome that failed or is unknown as new, or as there before.

    It was there before if the same check was bad in the baseline for the same cause, also under a waiver. The baseline
    does not know of what it left out, and of a failure of what it could not measure.

    Args:
        outcomes: Of this run.
        baseline: Of the baseline.

    Returns:
        The outcomes, with `before`; the verdict does not depend on it.
    """
    earlier = {outcome.check: outcome for outcome in baseline}
    return tuple(
        outcome.model_copy(update={"before": _before(outcome, earlier.get(outcome.check))})
        if outcome.status in _BAD
        else outcome
        for outcome in outcomes
    )


def bad_in_both(outcomes: Iterable[Outcome], baseline: Iterable[Outcome]) -> tuple[Earlier, ...]:
    """What the baseline said of the checks that are bad now and were bad there, whatever the cause."""
    now = {outcome.check for outcome in outcomes if outcome.status in _BAD}
    return tuple(
        Earlier(check=outcome.check, status=outcome.status, cause=outcome.cause, message=outcome.message)
        for outcome in baseline
        if outcome.check in now and outcome.status in _WAS_BAD
    )


def healed(outcomes: Iterable[Outcome], baseline: Iterable[Outcome]) -> tuple[str, ...]:
    """Checks that failed in the baseline, or could not be measured there, and pass now."""
    passing = {outcome.check for outcome in outcomes if outcome.status is Status.PASSED}
    return tuple(outcome.check for outcome in baseline if outcome.check in passing and outcome.status in _BAD)


def standings(outcomes: Iterable[Outcome]) -> Counter[str]:
    """How many of those that are bad are new, were there before, or are not known to be new."""
    return Counter(_STANDING[outcome.before] for outcome in outcomes if outcome.status in _BAD)


def standing(outcomes: Iterable[Outcome]) -> str:
    """How they stand together, as those that one root cause explains: one new one makes it new. "" of nothing bad."""
    found = standings(outcomes)
    return next((key for key in STANDINGS if found[key]), "")


def _before(outcome: Outcome, earlier: Outcome | None) -> bool | None:
    if earlier is None or earlier.status is Status.SKIPPED:
        return None
    if earlier.status in _WAS_BAD and earlier.cause is outcome.cause:
        return True
    unmeasured = earlier.status is Status.UNKNOWN and outcome.status is Status.FAILED
    return None if unmeasured else False
