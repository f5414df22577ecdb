"""
"p95 < 2.5 s" from the counts of a histogram, exactly: the share of requests slower than 2.5 s is below 5 %.

A quantile out of buckets is an interpolation, but how many requests were slower than a bucket's edge is a count. With
an edge at the limit the answer is exact. With the limit between two edges there are two counts: the fewest that can
have been slower (all of that bucket were faster) and the most. A limit above the last finite edge can't be judged at
all: a quantile from such buckets is never above that edge, and the criterion would never fail.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsproof.judge.canary.counters import Increase, increase
from opsproof.judge.canary.series import Series


class BeyondBuckets(ValueError):
    """The limit is above the last finite edge of the histogram, or it has none."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """
    Requests of a window by how long they took.

    Attributes:
        edges: Upper edges, rising; the last one is infinite.
        counts: Requests up to each edge; never falling.
        dips: Edges at which fewer requests were counted than at a lower one, which was mended: the buckets of a scrape
            are not read at one moment.
    """

    edges: tuple[float, ...]
    counts: tuple[float, ...]
    dips: int = 0

    @property
    def total(self) -> float:
        """All requests."""
        return self.counts[-1] if self.counts else 0.0


@dataclass(frozen=True, slots=True)
class Slow:
    """
    How many requests were slower than a limit.

    Attributes:
        fewest: At least so many: those slower than `above`.
        most: At most so many: those slower than `below`.
        total: All requests.
        below: The edge at or below the limit; 0 if the limit is in the first bucket.
        above: The edge at or above it. The same as `below` if the limit is an edge.
    """

    fewest: float
    most: float
    total: float
    below: float
    above: float

    @property
    def exact(self) -> bool:
        """True if the limit is an edge."""
        return self.below == self.above


@dataclass(frozen=True, slots=True)
class Quantile:
    """
    A quantile, to be shown, not to be judged.

    Attributes:
        q: Which: 0.95.
        value: The estimate; None if there is none, or it is above the last finite edge.
        low: What it is at least: the lower edge of its bucket.
        high: What it is at most: the upper edge; infinite beyond the last finite one.
    """

    q: float
    value: float | None
    low: float
    high: float


def buckets_of(counts: Mapping[str, float]) -> Buckets:
    """
    Buckets from counts by their `le` label.

    Args:
        counts: Requests up to each edge, by label: "2.5", "2.50" and "+Inf" as exporters write them. Labels that are
            the same number are added up.

    Raises:
        ValueError: If a label or a count is not a number, or there is no `+Inf`, without which nobody knows how many
            there were.
    """
    added: dict[float, float] = defaultdict(float)
    for label, count in counts.items():
        added[float(label)] += count
    if not all(map(math.isfinite, added.values())):
        raise ValueError(f"a bucket has no number of requests: {dict(counts)}")
    if not counts:
        return Buckets((math.inf,), (0.0,))
    if math.inf not in added:
        raise ValueError(f'the histogram has no bucket le="+Inf", only {", ".join(sorted(counts))}')
    edges = tuple(sorted(added))
    dips, most, rising = 0, 0.0, []
    for edge in edges:
        dips += added[edge] < most
        most = max(most, added[edge])
        rising.append(most)
    return Buckets(edges, tuple(rising), dips)


def increased_buckets(
    series: Iterable[Series], start: float, end: float, *, scrape_s: float
) -> tuple[Buckets, dict[str, Increase]]:
    """
    The buckets of a window, from all `_bucket` series, with any number of pods.

    Args:
        series: Series with the label `le`.
        start: Unix seconds.
        end: Unix seconds.
        scrape_s: Seconds from scrape to scrape.

    Returns:
        The buckets, and what was counted of each by its `le` label: births, resets, holes.

    Raises:
        ValueError: If a series has no `le`, or see `buckets_of`.
    """
    by_edge: dict[str, list[Series]] = defaultdict(list)
    for one in series:
        if "le" not in one.labels:
            raise ValueError(f"a series without the label le is no bucket of a histogram: {dict(one.labels)}")
        by_edge[one.labels["le"]].append(one)
    counted = {label: increase(lines, start, end, scrape_s=scrape_s) for label, lines in by_edge.items()}
    return buckets_of({label: one.count for label, one in counted.items()}), counted


def slower(buckets: Buckets, limit: float) -> Slow:
    """
    How many requests were slower than a limit.

    Args:
        buckets: Of the window.
        limit: In the unit of the edges, mostly seconds.

    Raises:
        BeyondBuckets: If the limit is above the last finite edge.
    """
    finite = buckets.edges[:-1]
    if not finite or (limit > finite[-1] and not _same(limit, finite[-1])):
        last = f"{finite[-1]:g}" if finite else "missing"
        raise BeyondBuckets(f"the limit {limit:g} is above the last finite bucket edge, which is {last}")
    below, under = 0.0, 0.0
    for edge, count in zip(buckets.edges, buckets.counts, strict=True):
        slow = buckets.total - count
        if _same(edge, limit):
            return Slow(slow, slow, buckets.total, edge, edge)
        if edge > limit:
            return Slow(slow, buckets.total - under, buckets.total, below, edge)
        below, under = edge, count
    raise AssertionError("the last edge is infinite")


def quantile_of(buckets: Buckets, q: float) -> Quantile:
    """
    Estimate a quantile as Prometheus does: requests of a bucket lie evenly between its edges.

    Args:
        buckets: Of the window.
        q: More than 0, less than 1.
    """
    rank = q * buckets.total
    low, under = 0.0, 0.0
    if buckets.total:
        for edge, count in zip(buckets.edges, buckets.counts, strict=True):
            if count >= rank:
                value = None if math.isinf(edge) else low + (edge - low) * (rank - under) / (count - under)
                return Quantile(q, value, low, edge)
            low, under = edge, count
    return Quantile(q, None, 0.0, math.inf)


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9)
