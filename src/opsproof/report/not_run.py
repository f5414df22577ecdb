"""What a run did not check, in a line for each reason: the worst checks that were skipped, and what profiles lack."""

from collections.abc import Iterator, Mapping

from opsproof.judge.outcome import Cause
from opsproof.profile.scalars import SEVERITIES
from opsproof.report.view import View


def not_run_texts(view: View, said: Mapping[str, str]) -> Iterator[str]:
    """SEV-1 checks that were skipped: how many for which reason, and how to run them where that can be allowed."""
    for (cause, reason), outcomes in view.worst_not_run.items():
        key = "writes_not_allowed" if cause is Cause.NOT_ALLOWED else "skipped_for"
        profiles = ", ".join(dict.fromkeys(outcome.profile for outcome in outcomes))
        yield _counted(said[key], len(outcomes), profiles=profiles, reason=reason)


def not_carried_texts(view: View, said: Mapping[str, str], file: str) -> Iterator[str]:
    """
    One line for all checks that profiles cannot carry: how many, and how many of them SEV-1.

    Args:
        view: The run.
        said: The words of the language.
        file: Where it is told in full.
    """
    severities = [
        severity
        for profiles in view.not_carried.values()
        for checks in profiles.values()
        for severity in checks.values()
    ]
    if severities:
        worst = severities.count(SEVERITIES[0])
        yield _counted(said["not_carried"], len(severities), worst=worst, file=file)


def _counted(text: str, n: int, **facts: object) -> str:
    return text.format(n=n, s="" if n == 1 else "s", v="s" if n == 1 else "", **facts)
