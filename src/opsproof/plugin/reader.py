"""What the check of an indicator works with: it reads the number and judges it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from opsproof.errors import NoData, PreconditionMissing
from opsproof.evidence.recorder import recording
from opsproof.judge.limits import Judgement, Lang, State, judge_number
from opsproof.judge.normal import NoReference, Reference, judge_normal
from opsproof.plugin.normality import References
from opsproof.probes import Probe
from opsproof.profile.indicators import Indicator

if TYPE_CHECKING:
    from opsproof.probes.reading import Number


class Reader:
    """
    Reads the indicators of one environment.

    Args:
        profile: Name of the profile.
        timezone: Where `{today}` in a key is meant.
        probes: Gives the probe of a target.
        recovering: True if the run asks whether an incident is over.
        lang: The operator's language.
        references: Knows what the numbers were when all was well.
    """

    def __init__(
        self,
        profile: str,
        timezone: str,
        probes: Callable[[str], Probe],
        *,
        recovering: bool,
        lang: Lang,
        references: References,
    ) -> None:
        self._profile = profile
        self._timezone = timezone
        self._probes = probes
        self._recovering = recovering
        self._lang: Lang = lang
        self._references = references
        self._judgements: dict[str, Judgement] = {}

    async def judge(self, indicator: Indicator) -> Judgement:
        """
        Read the number of an indicator and judge it.

        Raises:
            PreconditionMissing: It has no limit.
            NotObserved: There is no number to judge; says why.
        """
        from opsproof.probes.reading import read_number

        number = await read_number(indicator, self._probes(indicator.asks), self._timezone)
        reference = await self._references.of(indicator, self._probes(indicator.asks), self._timezone)
        judgement = self._judged(indicator, number)
        if reference is not None:
            how: dict[str, Any] = {"timezone": self._timezone, "recovering": self._recovering, "lang": self._lang}
            judgement = judge_normal(indicator, judgement, reference, at_least=number.at_least, **how)
        if number.note:
            judgement = judgement.model_copy(update={"words": f"{judgement.words}; {number.note}"})
        recorder = recording.get()
        if recorder is not None:
            self._judgements[recorder.check] = judgement
        if indicator.ok is None and not indicator.limits and not isinstance(reference, Reference):
            raise self._without_a_limit(indicator, number, reference)
        return judgement

    def _without_a_limit(
        self, indicator: Indicator, number: Number, reference: NoReference | None
    ) -> PreconditionMissing:
        compared = f"; {reference.words(self._timezone, self._lang)}" if reference else ""
        or_else = ", or give --baseline RUN, a run of a better time" if reference else ""
        return PreconditionMissing(
            f"there is no limit for it; it is {number.value:g}{compared}",
            where=f"indicators.{indicator.id} of {self._profile}",
            next_step=f"Give it a limit in the profile (`ok`, `p0`, `p1` or `p2`){or_else}: the runbook has none.",
        )

    def _judged(self, indicator: Indicator, number: Number) -> Judgement:
        """
        What the limits say of a number; of one that is only known to be at least so much, what they say of all greater.

        Raises:
            NoData: It may be bad, and may be not.
        """
        judgement = judge_number(indicator, number.value, recovering=self._recovering, lang=self._lang)
        if not number.at_least:
            return judgement
        greater = (
            judge_number(indicator, one, recovering=self._recovering) for one in _beyond(indicator, number.value)
        )
        possible = [judgement, *(other for other in greater if _verdict(other) != _verdict(judgement))]
        if len(possible) == 1:
            return judgement
        if any(one.state is not State.BAD for one in possible):
            raise NoData(
                f"cannot be told from being bad: at least {judgement.words}; {number.note}",
                where=f"indicators.{indicator.id} of {self._profile}",
                next_step="Give the service's histogram a bucket beyond the limit, or the indicator a narrower prefix.",
            )
        worst = min(possible, key=lambda one: one.severity)
        words = f"at least {judgement.words}, and may be {worst.priority}"
        return worst.model_copy(update={"value": number.value, "words": words})

    def judgement(self, check: str) -> Judgement | None:
        """What was judged in a check, by its id."""
        return self._judgements.get(check)


def _verdict(judgement: Judgement) -> tuple[State, str | None]:
    return judgement.state, judgement.priority


def _beyond(indicator: Indicator, value: float) -> Iterator[float]:
    """Greater numbers, one at least for each thing that the limits may say of them."""
    for limit in filter(None, (indicator.ok, *indicator.limits.values())):
        for bound in limit.bounds:
            yield from (one for one in (math.nextafter(bound, -math.inf), bound) if one > value)
            yield math.nextafter(max(bound, value), math.inf)
