"""Judge whether a number is normal: near enough to what it was when all was well."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from opsproof.judge.limits import Judgement, Lang, State
from opsproof.judge.outcome import Comparison
from opsproof.profile.indicators import Indicator
from opsproof.profile.normal import Normal
from opsproof.profile.scalars import duration_text, moment_text
from opsproof.profile.thresholds import number_text

Lack = Literal[
    "no_baseline", "not_in_baseline", "not_well_then", "no_history", "no_answer_then", "negative", "lower_bound"
]
"""Why there is nothing to compare with."""

_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "en": {
        "baseline": "in the baseline (run {run}, {at})",
        "incident": "{offset} before the incident ({at})",
        "run": "{offset} before this run ({at})",
        "was": "it was {reference} {when}",
        "too_high": "{shown}{within}, not normal: {was}, and at most {bound} is normal ({rule})",
        "too_low": "{shown}{within}, not normal: {was}, and at least {bound} is normal ({rule})",
        "within": ", within its limits",
        "factor": "{factor:g} times that",
        "floor": "`above`; {factor:g} times that is less",
        "not_recovered": ": not recovered yet",
        "nothing": "nothing to compare with: {why}",
        "no_baseline": "no --baseline was given",
        "no_history": "no --baseline was given, and there is no Prometheus that knows an earlier number",
        "not_in_baseline": "the baseline has no number of this check",
        "not_well_then": "the number was not well in the baseline",
        "no_answer_then": "at {at}, {detail}",
        "negative": "a multiple of a negative number says nothing",
        "lower_bound": "the number is only known to be at least so much",
    },
    "ko": {
        "baseline": "기준 실행({run}, {at})",
        "incident": "장애 {offset} 전({at})",
        "run": "이 실행 {offset} 전({at})",
        "was": "{when}에는 {reference}",
        "too_high": "{shown}{within}, 정상 수준이 아님: {was}, 정상은 {bound} 이하 ({rule})",
        "too_low": "{shown}{within}, 정상 수준이 아님: {was}, 정상은 {bound} 이상 ({rule})",
        "within": ", 한도 이내",
        "factor": "그 {factor:g}배",
        "floor": "`above`; 그 {factor:g}배는 더 작음",
        "not_recovered": ": 아직 복구되지 않음",
        "nothing": "비교 대상 없음: {why}",
        "no_baseline": "--baseline이 지정되지 않음",
        "no_history": "--baseline이 지정되지 않았고, 이전 수치를 아는 Prometheus가 없음",
        "not_in_baseline": "기준 실행에 이 점검의 수치가 없음",
        "not_well_then": "기준 실행에서 이 수치가 정상이 아니었음",
        "no_answer_then": "{at} 시점: {detail}",
        "negative": "음수의 배수는 비교할 수 없음",
        "lower_bound": "수치의 하한만 알 수 있음",
    },
}


@dataclass(frozen=True)
class Reference:
    """
    What a number was when all was well.

    Attributes:
        value: Finite.
        at: When it was read, or what time it is of.
        run: Id of the baseline that it is from; "" if the metrics server told it.
        offset: Seconds that it lies before the incident or the run, where the metrics server told it.
        before: Before which of the two.
    """

    value: float
    at: datetime
    run: str = ""
    offset: float = 0.0
    before: Literal["incident", "run"] = "run"


@dataclass(frozen=True)
class NoReference:
    """Why there is nothing to compare with; `detail` is what the metrics server said of the time `at`."""

    why: Lack
    detail: str = ""
    at: datetime | None = None

    def words(self, timezone: str, lang: Lang) -> str:
        """Said to the operator."""
        said = _WORDS[lang]
        at = moment_text(self.at, timezone) if self.at else ""
        return said["nothing"].format(why=said[self.why].format(detail=self.detail, at=at))


def judge_normal(
    indicator: Indicator,
    judgement: Judgement,
    reference: Reference | NoReference,
    *,
    at_least: bool = False,
    timezone: str,
    recovering: bool,
    lang: Lang = "en",
) -> Judgement:
    """
    Judge a number that its limits have judged by what it was earlier.

    What is well by its limits and not normal is no longer well: in a recovery it has not recovered, and fails as the
    indicator does; in a round it is a warning. What is not well by its limits stays what it is; its words then say what
    the number was. Without a reference the limits alone decide.

    Args:
        indicator: Has `normal`.
        judgement: What its limits say; well where it has none.
        reference: What the number was, or why nobody knows.
        at_least: True if the number is only a lower bound.
        timezone: Zone of the operators.
        recovering: True if the run asks whether an incident is over.
        lang: Language of the words.

    Returns:
        The judgement, with the comparison in it.
    """
    normal = indicator.normal
    assert normal is not None
    if isinstance(reference, Reference) and reference.value < 0:
        reference = NoReference("negative")
    if isinstance(reference, Reference):
        low, high = bounds(normal, reference.value)
        if at_least and low <= judgement.value <= high < math.inf:
            reference = NoReference("lower_bound")
    said = _WORDS[lang]
    if isinstance(reference, NoReference):
        return judgement.model_copy(update={"normal": Comparison(words=reference.words(timezone, lang))})
    was = _was(reference, indicator.unit, timezone, lang)
    is_normal = low <= judgement.value <= high
    words = was if is_normal else _not_normal(indicator, normal, judgement.value, reference.value, was, lang)
    compared = Comparison(
        reference=reference.value,
        at=reference.at,
        run=reference.run,
        low=None if low == -math.inf else low,
        high=None if high == math.inf else high,
        normal=is_normal,
        words=words,
    )
    if judgement.state is not State.WELL:
        return judgement.model_copy(update={"normal": compared, "words": f"{judgement.words}; {was}"})
    if is_normal:
        return judgement.model_copy(update={"normal": compared})
    return judgement.model_copy(
        update={
            "normal": compared,
            "state": State.BETWEEN,
            "severity": indicator.severity if recovering else "SEV-3",
            "words": words + (said["not_recovered"] if recovering else ""),
        }
    )


def bounds(normal: Normal, reference: float) -> tuple[float, float]:
    """
    The least and the greatest number that is normal.

    Args:
        normal: The indicator's.
        reference: What the number was; not negative.
    """
    low = -math.inf if normal.at_least is None else normal.at_least * reference
    high = math.inf if normal.at_most is None else max(normal.above, normal.at_most * reference)
    return low, high


def _was(reference: Reference, unit: str, timezone: str, lang: Lang) -> str:
    said, at = _WORDS[lang], moment_text(reference.at, timezone)
    if reference.run:
        when = said["baseline"].format(run=reference.run, at=at)
    else:
        when = said[reference.before].format(offset=duration_text(reference.offset), at=at)
    return said["was"].format(reference=number_text(reference.value, unit), when=when)


def _not_normal(indicator: Indicator, normal: Normal, value: float, reference: float, was: str, lang: Lang) -> str:
    said = _WORDS[lang]
    low, high = bounds(normal, reference)
    factor = normal.at_most if value > high else normal.at_least
    by_floor = value > high and high > (normal.at_most or 0.0) * reference
    return said["too_high" if value > high else "too_low"].format(
        shown=number_text(value, indicator.unit),
        within=said["within"] if indicator.ok or indicator.limits else "",
        was=was,
        bound=number_text(high if value > high else low, indicator.unit),
        rule=said["floor" if by_floor else "factor"].format(factor=factor),
    )
