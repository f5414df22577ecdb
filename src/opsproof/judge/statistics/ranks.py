"""
Two sets of sampled numbers: is one the larger, how often, and by how much?

The test of Mann, Whitney and Wilcoxon, and the shift of Hodges and Lehmann (1963). Samples must be independent, and
sorted, the least first: sorting is most of the time that a judgement takes.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

EXACT_UP_TO = 400
"""Pairs of samples up to which the exact distribution is used, if no two samples are equal."""
_SHIFT_SAMPLES = 128


def rank_test(ours: "Array", theirs: "Array") -> tuple[float, float]:
    """
    The test of Mann, Whitney and Wilcoxon, to both sides.

    Args:
        ours: At least one sample, rising.
        theirs: At least one sample, rising.

    Returns:
        Probabilities of numbers so much larger, and so much smaller, were both alike. Exact up to 400 pairs without
        equal samples; else the normal approximation, corrected for ties and continuity.
    """
    import numpy as np
    from scipy.special import ndtr

    m, n = len(ours), len(theirs)
    if m * n <= EXACT_UP_TO and len(np.unique(np.concatenate([ours, theirs]))) == m + n:
        from scipy.stats import mannwhitneyu

        both = (mannwhitneyu(ours, theirs, alternative=side, method="exact") for side in ("greater", "less"))
        p_larger, p_smaller = (float(one.pvalue) for one in both)
        return p_larger, p_smaller
    u = larger(ours, theirs)
    _, equal = np.unique(np.concatenate([ours, theirs]), return_counts=True)
    total = m + n
    ties = float((equal.astype(float) ** 3 - equal).sum())
    variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0, 1.0
    deviation = math.sqrt(variance)
    return float(ndtr(-(u - m * n / 2 - 0.5) / deviation)), float(ndtr((u - m * n / 2 + 0.5) / deviation))


def shift(ours: "Array", theirs: "Array", risk_lower: float, risk_upper: float) -> tuple[float, float, float]:
    """
    How much larger the canary's samples are: the median of all differences, with one-sided bounds.

    Args:
        ours: Samples of the canary, rising. Of more than 128, 128 evenly spaced ones are used; the bounds are those of
            the real numbers of samples.
        theirs: The same of the baseline.
        risk_lower: How often the lower bound may be wrong.
        risk_upper: How often the upper bound may be wrong.

    Returns:
        The shift, its lower and its upper bound; a bound is infinite where there are too few samples for it.
    """
    import numpy as np
    from scipy.special import ndtri

    m, n = len(ours), len(theirs)
    pairs = np.subtract.outer(_thin(ours), _thin(theirs)).ravel()
    spread = math.sqrt(m * n * (m + n + 1) / 12)
    places = [0.5 + float(ndtri(risk)) * spread / (m * n) for risk in (risk_lower, risk_upper)]
    low, high = (math.floor(place * pairs.size - 0.5) for place in places)
    middle, top = (pairs.size - 1) / 2, pairs.size - 1 - high
    wanted = sorted({max(0, low), math.floor(middle), math.ceil(middle), min(pairs.size - 1, top)})
    pairs.partition(wanted)
    estimate = float(pairs[math.floor(middle)] + pairs[math.ceil(middle)]) / 2
    return estimate, float(pairs[low]) if low >= 0 else -math.inf, float(pairs[top]) if high >= 0 else math.inf


def larger(ours: "Array", theirs: "Array") -> float:
    """Pairs in which the sample of the first is the larger one, equal ones by half (U). Both rising."""
    return float((theirs.searchsorted(ours, "left").sum() + theirs.searchsorted(ours, "right").sum()) / 2)


def _thin(samples: "Array") -> "Array":
    import numpy as np

    if len(samples) <= _SHIFT_SAMPLES:
        return samples
    places = (np.arange(_SHIFT_SAMPLES) + 0.5) / _SHIFT_SAMPLES * len(samples)
    return np.asarray(samples[places.astype(int)])


def quantile_bounds(samples: "Array", q: float, risk_low: float, risk_high: float) -> tuple[float, float, float]:
    """
    A quantile, and what it is at least and at most, whatever the distribution: by the counts of samples beyond.

    Args:
        samples: At least one, rising.
        q: More than 0, less than 1.
        risk_low: How often the lower bound may be wrong.
        risk_high: How often the upper bound may be wrong.

    Returns:
        Estimate, lower and upper bound; a bound is infinite where there are too few samples for it.
    """
    import numpy as np

    n = len(samples)
    low, high = rank_below(n, q, risk_low), n - 1 - rank_below(n, 1 - q, risk_high)
    return (
        float(np.quantile(samples, q)),
        float(samples[low]) if low >= 0 else -math.inf,
        float(samples[high]) if high < n else math.inf,
    )


def rank_below(n: int, share: float, risk: float) -> int:
    """
    The highest rank whose sample is above the quantile of a share as rarely as the risk, whatever the distribution.

    Args:
        n: Samples.
        share: Of the quantile: 0.95.
        risk: How often it may be above.

    Returns:
        A rank from 0 on; -1 if there are too few samples.
    """
    from scipy.special import bdtr

    short, found = -1, n
    while found - short > 1:
        middle = (short + found) // 2
        short, found = (middle, found) if bdtr(middle, n, share) <= risk else (short, middle)
    return short
