"""Judge a number by the limits of its indicator."""

from enum import StrEnum

from opsproof.judge.outcome import Fact
from opsproof.profile.indicators import SEVERITY_OF, Indicator, Priority
from opsproof.profile.scalars import Severity
from opsproof.profile.thresholds import number_text


class State(StrEnum):
    """How a number stands to its limits."""

    WELL = "well"
    BETWEEN = "between"
    BAD = "bad"


class Judgement(Fact):
    """A number and what its limits say of it."""

    value: float
    unit: str
    state: State
    priority: Priority | None = None
    severity: Severity
    words: str


def judge_number(indicator: Indicator, value: float, *, recovering: bool) -> Judgement:
    """
    Judge a number.

    The most urgent limit that holds decides. A number that is neither well nor bad (bad above 20 %, well below 10 %)
    keeps the state that it had: in a round it is a warning, in a recovery it has not recovered. Where the runbook names
    no priority at all, what is not well fails as SEV-2.

    Args:
        indicator: Has at least one limit.
        value: The number, finite; a share for the unit `%`.
        recovering: True if the run asks whether an incident is over.

    Returns:
        The judgement, with words for the operator.
    """
    shown = number_text(value, indicator.unit)
    limits = indicator.limits
    well = f"; well is {indicator.ok.text}" if indicator.ok else ""
    for priority, limit in limits.items():
        if limit.holds(value):
            words = f"{shown}, which is {priority} ({limit.text}{well})"
            return _judgement(indicator, value, State.BAD, SEVERITY_OF[priority], words, priority)
    if indicator.ok is None or indicator.ok.holds(value):
        return _judgement(indicator, value, State.WELL, indicator.severity, shown)
    if not limits:
        return _judgement(indicator, value, State.BAD, "SEV-2", f"{shown}, and well is {indicator.ok.text}")
    bad = ", ".join(f"{priority} from {limit.text}" for priority, limit in limits.items())
    words = f"{shown}, neither well ({indicator.ok.text}) nor bad ({bad})"
    if recovering:
        return _judgement(indicator, value, State.BETWEEN, indicator.severity, f"{words}: not recovered yet")
    return _judgement(indicator, value, State.BETWEEN, "SEV-3", words)


def _judgement(
    indicator: Indicator, value: float, state: State, severity: Severity, words: str, priority: Priority | None = None
) -> Judgement:
    return Judgement(value=value, unit=indicator.unit, state=state, priority=priority, severity=severity, words=words)
