"""What is new since the baseline and what was there before, in the words of every report."""

from collections.abc import Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

from opsproof.judge.baseline import STANDINGS, BaselineFact, standing, standings
from opsproof.judge.outcome import Outcome
from opsproof.report.run import Run
from opsproof.report.windows import time_text


def standing_text(run: Run, outcomes: Iterable[Outcome], said: Mapping[str, str]) -> str:
    """
    The word for what is new or was there before.

    Args:
        run: The run.
        outcomes: One outcome, or those that a root cause explains.
        said: The words of the language.

    Returns:
        "" if there is no baseline, or nothing bad.
    """
    key = standing(outcomes) if run.baseline else ""
    return said[key] if key else ""


def marked(text: str, run: Run, outcomes: Iterable[Outcome], said: Mapping[str, str]) -> str:
    """The text with that word behind it: `SEV-2, NEW`."""
    return ", ".join(filter(None, (text, standing_text(run, outcomes, said))))


def baseline_texts(run: Run, said: Mapping[str, str]) -> Iterator[str]:
    """Which run it was, how much is new, what that means for the verdict, and what is green again."""
    if (baseline := run.baseline) is None:
        return
    found = standings(run.outcomes)
    numbers = {key: found[key] for key in STANDINGS}
    told = said["told_apart"].format(**numbers)
    if found["not_known"]:
        told += said["and_not_known"].format(**numbers)
    yield f"{which(baseline, said)}: {told}"
    if found["there_before"]:
        yield said["still_a_failure"]
    if baseline.healed:
        yield said["healed"].format(checks=", ".join(baseline.healed))


def which(baseline: BaselineFact, said: Mapping[str, str]) -> str:
    """The baseline and when it was, in the operators' zone and in UTC."""
    at = time_text(baseline.started, ZoneInfo(baseline.timezone), date=True)
    return said["held_against"].format(run=baseline.run, at=at)


def said_then(run: Run, outcome: Outcome) -> str:
    """What the baseline said of the same check, where that is something else than now; or ""."""
    then = run.baseline.said(outcome.check) if run.baseline else ""
    return "" if then == outcome.message else then
