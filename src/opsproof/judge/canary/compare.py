"""
The canary against the baseline.

Counts are compared by exact conditional tests (is it worse?) and by the score interval of Miettinen and Nurminen
(1985) on the difference or the ratio of the shares (by how much?). Sampled numbers are compared by the test of Mann,
Whitney and Wilcoxon, with the chance that a sample of the canary is the larger one and the shift of Hodges and Lehmann
(1963). "Worse" always means larger.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from opsproof.judge.statistics.ranks import larger, rank_test, shift
from opsproof.judge.statistics.scores import By, base_with_difference, score_bound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FEWEST_SAMPLES = 5
"""Of each side. Two samples against two call a good canary bad in one of five watches."""
_PLENTY = 50


@dataclass(frozen=True, slots=True)
class Tolerance:
    """
    How much worse than the baseline the canary may be.

    Attributes:
        by: `difference` in the number itself (a share of 0.002; 50 ms), or `ratio` to the baseline (1.5).
        value: At least 0; at least 1 for a ratio.

    Raises:
        ValueError: If it is less.
    """

    by: By = "difference"
    value: float = 0.0

    def __post_init__(self) -> None:
        least = 1.0 if self.by == "ratio" else 0.0
        if not self.value >= least:
            raise ValueError(f"a tolerance by {self.by} is at least {least:g}, not {self.value:g}")


class Standing(StrEnum):
    """How the canary stands to the baseline, or a share to its limit."""

    WORSE = "worse"
    FINE = "fine"
    OPEN = "open"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Compared:
    """
    Canary and baseline.

    Attributes:
        standing: `worse` than the tolerance allows, surely; `fine`: surely not; `open`: neither; or `too_few` samples.
        tolerance: What was allowed.
        canary: Its share, or its median; NaN if there is none.
        baseline: The same of the baseline.
        effect: Difference or ratio (as the tolerance has it) of the shares; the shift for samples, ratio of the medians
            with a tolerance by ratio. NaN if it can't be told.
        lower: One-sided bound of the effect that a call of `worse` needs.
        upper: One-sided bound of the effect that a call of `fine` needs.
        p_worse: Probability of such numbers, were the canary as good as the tolerance demands.
        risk: What `p_worse` was held against.
        chance: For samples: the chance that one of the canary is larger than one of the baseline, half of the equal
            ones included; 0.5 if they are alike. Twice that less 1 is the rank-biserial correlation.
        more_needed: Samples that are missing on the side that has fewer.
    """

    standing: Standing
    tolerance: Tolerance
    canary: float
    baseline: float
    effect: float
    lower: float
    upper: float
    p_worse: float
    risk: float
    chance: float | None = None
    more_needed: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """
    Requests and how many of them failed.

    Attributes:
        k: Failures, at least.
        n: Requests.
        most: Failures, at most, where that is not the same (a limit between two edges of a histogram).
    """

    k: float
    n: float
    most: float | None = None

    @property
    def highest(self) -> float:
        """Failures, at most, and no more than requests."""
        return min(self.n, self.k if self.most is None else self.most)

    @property
    def lowest(self) -> float:
        """Failures, at least, and no more than requests."""
        return min(self.n, self.k)


def compare_counts(
    canary: Counts, baseline: Counts, tolerance: Tolerance, *, risk: float, confidence: float, bursts: float = 1.0
) -> Compared:
    """
    Is the share of failures of the canary worse than that of the baseline?

    Without a tolerance by Fisher's exact test, one-sided. With one by how many of all failures the canary has, were its
    share so many times larger: exact for rare failures, cautious for frequent ones. A difference is made such a factor
    at the shares that are the likeliest with just that difference. Fine needs the upper score bound at or below the
    tolerance.

    Args:
        canary: Its counts.
        baseline: The same of the baseline, over the same time.
        tolerance: What is allowed.
        risk: How often, at most, a canary within the tolerance may be called worse.
        confidence: Of a call of `fine`, one-sided.
        bursts: By how much failures come in bursts; all counts tell as if they were so many times smaller.
    """
    if canary.n <= 0 or baseline.n <= 0:
        few = Standing.TOO_FEW
        nan = math.nan
        return Compared(few, tolerance, _share(canary), _share(baseline), nan, nan, nan, nan, risk, more_needed=1)
    requests = canary.n / bursts, baseline.n / bursts
    low = (canary.lowest / bursts, requests[0], baseline.highest / bursts, requests[1])
    high = (canary.highest / bursts, requests[0], baseline.lowest / bursts, requests[1])
    lower, upper = score_bound(*low, tolerance.by, risk), score_bound(*high, tolerance.by, confidence)
    p_worse = _p_worse(*low, tolerance)
    worse = p_worse <= risk
    fine = not worse and upper <= tolerance.value
    standing = Standing.WORSE if worse else Standing.FINE if fine else Standing.OPEN
    ours, theirs = _share(canary), _share(baseline)
    effect = ours - theirs if tolerance.by == "difference" else _ratio(ours, theirs)
    return Compared(standing, tolerance, ours, theirs, effect, lower, upper, p_worse, risk)


def fisher_worse(k: "Array | float", n: "Array | float", base_k: "Array | float", base_n: "Array | float") -> "Array":
    """
    Fisher's exact test, one-sided: how often the canary would have so many of the failures, were both alike.

    Args:
        k: Failures of the canary; a number or an array. Fractions are rounded against a finding.
        n: Requests of the canary.
        base_k: Failures of the baseline.
        base_n: Requests of the baseline.
    """
    import numpy as np
    from scipy.stats import hypergeom

    k, n = np.floor(k), np.ceil(n)
    base_k, base_n = np.ceil(base_k), np.ceil(base_n)
    return np.asarray(np.where(k > 0, hypergeom.sf(k - 1, n + base_n, k + base_k, n), 1.0))


def compare_samples(
    canary: "Sequence[float] | Array",
    baseline: "Sequence[float] | Array",
    tolerance: Tolerance,
    *,
    risk: float,
    confidence: float,
) -> Compared:
    """
    Are the sampled numbers of the canary larger than those of the baseline?

    The test is of the numbers with the tolerance taken off those of the canary. What is not worse is fine only if the
    opposite test says so with the confidence. Samples must be independent (`series.apart`).

    Args:
        canary: Its samples.
        baseline: Those of the baseline.
        tolerance: What is allowed.
        risk: How often, at most, a canary within the tolerance may be called worse.
        confidence: Of a call of `fine`, one-sided.

    Returns:
        What was found; `too_few` below five samples of a side, or where even the clearest difference would not be rarer
        than the risk.
    """

    ours, theirs = (_rising(side) for side in (canary, baseline))
    medians = (_median(ours), _median(theirs))
    lacking = _lacking(len(ours), len(theirs), risk)
    if lacking:
        nan = math.nan
        return Compared(Standing.TOO_FEW, tolerance, *medians, nan, nan, nan, nan, risk, more_needed=lacking)
    held = ours - tolerance.value if tolerance.by == "difference" else ours / tolerance.value
    p_worse, p_fine = rank_test(held, theirs)
    worse, fine = p_worse <= risk, p_fine <= 1 - confidence
    standing = Standing.WORSE if worse else Standing.FINE if fine else Standing.OPEN
    if tolerance.by == "difference":
        effect, lower, upper = shift(ours, theirs, risk, 1 - confidence)
    else:
        effect, lower, upper = _factor(ours, theirs, risk, 1 - confidence)
    chance = larger(ours, theirs) / (len(ours) * len(theirs))
    return Compared(standing, tolerance, *medians, effect, lower, upper, p_worse, risk, chance=chance)


def _lacking(m: int, n: int, risk: float) -> int:
    """Samples that are missing on the smaller side before a difference could be called at this risk."""
    smaller, larger = sorted((m, n))
    larger = max(larger, FEWEST_SAMPLES)
    at = max(smaller, FEWEST_SAMPLES)
    while at < _PLENTY and math.comb(at + min(max(at, larger), _PLENTY), at) < 1 / risk:
        at += 1
    return at - smaller


def _rising(samples: "Sequence[float] | Array") -> "Array":
    import numpy as np

    rising = np.asarray(samples, float)
    return rising if (rising[1:] >= rising[:-1]).all() else np.sort(rising)


def _median(samples: "Array") -> float:
    import numpy as np

    return float(np.quantile(samples, 0.5)) if len(samples) else math.nan


def _share(counts: Counts) -> float:
    return counts.lowest / counts.n if counts.n > 0 else math.nan


def _ratio(one: float, other: float) -> float:
    if other:
        return one / other
    return math.inf if one > 0 else math.nan


def _factor(ours: "Array", theirs: "Array", risk_lower: float, risk_upper: float) -> tuple[float, float, float]:
    """The shift as a ratio, where all samples are above 0; else the ratio of the medians, without bounds."""
    import numpy as np

    if min(ours.min(), theirs.min()) <= 0:
        return _ratio(_median(ours), _median(theirs)), math.nan, math.nan
    effect, lower, upper = (math.exp(x) for x in shift(np.log(ours), np.log(theirs), risk_lower, risk_upper))
    return effect, lower, upper


def _p_worse(k: float, n: float, base_k: float, base_n: float, tolerance: Tolerance) -> float:
    """How often a canary that is just within the tolerance would have so many of the failures."""
    from scipy.special import betainc

    if tolerance.value == (1.0 if tolerance.by == "ratio" else 0.0):
        return float(fisher_worse(k, n, base_k, base_n))
    if k <= 0:
        return 1.0
    if tolerance.by == "ratio":
        mine, theirs = tolerance.value * n, base_n
    else:
        share = base_with_difference(k, n, base_k, base_n, tolerance.value)
        mine, theirs = (share + tolerance.value) * n, share * base_n
    return float(betainc(k, base_k + 1, mine / (mine + theirs)))
