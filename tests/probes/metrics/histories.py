"""Random histories of counters, and what they increased by: what both ways of measuring are held against."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import strategies as st
from prometheus_server import LOOKBACK, Written

STEP = 15
WINDOW = 300
TICKS = WINDOW // STEP + 4
"""Scrapes of a history: those of the window, both its ends included, and three before it."""

BEGIN = 3
"""The scrape at the window's beginning."""


@dataclass(frozen=True)
class History:
    """
    One counter.

    Attributes:
        born: The scrape that sees it first; 0: it has been there for ever.
        ends: The scrape that no longer sees it.
        first: Its value at birth.
        steps: What it increases by until each scrape; None is a restart from nothing.
    """

    born: int
    ends: int
    first: int
    steps: tuple[int | None, ...]

    def values(self) -> dict[int, float]:
        """Its value at each scrape that sees it."""
        value, found = 0 if self.born else 1000, {}
        for tick in range(self.born, self.ends):
            step = self.first if tick == self.born else self.steps[tick]
            value = 0 if step is None else value + step
            found[tick] = float(value)
        return found


@dataclass(frozen=True)
class Watch:
    """
    What Prometheus knows of the target at the window's beginning.

    Attributes:
        recorded: False: there is no `up`, as in a store that is written to from elsewhere.
        failed: The scrape at the window's beginning failed; no series has a sample there.
        started: The target was started within the window, and was not scraped before.
    """

    recorded: bool = True
    failed: bool = False
    started: bool = False

    @property
    def births_count(self) -> bool:
        """Whether a series that is not there at the beginning is known to be new."""
        return self.started or (self.recorded and not self.failed)


@dataclass(frozen=True)
class Case:
    """Counters of one target; those of `errors` are also among the requests."""

    watch: Watch
    errors: tuple[History, ...]
    others: tuple[History, ...]

    def seen(self, history: History) -> dict[int, float]:
        """The values that Prometheus stores."""
        lost = {BEGIN} if self.watch.failed else set(range(BEGIN + 1)) if self.watch.started else set()
        return {tick: value for tick, value in history.values().items() if tick not in lost}


@st.composite
def histories(draw: st.DrawFn, *, hidden: bool = True) -> History:
    """A counter; without `hidden` it does nothing that two readings cannot see."""
    born = draw(st.sampled_from([0, 0, 0, *range(1, TICKS)]))
    ends = draw(st.integers(born + 1, TICKS)) if hidden and draw(st.booleans()) else TICKS
    step = st.one_of(st.just(0), st.integers(0, 9), *([st.none()] if hidden and draw(st.booleans()) else []))
    steps = draw(st.lists(step, min_size=TICKS, max_size=TICKS))
    return History(born, ends, draw(st.integers(0, 9)), tuple(steps))


@st.composite
def cases(draw: st.DrawFn, *, hidden: bool = True) -> Case:
    """A target and its counters."""
    watches = [Watch(), Watch(), Watch(recorded=False), Watch(failed=True), Watch(started=True)]
    watch = draw(st.sampled_from(watches if hidden else [Watch()]))
    return Case(
        watch,
        tuple(draw(st.lists(histories(hidden=hidden), max_size=2))),
        tuple(draw(st.lists(histories(hidden=hidden), max_size=2))),
    )


@dataclass(frozen=True)
class Truth:
    """What a counter increased by in the window, and how far from it a measurement may be, downwards and upwards."""

    increase: float
    short: float
    over: float


def truth(case: Case, history: History) -> Truth:
    """
    What a counter increased by, as far as Prometheus can know, and by how much `increase()` may differ.

    Downwards by what happened before the first sample of the window, since the last one before it: `increase()` does
    not look there, and makes up for it by extrapolation. Upwards by that extrapolation: to each end of the window where
    the nearest sample is within 1.1 steps, else half a step (promql/functions.go, extrapolatedRate). A counter that was
    born counts whole, exactly, unless it was reset after that: then it may be short of what it was born with.
    """
    seen = case.seen(history)
    inside = [tick for tick in seen if tick >= BEGIN]
    if not inside:
        return Truth(0, 0, 0)
    raw, resets = 0.0, 0
    for before, tick in pairwise(inside):
        resets += seen[tick] < seen[before]
        raw += seen[tick] - (0 if seen[tick] < seen[before] else seen[before])
    stretch = (inside[-1] - inside[0]) * STEP
    extrapolated = raw * 2.2 * STEP / stretch if stretch else 0.0
    if BEGIN in seen or not case.watch.births_count:
        return Truth(raw, 0, extrapolated)
    first = seen[inside[0]]
    return Truth(raw + first, first, extrapolated) if resets else Truth(raw + first, 0, 0)


def together(truths: Sequence[Truth]) -> Truth:
    """The sum of several counters."""
    return Truth(*(sum(getattr(one, part) for one in truths) for part in ("increase", "short", "over")))


def written(case: Case, number: int, end: float, phase: float) -> Iterator[Written]:
    """
    The samples of a case.

    Args:
        case: The case.
        number: Sets its metrics apart from those of other cases.
        end: When the window ends.
        phase: Seconds between the last scrape and the end of the window.
    """
    assert 0 <= phase < LOOKBACK < STEP
    target = {"job": "service", "instance": f"case-{number}"}
    times = [end - phase - STEP * (TICKS - 1 - tick) for tick in range(TICKS)]
    for tick, time in enumerate(times):
        if case.watch.recorded and not (case.watch.started and tick <= BEGIN):
            yield Written("up", target, time, float(not (case.watch.failed and tick == BEGIN)))
        if case.watch.started and tick > BEGIN:
            yield Written("process_start_time_seconds", target, time, end - WINDOW + 1)
    for kind, counters in (("5", case.errors), ("2", case.others)):
        for index, counter in enumerate(counters):
            labels = {**target, "status": f"{kind}0{index}"}
            for tick, value in case.seen(counter).items():
                yield Written(f"case_{number}_total", labels, times[tick], value)
