"""
How much counters went up between two times, over all series of a query, pooled: events, not a rate.

Prometheus' `rate` and `increase` compare samples inside of the range only and stretch the result to its ends. A series
that is born with 30 counts as 0 there, though it has just told of 30 errors. Here:

- the count begins at the last sample at or before the start and ends at the last sample at or before the end. Nothing
  is stretched: requests of the last scrape interval are counted by the next look;
- a value that falls is a restart (same labels, new process): all of the new value has come since;
- a series that has no sample before the start and was not there at the start is born in the window (a label that was
  never used, a new pod): its first value has come since, too;
- a series that has no sample before the start, but one within a scrape interval of it, was there: unless other series
  show that the data reach back to the start, in which case it is a birth like any other;
- a pod that vanishes keeps what it counted; one that vanished before the start counts nothing;
- a hole (a failed scrape, a restart of Prometheus) loses nothing while the counter goes on, as the next sample holds it
  all. Where the last sample before the start is older than a hole, it would bring in what came before the
  start: the count then begins at the first sample in the window.
  Holes are told, because a restart within one can hide: the counter may have passed its old value again.

Where no series at all has a sample around the start (`blind`), a birth cannot be told from a hole over the start: a
canary that has just begun, or a Prometheus that was away. Whoever knows which of them it is decides whether to use it.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from operator import sub

from opsproof.judge.canary.series import Series

HOLE_SCRAPES = 3.5
"""Scrape intervals from which on two neighbouring samples have a hole between them."""


@dataclass(frozen=True, slots=True)
class Increase:
    """
    What was counted.

    Attributes:
        count: Events, over all series.
        births: Series that were born in the window.
        resets: How often a counter began again, over all series: a restart of a process resets each of its series.
        restarts: How often that of one series did, at most: so often a process began again, at least.
        holes: Holes, over all series.
        missing_s: Seconds of holes, of the series that has most of them.
        until: Unix seconds of the newest sample; None if no series has one in the window.
        blind: True if no series shows that the data reach back to the start.
    """

    count: float
    births: int = 0
    resets: int = 0
    restarts: int = 0
    holes: int = 0
    missing_s: float = 0.0
    until: float | None = None
    blind: bool = False


def increase(series: Iterable[Series], start: float, end: float, *, scrape_s: float) -> Increase:
    """
    Count what has come between two times.

    Args:
        series: All series of a counter, with some scrape intervals before the start, so that what was there is seen.
        start: Unix seconds; samples at it belong to what was before.
        end: Unix seconds; samples at it count.
        scrape_s: Seconds from scrape to scrape.
    """
    lines = [_Line(one, start, end) for one in series]
    reach = HOLE_SCRAPES * scrape_s
    known = any(line.before is not None and start - line.before[0] <= reach for line in lines)
    count, births, resets, restarts, holes, missing = 0.0, 0, 0, 0, 0, 0.0
    for line in lines:
        if not line.times:
            continue
        times, values, lost = line.times, line.values, 0.0
        if line.before is None:
            if known or times[0] > start + scrape_s:
                count += values[0]
                births += 1
        elif start - line.before[0] <= reach:
            times, values = [line.before[0], *times], [line.before[1], *values]
        else:
            holes += 1
            lost = times[0] - start
        count += values[-1] - values[0]
        if values != sorted(values):
            lost_values = [earlier for earlier, value in pairwise(values) if value < earlier]
            count += sum(lost_values)
            resets += len(lost_values)
            restarts = max(restarts, len(lost_values))
        gaps = list(map(sub, times[1:], times))
        if gaps and max(gaps) > reach:
            for gap, at in zip(gaps, times, strict=False):
                if gap > reach:
                    holes += 1
                    lost += at + gap - max(at, start)
        missing = max(missing, lost)
    present = known or any(line.times and line.times[0] <= start + scrape_s for line in lines)
    return Increase(
        count=count,
        births=births,
        resets=resets,
        restarts=restarts,
        holes=holes,
        missing_s=missing,
        until=max((line.times[-1] for line in lines if line.times), default=None),
        blind=not present,
    )


class _Line:
    """The samples of a series that matter: the last one up to the start, and those in the window."""

    __slots__ = ("before", "times", "values")

    def __init__(self, series: Series, start: float, end: float) -> None:
        points = series.points
        times, values = [at for at, _ in points], [value for _, value in points]
        if not math.isfinite(sum(values)):
            times = [at for at, value in points if math.isfinite(value)]
            values = [value for value in values if math.isfinite(value)]
        first, last = bisect_right(times, start), bisect_right(times, end)
        self.before = (times[first - 1], values[first - 1]) if first else None
        self.times, self.values = times[first:last], values[first:last]
