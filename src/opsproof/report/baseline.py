"""What is new since the baseline and what was there before, in the words of every report."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from opsproof.judge.baseline import BaselineFact
from opsproof.judge.outcome import Outcome, Status
from opsproof.profile.scalars import moment_text
from opsproof.report.run import Run

_BAD = (Status.FAILED, Status.UNKNOWN)
_STANDING = {False: "new", None: "not_known", True: "there_before"}
_ORDER = ("new", "not_known", "there_before")


def standing(run: Run, outcomes: Iterable[Outcome]) -> str:
    """
    Whether what is bad is `new`, was `there_before`, or is `not_known`: a key of the words.

    Args:
        run: The run.
        outcomes: One outcome, or those that a root cause explains: one new one makes it new.

    Returns:
        "" if there is no baseline, or nothing bad.
    """
    if run.baseline is None:
        return ""
    found = {_STANDING[outcome.before] for outcome in outcomes if outcome.status in _BAD}
    return next((key for key in _ORDER if key in found), "")


def rank(outcomes: Iterable[Outcome]) -> int:
    """New ones first. Without a baseline all are equal."""
    return min((_ORDER.index(_STANDING[outcome.before]) for outcome in outcomes if outcome.status in _BAD), default=0)


def marked(text: str, run: Run, outcomes: Iterable[Outcome], said: Mapping[str, str]) -> str:
    """The text with the word for what is new or was there before: `SEV-2, NEW`."""
    key = standing(run, outcomes)
    return f"{text}, {said[key]}" if key else text


def baseline_texts(run: Run, said: Mapping[str, str]) -> Iterator[str]:
    """Which run it was, how much is new, what that means for the verdict, and what is green again."""
    if (baseline := run.baseline) is None:
        return
    counts = Counter(_STANDING[outcome.before] for outcome in run.outcomes if outcome.status in _BAD)
    numbers = {key: counts[key] for key in _ORDER}
    told = said["told_apart"].format(**numbers)
    if counts["not_known"]:
        told += said["and_not_known"].format(**numbers)
    yield f"{which(baseline, said)}: {told}"
    if counts["there_before"]:
        yield said["still_a_failure"]
    if baseline.healed:
        yield said["healed"].format(checks=", ".join(baseline.healed))


def which(baseline: BaselineFact, said: Mapping[str, str]) -> str:
    """The baseline and when it was, in the operators' zone and in UTC."""
    local, utc = (moment_text(baseline.started, zone) for zone in (baseline.timezone, "UTC"))
    return said["held_against"].format(run=baseline.run, local=local, utc=utc)


def said_then(run: Run, outcome: Outcome) -> str:
    """What the baseline said of the same check, where that is something else than now; or ""."""
    then = run.baseline.said(outcome.check) if run.baseline else ""
    return "" if then == outcome.message else then
