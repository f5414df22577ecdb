"""
How long requests took: counts by narrow classes, and those that had not ended.

A request that was still waiting at the end took at least as long as it had waited. It counts as that long where that is
already too slow, and as endless where a gate would be passed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsproof.judge.statistics.ranks import rank_below

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Slow:
    """
    Requests that were slower than a limit.

    Attributes:
        fewest: At least so many.
        most: At most so many: those in the class of the limit, and what had not ended, included.
    """

    fewest: float
    most: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """
    A number with its bounds, each one-sided.

    Attributes:
        value: The number; infinite if it is among what had not ended.
        lower: What it is at least; -inf if there are too few requests to say.
        upper: What it is at most; inf if there are too few, or it may be among what had not ended.
    """

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Times:
    """
    Times of requests, in seconds.

    Attributes:
        low: The least time of each class, rising.
        high: The largest of each class.
        counts: Requests in each.
        ages: Of requests that had not ended: how long they had waited, rising.
    """

    low: Array
    high: Array
    counts: Array
    ages: Array

    @property
    def total(self) -> int:
        """All requests, ended or not."""
        return int(self.counts.sum()) + len(self.ages)

    def slower(self, limit: float) -> Slow:
        """How many were slower than a limit in seconds."""
        fewest = self.counts[self.low > limit].sum() + (self.ages > limit).sum()
        most = self.counts[self.high > limit].sum() + len(self.ages)
        return Slow(float(fewest), float(most))

    def quantile(self, q: float, *, confidence: float, bursts: float = 1.0) -> Estimate:
        """
        A quantile, and its bounds by the ranks of the requests, whatever the distribution.

        Args:
            q: More than 0, less than 1.
            confidence: Of each bound.
            bursts: So many times fewer requests would tell as much, if each were independent of the others.
        """
        import numpy as np

        n = self.total
        if not n:
            return Estimate(math.nan, -math.inf, math.inf)
        middles = (self.low + self.high) / 2
        at_least = np.concatenate([middles, self.ages])
        counts = np.concatenate([self.counts, np.ones(len(self.ages))])
        order = np.argsort(at_least, kind="stable")
        ranks = counts[order].cumsum()
        ended = self.counts.cumsum()
        risk = 1 - confidence
        telling = max(1, math.floor(n / bursts))
        below, above = rank_below(telling, q, risk), rank_below(telling, 1 - q, risk)
        low = math.floor(below * n / telling) if below >= 0 else -1
        high = n - 1 - math.floor(above * n / telling) if above >= 0 else n

        def at_rank(rank: int) -> float:
            return float(at_least[order][ranks.searchsorted(rank, side="right")])

        def ended_at_rank(rank: int) -> float:
            place = int(ended.searchsorted(rank, side="right"))
            return float(middles[place]) if place < len(middles) else math.inf

        return Estimate(
            ended_at_rank(min(n - 1, max(0, math.ceil(q * n - _ROUNDING) - 1))),
            at_rank(low) if low >= 0 else -math.inf,
            ended_at_rank(high) if high < n else math.inf,
        )

    def deviation(self) -> float:
        """By how much the times of what ended differ: their standard deviation; 0 without one."""
        import numpy as np

        if not self.counts.sum():
            return 0.0
        middles = (self.low + self.high) / 2
        mean = np.average(middles, weights=self.counts)
        return float(np.sqrt(np.average((middles - mean) ** 2, weights=self.counts)))

    def mean(self) -> float:
        """The mean, with what had not ended at its age; NaN without a request."""
        total = self.total
        return float((self.counts * (self.low + self.high) / 2).sum() + self.ages.sum()) / total if total else math.nan
