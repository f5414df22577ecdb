"""What the check of an indicator works with: it reads the number and judges it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from opsproof.errors import NoData, PreconditionMissing
from opsproof.evidence.recorder import recording
from opsproof.judge.limits import Judgement, Lang, State, judge_number
from opsproof.judge.normal import NoReference, Reference, judge_normal
from opsproof.plugin.normality import References
from opsproof.probes import Probe
from opsproof.profile.indicators import Indicator
from opsproof.profile.scalars import duration_text

if TYPE_CHECKING:
    from opsproof.probes.reading import Number


_POINTS = 200
_LEAST_STEP = 1.0
_SHORTEST = 0.1


class NotYet(NoData):
    """A number over a stretch that cannot be told yet: the stretch is too short for it, and before it was bad."""


class Reader:
    """
    Reads the indicators of one environment.

    Attributes:
        stretch: In a window: for how many seconds all other checks have been healthy, by id of the check that asks.
        looked_back: In a replay: how many seconds a number looked back, by id of its check, where not its own.

    Args:
        profile: Name of the profile.
        timezone: Where `{today}` in a key is meant.
        probes: Gives the probe of a target.
        recovering: True if the run asks whether an incident is over.
        since: When the incident began, for a run that looks back at it.
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
        since: datetime | None,
        lang: Lang,
        references: References,
    ) -> None:
        self.stretch: Callable[[str], float | None] | None = None
        self.looked_back: Mapping[str, float] | None = None
        self._since = since
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
        recorder = recording.get()
        if recorder is not None:
            self._judgements.pop(recorder.check, None)  # of the sample before
        if self.stretch is not None:
            judgement = await self._of_the_stretch(indicator, self.stretch)
        elif self.looked_back is not None:
            judgement = await self._read(indicator, self.looked_back.get(recorder.check if recorder else ""))
        else:
            judgement = await self._read(indicator, self._since_the_incident(indicator))
        self._keep(judgement)
        return judgement

    async def impact(self, indicator: Indicator, since: datetime, until: datetime) -> tuple[Number, datetime]:
        """
        The number of an indicator over an incident, and until when it tells of it.

        Prometheus is asked for the incident alone; what else there is tells of the time until now.

        Raises:
            NotObserved: There is no number; says why.
        """
        from opsproof.probes.metrics import PrometheusProbe
        from opsproof.probes.reading import read_number

        probe = self._probes(indicator.asks)
        if isinstance(probe, PrometheusProbe):
            probe = probe.at(until)
        else:
            until = datetime.now(UTC)
        seconds = max(_LEAST_STEP, round((until - since).total_seconds()))
        return await read_number(indicator, probe, self._timezone, window=seconds), until

    async def wrong_over(self, indicator: Indicator, seconds: float, *, settled: float) -> str | None:
        """
        What was wrong with a number during a stretch although its samples were well.

        What is read at an instant may have been bad between two samples: all points of the stretch are read. What looks
        back further than the stretch may hide that all of it was bad: it is read over the stretch alone.

        Args:
            indicator: Looks back, or has `promql`.
            seconds: Length of the stretch, up to now.
            settled: The same without its first moments, in which is counted what happened before.

        Returns:
            Words for the operator; None if it was well all along, or if the stretch holds nothing more to judge.

        Raises:
            NotObserved: There is no answer.
        """
        if indicator.window is not None:
            return await self._wrong_in(indicator, settled)
        from opsproof.probes.metrics import PrometheusProbe

        probe, now = self._probes(indicator.asks), datetime.now(UTC)
        if not isinstance(probe, PrometheusProbe) or not indicator.promql:
            return None
        reference = await self._references.of(indicator, probe, self._timezone, None)
        step = max(_LEAST_STEP, seconds / _POINTS)
        start = now - timedelta(seconds=seconds)
        found = await probe.query_range(indicator.promql, start=start, end=now, step=step)
        points = [point for series in found for point in series.points]
        if not points and indicator.empty is None:
            raise self._not_along(indicator, f"the server has no point of the last {duration_text(round(seconds))}")
        for at, value in points:
            if not math.isfinite(value):
                raise self._not_along(indicator, f"{value} at {at:%H:%M:%S}Z, between two samples")
            by_limits = judge_number(indicator, value, recovering=self._recovering, lang=self._lang)
            judgement = self._compared(indicator, by_limits, reference)
            if judgement.state is not State.WELL:
                return f"{judgement.words}, at {at:%H:%M:%S}Z, between two samples"
        return None

    def _not_along(self, indicator: Indicator, what: str) -> NoData:
        return NoData(
            f"not known for the whole stretch: {what}",
            where=f"indicators.{indicator.id} of {self._profile}",
            next_step="See whether Prometheus missed scrapes, and whether the expression divides by nothing at times.",
            target=indicator.asks,
        )

    async def _wrong_in(self, indicator: Indicator, seconds: float) -> str | None:
        if seconds >= (indicator.window or 0):
            return None  # each sample looked at a part of the stretch
        try:
            judgement = await self._read(indicator, max(_SHORTEST, round(seconds, 1)))
        except NoData:
            return None
        return None if judgement.state is State.WELL else f"{judgement.words}: of the stretch alone"

    async def _of_the_stretch(self, indicator: Indicator, stretch: Callable[[str], float | None]) -> Judgement:
        """
        What an indicator shows in a window.

        A number over a stretch still shows the incident when all else is healthy again: then it is read over the time
        since. What has been well over its whole window needs no such second look.

        Raises:
            NotYet: There is too little of that time yet.
        """
        before = await self._read(indicator, None)
        recorder = recording.get()
        seconds = stretch(recorder.check) if recorder is not None and indicator.window is not None else None
        if seconds is None or before.state is State.WELL or seconds >= (indicator.window or 0):
            return before
        try:
            return await self._read(indicator, max(_SHORTEST, round(seconds, 1)))
        except NoData as exc:
            raise NotYet(
                f"{before.words} over its whole window; in the {seconds:.1f} s since all else is healthy: {exc.what}",
                where=exc.where,
                next_step=exc.next_step,
                target=exc.target,
            ) from None

    def _since_the_incident(self, indicator: Indicator) -> float | None:
        if self._since is None or indicator.window is None:
            return None
        return max(_LEAST_STEP, round((datetime.now(UTC) - self._since).total_seconds()))

    async def _read(self, indicator: Indicator, window: float | None) -> Judgement:
        from opsproof.probes.reading import read_number

        probe = self._probes(indicator.asks)
        number = await read_number(indicator, probe, self._timezone, window=window)
        reference = await self._references.of(indicator, probe, self._timezone, window)
        judgement = self._compared(indicator, self._judged(indicator, number), reference, at_least=number.at_least)
        if indicator.ok is None and not indicator.limits and not isinstance(reference, Reference):
            self._keep(judgement)
            raise self._without_a_limit(indicator, number, reference)
        notes = [judgement.words, *([f"over {duration_text(window)}"] if window else []), number.note]
        return judgement.model_copy(update={"words": "; ".join(filter(None, notes)), "over": window})

    def _keep(self, judgement: Judgement) -> None:
        recorder = recording.get()
        if recorder is not None:
            self._judgements[recorder.check] = judgement

    def _compared(
        self,
        indicator: Indicator,
        judgement: Judgement,
        reference: Reference | NoReference | None,
        *,
        at_least: bool = False,
    ) -> Judgement:
        if reference is None:
            return judgement
        return judge_normal(
            indicator,
            judgement,
            reference,
            at_least=at_least,
            timezone=self._references.zone,
            recovering=self._recovering,
            lang=self._lang,
        )

    def _without_a_limit(
        self, indicator: Indicator, number: Number, reference: NoReference | None
    ) -> PreconditionMissing:
        compared = f"; {reference.words(self._references.zone, self._lang)}" if reference else ""
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
