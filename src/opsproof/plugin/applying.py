"""Why a check does not run on a profile although it was selected."""

from _pytest.outcomes import Skipped

from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.plugin.check import Check
from opsproof.profile.indicators import Indicator
from opsproof.profile.models import Profile


class NotAllowed(Skipped):
    """
    Skips a check that writes, where that is not allowed.

    Attributes:
        next_step: What allows it.
    """

    def __init__(self, reason: str, next_step: str) -> None:
        super().__init__(reason)
        self.next_step = next_step


def skip_of(check: Check, profile: Profile, writes: frozenset[str]) -> Skipped | None:
    """
    What skips a check; None if it applies.

    Args:
        check: The check.
        profile: The one that it would run against.
        writes: Environments in which the operator allows writes.
    """
    if check.indicator and (reason := _cannot_answer(profile, check.indicator)):
        return Skipped(reason)
    if not check.writes:
        return None
    allow = f"--allow-writes {profile.environment}"
    if not profile.policy.writes:
        reason = f"it writes ({check.writes}), and policy.writes of {profile.name} is false"
        return NotAllowed(reason, f"policy.writes: true in {profile.name}, {allow}")
    if profile.environment not in writes:
        return NotAllowed(f"it writes ({check.writes}); to allow it: {allow}", allow)
    return None


def skip_as_before(before: Outcome | None) -> Skipped | None:
    """What skips a check that was skipped in the run that is replayed."""
    if before is None or before.status is not Status.SKIPPED:
        return None
    if before.cause is Cause.NOT_ALLOWED:
        return NotAllowed(before.message, before.next_step)
    return Skipped(before.message)


def _cannot_answer(profile: Profile, indicator: Indicator) -> str:
    """Why this environment cannot be asked for an indicator; "" if it can."""
    if reason := profile.lacks(indicator.asks):
        return reason
    if indicator.promql and profile.targets[indicator.asks].kind == "scrape":
        return f"{profile.name} has no Prometheus, and only PromQL can answer it"
    return ""
