"""How a check stands by one sample."""

from opsproof.judge.outcome import Status
from opsproof.judge.verdict import blocks
from opsproof.judge.windows import State
from opsproof.plugin.check import Check
from opsproof.plugin.cleaning import told
from opsproof.plugin.conduct import Conducted
from opsproof.plugin.environment import Environment
from opsproof.plugin.outcomes import excinfo_of, outcome_of
from opsproof.plugin.reader import NotYet


def standing(check: Check, conducted: Conducted, environment: Environment) -> tuple[State | None, str]:
    """
    How a check stands.

    Args:
        check: The check.
        conducted: Its sample.
        environment: Where it was taken.

    Returns:
        The state, and what the sample says if it is not healthy; None where it cannot be told yet. What does not stop
        the gate (waived, below `fail_on`) breaks no stretch, and a check that no longer applies is a gap.
    """
    if conducted.error is None:
        return State.HEALTHY, ""
    if isinstance(conducted.error, NotYet):
        return None, told(conducted.error)
    outcome = outcome_of(
        check,
        excinfo_of(conducted.error),
        conducted,
        details="",
        redactor=environment.redactor,
        profile=environment.profile,
    )
    if outcome.status is Status.SKIPPED:
        return State.GAP, outcome.message
    expired = outcome.waiver is not None and outcome.waiver.expired
    stops = blocks(outcome.severity, environment.profile.policy.fail_on) or expired
    if outcome.status is Status.WAIVED or not stops:
        return State.HEALTHY, ""
    return (State.FAILED if outcome.status is Status.FAILED else State.UNKNOWN), outcome.message
