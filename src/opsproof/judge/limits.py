"""Judge a number by the limits of its indicator."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import Field

from opsproof.judge.outcome import Comparison, Fact
from opsproof.profile.indicators import SEVERITY_OF, Indicator, Priority
from opsproof.profile.scalars import Severity
from opsproof.profile.thresholds import number_text

Lang = Literal["en", "ko"]

_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "en": {
        "bad": "{shown}, which is {priority} ({limit}{well})",
        "well": "; well is {limit}",
        "not_well": "{shown}, and well is {limit}",
        "from": "{priority} from {limit}",
        "between": "{shown}, neither well ({ok}) nor bad ({bad})",
        "not_recovered": ": not recovered yet",
    },
    "ko": {
        "bad": "{shown}, {priority}에 해당 ({limit}{well})",
        "well": "; 정상은 {limit}",
        "not_well": "{shown}, 정상은 {limit}",
        "from": "{priority} 기준 {limit}",
        "between": "{shown}, 정상({ok})도 이상({bad})도 아님",
        "not_recovered": ": 아직 복구되지 않음",
    },
}


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
    over: float | None = Field(None, description="Seconds that it looked back, where not as far as the indicator says.")
    normal: Comparison | None = None


def judge_number(indicator: Indicator, value: float, *, recovering: bool, lang: Lang = "en") -> Judgement:
    """
    Judge a number.

    The most urgent limit that holds decides. A number that is neither well nor bad (bad above 20 %, well below 10 %)
    keeps the state that it had: in a round it is a warning, in a recovery it has not recovered. Where the runbook names
    no priority at all, what is not well fails as SEV-2.

    Args:
        indicator: Has at least one limit.
        value: The number, finite; a share for the unit `%`.
        recovering: True if the run asks whether an incident is over.
        lang: Language of the words.

    Returns:
        The judgement, with words for the operator.
    """
    said = _WORDS[lang]
    shown = number_text(value, indicator.unit)
    limits = indicator.limits
    well = said["well"].format(limit=indicator.ok.text) if indicator.ok else ""
    for priority, limit in limits.items():
        if limit.holds(value):
            words = said["bad"].format(shown=shown, priority=priority, limit=limit.text, well=well)
            return _judgement(indicator, value, State.BAD, SEVERITY_OF[priority], words, priority)
    if indicator.ok is None or indicator.ok.holds(value):
        return _judgement(indicator, value, State.WELL, indicator.severity, shown)
    if not limits:
        words = said["not_well"].format(shown=shown, limit=indicator.ok.text)
        return _judgement(indicator, value, State.BAD, "SEV-2", words)
    bad = ", ".join(said["from"].format(priority=priority, limit=limit.text) for priority, limit in limits.items())
    words = said["between"].format(shown=shown, ok=indicator.ok.text, bad=bad)
    if recovering:
        return _judgement(indicator, value, State.BETWEEN, indicator.severity, words + said["not_recovered"])
    return _judgement(indicator, value, State.BETWEEN, "SEV-3", words)


def _judgement(
    indicator: Indicator, value: float, state: State, severity: Severity, words: str, priority: Priority | None = None
) -> Judgement:
    return Judgement(value=value, unit=indicator.unit, state=state, priority=priority, severity=severity, words=words)
