"""Waivers: a known failure does not stop the gate until the waiver expires."""

from collections.abc import Iterable
from datetime import datetime

from opsproof.judge.outcome import Outcome, Status, WaiverUse
from opsproof.profile.models import Waiver


def waive(outcome: Outcome, waivers: Iterable[Waiver], now: datetime) -> Outcome:
    """
    The outcome as the profile's waivers see it.

    A waived failure (or a check that could not be measured) becomes `waived`; with an expired waiver it is `failed`.

    Args:
        outcome: What became of the check.
        waivers: Those of its profile.
        now: The time of judging.
    """
    if outcome.status not in (Status.FAILED, Status.UNKNOWN):
        return outcome
    for waiver in waivers:
        if not applies(waiver, outcome):
            continue
        expired = now > waiver.until
        use = WaiverUse(owner=waiver.owner, reason=waiver.reason, until=waiver.until, expired=expired)
        return outcome.model_copy(update={"status": Status.FAILED if expired else Status.WAIVED, "waiver": use})
    return outcome


def applies(waiver: Waiver, outcome: Outcome) -> bool:
    """True if the waiver names the check or one of its runbook rows."""
    return waiver.check in (outcome.name, outcome.check) or waiver.check in outcome.runbook


def no_longer_needed(waiver: Waiver, outcomes: Iterable[Outcome]) -> bool:
    """True if the waiver's checks ran and every one of them passed."""
    statuses = [outcome.status for outcome in outcomes if applies(waiver, outcome)]
    return bool(statuses) and all(status is Status.PASSED for status in statuses)
