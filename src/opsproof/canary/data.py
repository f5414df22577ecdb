"""What is known of a track at a look: counts, buckets or samples, pooled from the begin of the watch."""

import math
import time
from collections.abc import Sequence

from opsproof.canary.facts import Data
from opsproof.canary.history import History
from opsproof.canary.questions import counters_of
from opsproof.canary.sources import PrometheusSource, Source, matcher
from opsproof.errors import NotObserved
from opsproof.judge.canary.counters import Increase, increase
from opsproof.judge.canary.latency import increased_buckets
from opsproof.judge.canary.series import Series, State, apart, state_of
from opsproof.probes.metrics.promql import ranges
from opsproof.profile.canary import Canary, Criterion
from opsproof.profile.selectors import labels_that_must_be, parsed_selector

STALE_SCRAPES = 3.0
"""Scrape intervals after which the newest sample says nothing of now."""
IDLE_SCRAPES, IDLE_LOOKS = 6.0, 2.0
"""Scrapes and looks after which a counter that stands still says that nobody asks any more."""
_NEARLY = 0.95
"""A look comes some milliseconds early or late."""
_LEAST_STALE = 5.0
_USUAL_SCRAPE = 15.0


class Looking:
    """
    Looks at one criterion on both tracks.

    Args:
        criterion: What is looked at.
        source: Gives samples.
        start: Unix seconds of the watch's begin.
        canary: The profile's section: how often it is looked at, and whether a baseline is known.
    """

    def __init__(self, criterion: Criterion, source: Source, start: float, canary: Canary) -> None:
        self.criterion = criterion
        self.scrape = _USUAL_SCRAPE
        self._source = source
        self._start = start
        self._canary = canary
        self.knows_scrape = False
        """Whether `scrape` was seen, or is what is usual."""
        self._numbers: dict[str, list[tuple[float, float]]] = {}

    @property
    def compares(self) -> bool:
        """Whether the baseline is looked at, too: to compare, or to know whether it is sick itself."""
        return self.criterion.worse is not None

    async def at(self, track: str) -> Data:
        """What is known of a track now; what cannot be had is a state, with why."""
        try:
            if self.criterion.promql:
                return await self._sampled(track)
            data = await self._pooled(track)
            if track == "canary" and data.state is State.OK and (why := await self._mixed_up()):
                return Data(state=State.QUERY_ERROR, why=why)
        except NotObserved as exc:
            return Data(state=State.QUERY_ERROR, why=exc.what)
        return data

    async def _mixed_up(self) -> str:
        """Why what is counted may be of others than the canary, or counted twice; "" if it is the canary's alone."""
        *_, every = counters_of(self.criterion).values()
        ours = await self._source.history("canary", *every, self._start)
        if twice := ours.told_twice():
            return f"{twice} is scraped twice: each of its requests would count twice; narrow by job or instance"
        if not self._canary.has_baseline:
            return ""
        theirs = await self._source.history("baseline", *every, self._start)
        if both := ours.labels & theirs.labels:
            example = ", ".join(f'{key}="{value}"' for key, value in sorted(next(iter(both))))
            return f"the labels of canary and baseline match the same series ({example}); give labels that only one has"
        if pods := ours.pods & theirs.pods:
            named = ", ".join(sorted(pods))
            return f"{named} is on both tracks, or was minutes ago; a pod must be on one of them for the whole watch"
        return self._renamed_values(ours, theirs)

    def _renamed_values(self, ours: History, theirs: History) -> str:
        """
        A label of `of` has values on the canary that the baseline does not know: it may call failures otherwise by now.

        A canary that answers nothing but failures has other values, too: those that `of` looks for.
        """
        ratio = self.criterion.ratio
        if ratio is None or parsed_selector(ratio.of).name != parsed_selector(ratio.over).name:
            return ""
        fails, _ = matcher(ratio.of, "")
        if any(fails(dict(one)) for one in ours.labels):
            return ""
        for name in labels_that_must_be(parsed_selector(ratio.of)):
            mine, its = (history.values(name) for history in (ours, theirs))
            if its and not mine & its:
                told = f"{', '.join(sorted(mine))}, on the baseline {', '.join(sorted(its))}"
                return f"{name} is {told}: if failures are called otherwise by now, `of` never counts one"
        return ""

    async def _pooled(self, track: str) -> Data:
        criterion = self.criterion
        asked = counters_of(criterion)
        histories = {name: await self._source.history(track, *one, self._start) for name, one in asked.items()}
        every = next(reversed(histories.values()))
        self._see_scrape(every.scrape)
        now = every.until or time.time()
        if bad := self._unusable(every, now):
            return bad if bad.why else bad.model_copy(update={"why": await self._why_empty(track, asked)})
        if criterion.quantile:
            return self._bucketed(every, now)
        return await self._counted(track, histories, now)

    def _unusable(self, history: History, now: float) -> Data | None:
        newest = history.newest
        if newest is None:
            return Data(state=State.EMPTY)
        if newest > self._start and (
            silent := history.silent(max(STALE_SCRAPES * self.scrape, _LEAST_STALE), self._start)
        ):
            return Data(state=State.STALE, why=f"{silent} tells nothing any more, and nobody took its place")
        if now - newest > max(STALE_SCRAPES * self.scrape, _LEAST_STALE):
            return Data(state=State.STALE, why=f"the newest sample is {now - newest:.0f} s old")
        if newest <= self._start:
            return Data(state=State.EMPTY)
        idle = now - max(history.moved or self._start, self._start)
        if idle > max(IDLE_SCRAPES * self.scrape, IDLE_LOOKS * self._canary.interval):
            return Data(state=State.STALE, why=f"nothing was counted for {idle:.0f} s: its traffic has stopped")
        return None

    async def _why_empty(self, track: str, asked: dict[str, tuple[str, str]]) -> str:
        *_, every = asked.values()
        missing = await self._source.missing(track, *every)
        return missing or f"no sample of {track} since the begin"

    async def _counted(self, track: str, histories: dict[str, History], now: float) -> Data:
        failed, total = (self._increase(histories[name].series(), now) for name in ("failed", "all"))
        if not histories["failed"].series() and (why := await self._not_told(track)):
            return Data(state=State.EMPTY, why=why)
        if why := self._unlabelled(histories["all"]):
            return Data(state=State.EMPTY, why=why)
        if failed.count > total.count:
            why = f"{failed.count:.0f} failed of {total.count:.0f}: `over` does not hold all that `of` counts"
            return Data(state=State.QUERY_ERROR, why=why)
        return Data(
            state=State.OK if total.count > 0 else State.EMPTY,
            failed=failed.count,
            total=total.count,
            births=failed.births + total.births,
            restarts=max(failed.restarts, total.restarts),
            missing=max(failed.missing_s, total.missing_s),
            why="" if total.count > 0 else f"no traffic of {track} since the begin",
        )

    async def _not_told(self, track: str) -> str:
        """
        Why no series of what failed does not mean that nothing did; "" if it does.

        A label that was never used has no series, as long as the metric itself is there on this track.
        """
        assert self.criterion.ratio is not None
        of, over = (one.partition("{")[0].strip() for one in (self.criterion.ratio.of, self.criterion.ratio.over))
        return "" if of == over else await self._source.missing(track, of, "")

    def _unlabelled(self, every: History) -> str:
        """A label that `of` asks for and no series of `over` has: it is called otherwise, and nothing ever fails."""
        assert self.criterion.ratio is not None
        of, over = (parsed_selector(one) for one in (self.criterion.ratio.of, self.criterion.ratio.over))
        if of.name != over.name:
            return ""
        there = {key for one in every.series() for key in one.labels}
        lacking = [name for name in labels_that_must_be(of) if name not in there]
        return f"no series has a label {', '.join(lacking)}; there are {', '.join(sorted(there))}" if lacking else ""

    def _bucketed(self, history: History, now: float) -> Data:
        sets = history.edges()
        if len(sets) > 1:
            why = f"its pods have {len(sets)} different sets of bucket edges, which cannot be added"
            return Data(state=State.QUERY_ERROR, why=why)
        try:
            buckets, counted = increased_buckets(history.series(), self._start, now, scrape_s=self.scrape)
        except ValueError as exc:
            return Data(state=State.QUERY_ERROR, why=str(exc))
        parts = list(counted.values())
        return Data(
            state=State.OK if buckets.total > 0 else State.EMPTY,
            total=buckets.total,
            edges=buckets.edges,
            counts=buckets.counts,
            births=max((one.births for one in parts), default=0),
            restarts=max((one.restarts for one in parts), default=0),
            missing=max((one.missing_s for one in parts), default=0.0),
            why="" if buckets.total > 0 else "no traffic since the begin",
        )

    async def _sampled(self, track: str) -> Data:
        assert self.criterion.promql is not None
        assert isinstance(self._source, PrometheusSource)
        if not self.knows_scrape:
            self._see_scrape(await self._source.scrape(self.criterion.promql.canary))
        found = await self._source.number(getattr(self.criterion.promql, track))
        state = state_of(found, time.time(), staleness_s=_LEAST_STALE)
        kept = self._numbers.setdefault(track, [])
        if state not in (State.OK, State.INF):
            return Data(state=state, why=_several(found) if state is State.SEVERAL_SERIES else "")
        kept.append(found[0].points[-1])
        if infinite := sum(math.isinf(value) for _, value in kept):
            return Data(state=State.INF, why=f"{infinite} of {len(kept)} samples are infinite: nothing is worse")
        back = max(ranges(getattr(self.criterion.promql, track)), default=0.0)
        alone = _NEARLY * max(self._canary.interval, back)  # what looks back at the same requests is one sample
        return Data(samples=tuple(value for _, value in apart(kept, alone)))

    def _see_scrape(self, seconds: float | None) -> None:
        if seconds is not None:
            self.scrape, self.knows_scrape = seconds, True

    def _increase(self, series: Sequence[Series], now: float) -> Increase:
        return increase(series, self._start, now, scrape_s=self.scrape)


def _several(found: Sequence[Series]) -> str:
    keys = {key for one in found for key in one.labels}
    differ = sorted(key for key in keys if len({one.labels.get(key) for one in found}) > 1)
    return f"{len(found)} series where one number was expected; they differ in {', '.join(differ)}"
