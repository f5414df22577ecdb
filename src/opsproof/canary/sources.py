"""Where samples come from: a Prometheus, or the replicas' own metrics, read look by look."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from typing_extensions import override

from opsproof.canary.history import History
from opsproof.canary.questions import question
from opsproof.errors import NotObserved
from opsproof.judge.canary.series import Series
from opsproof.probes.metrics import api
from opsproof.probes.metrics.prometheus import PrometheusProbe
from opsproof.probes.metrics.promql import selectors
from opsproof.probes.metrics.readings import Reading
from opsproof.probes.metrics.scrape import ScrapeProbe
from opsproof.profile.canary import Canary
from opsproof.profile.selectors import parsed_selector

LEAD = 300.0
"""Seconds before the watch that are asked for, too: what was there at its begin is known by them."""
_OVERLAP = 5.0
TRACKS = ("canary", "baseline")


class Source(Protocol):
    """Gives the samples of a selector on a track."""

    async def history(self, track: str, selector: str, suffix: str, since: float) -> History:
        """
        All samples from some time before `since` until now.

        Args:
            track: `canary` or `baseline`.
            selector: As the profile writes it.
            suffix: Behind the metric's name: `_bucket`, `_count`.
            since: Unix seconds of the watch's begin.

        Raises:
            NotObserved: There is no answer; says why.
        """
        ...

    async def missing(self, track: str, selector: str, suffix: str) -> str:
        """What is missing of a selector on a track; "" if series match. Raises NotObserved."""
        ...

    async def look(self) -> None:
        """Begin a look: what is read once for all criteria is read now."""
        ...

    async def skew(self) -> float:
        """Seconds by which the source's clock is ahead of this machine's. Raises NotObserved."""
        ...


class PrometheusSource(Source):
    """
    Raw samples out of a Prometheus, each asked for once.

    Args:
        probe: Asks it.
        canary: Has the labels of both tracks.
    """

    def __init__(self, probe: PrometheusProbe, canary: Canary) -> None:
        self._probe = probe
        self._canary = canary
        self._histories: dict[tuple[str, str], History] = {}

    @override
    async def history(self, track: str, selector: str, suffix: str, since: float) -> History:
        kept = self._histories.setdefault((track, selector + suffix), History())
        now = time.time()
        begin = since - LEAD if kept.newest is None else kept.newest - _OVERLAP  # a remote store may be behind
        found = await self._probe.samples(
            question(self._canary, track, selector, suffix),
            start=datetime.fromtimestamp(begin, UTC),
            end=datetime.fromtimestamp(now, UTC),
        )
        kept.add(_series(found), now)
        return kept

    async def scrape(self, promql: str) -> float | None:
        """Seconds between two samples of what an expression asks; None before there are two. Raises NotObserved."""
        history, now = History(), time.time()
        start, end = (datetime.fromtimestamp(at, UTC) for at in (now - LEAD, now))
        for selector in selectors(promql):
            found = await self._probe.samples(selector, start=start, end=end)
            history.add(_series(found), now)
        return history.scrape

    async def number(self, promql: str) -> list[Series]:
        """The series that an expression gives now. Raises NotObserved."""
        return [Series(point.labels, [(time.time(), point.value)]) for point in await self._probe.instant(promql)]

    @override
    async def missing(self, track: str, selector: str, suffix: str) -> str:
        return await self._probe.present(question(self._canary, track, selector, suffix))

    @override
    async def look(self) -> None:
        """Nothing is read for all criteria at once."""

    @override
    async def skew(self) -> float:
        before = time.time()
        (point,) = await self._probe.instant("time()")
        return max(point.value - time.time(), 0.0) or min(point.value - before, 0.0)  # somewhere between the two


class ScrapeSource(Source):
    """
    The replicas' own metrics, read once a look; each replica is told apart by its target.

    Args:
        probes: By track, each of a replica.
    """

    def __init__(self, probes: Mapping[str, Sequence[ScrapeProbe]]) -> None:
        self._probes = probes
        self._readings: dict[str, list[tuple[float, str, Reading]]] = {track: [] for track in TRACKS}
        self._silent: dict[str, NotObserved] = {}

    @override
    async def skew(self) -> float:
        return 0.0

    @override
    async def look(self) -> None:
        """Read every replica; one that does not answer leaves its track without a number: it may be the sick one."""
        for track, probes in self._probes.items():
            answers = await asyncio.gather(*(probe.reading() for probe in probes), return_exceptions=True)
            self._silent.pop(track, None)
            told = [one for one in answers if isinstance(one, NotObserved)]
            if told:
                self._silent[track] = told[0]
            for probe, answer in zip(probes, answers, strict=True):
                if isinstance(answer, Reading):
                    self._readings[track].append((time.time(), probe.name, answer))
                elif not isinstance(answer, NotObserved):
                    raise answer

    @override
    async def history(self, track: str, selector: str, suffix: str, since: float) -> History:
        if track in self._silent:
            raise self._silent[track]
        matches, name = matcher(selector, suffix)
        history = History()
        for at, target, reading in self._readings[track]:
            found = [
                Series({**dict(labels), "target": target}, [(at, value)])
                for labels, value in reading.values.get(name, {}).items()
                if matches(dict(labels))
            ]
            history.add(found, at)
        return history

    @override
    async def missing(self, track: str, selector: str, suffix: str) -> str:
        history = await self.history(track, selector, suffix, 0.0)
        return "" if history.series() else f"no series of {track} matches {selector}"


def _series(found: Sequence[api.Series]) -> list[Series]:
    return [Series(one.labels, [(at.timestamp(), value) for at, value in one.points]) for one in found]


def matcher(selector: str, suffix: str) -> tuple[Callable[[Mapping[str, str]], bool], str]:
    """Whether labels match a selector, and the name of its metric."""
    from opsproof.probes.metrics.readings import label_test

    parsed: Any = parsed_selector(selector)
    tests = [(one.name, *label_test(one)) for one in parsed.matchers.matchers]

    def matches(labels: Mapping[str, str]) -> bool:
        return all((pattern.fullmatch(labels.get(name, "")) is not None) is wanted for name, pattern, wanted in tests)

    return matches, parsed.name + suffix
