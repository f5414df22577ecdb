"""
Looking again and again: bounds that stay right however often and whenever one looks.

A 95 % bound is wrong once in twenty looks; six looks at 5 % are a false alarm in a quarter of all watches. For one
share against its limit the bound here is always-valid: the evidence is how much better a mixture of worse shares
explains the counts than the limit does, which by Ville's inequality exceeds 1 / risk in at most `risk` of all watches
of a canary at the limit or below, at any time. It needs no plan and no memory: counts so far are enough, so a watch
that missed looks, or was started again, or is replayed, stays right. The mixture is a beta distribution around three
times the limit (a third of it for the other side), cut off at the limit: the faults that a canary is for.

For tests that have no such form (canary against baseline) the risk is dealt out: half for the planned end, the rest in
equal parts to the looks before it (Bonferroni), which is right whatever the looks have to do with each other.

Why these, and what they cost: docs/decisions/0006-canary.md.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Side = Callable[[Any, Any, float], Any]
_WORSE = 3.0
_WEIGHT = 2.0
_STEPS = 50


def evidence_above(k: "Array | float", n: "Array | float", limit: float) -> "Array":
    """
    How much the counts speak for a share above the limit.

    Args:
        k: Failures so far; a number or an array.
        n: Requests so far.
        limit: A share between 0 and 1.

    Returns:
        The natural logarithm of the evidence. A share at the limit or below reaches log(1 / risk) at any look with a
        probability of at most `risk`.
    """
    return _evidence(k, n, limit, _above)


def evidence_below(k: "Array | float", n: "Array | float", limit: float) -> "Array":
    """How much the counts speak for a share below the limit; see `evidence_above`."""
    return _evidence(k, n, limit, _below)


def lower_always(k: float, n: float, risk: float) -> float:
    """
    The share that is at least behind `k` of `n`, at every look of a watch at once.

    Args:
        k: Failures so far.
        n: Requests so far.
        risk: How often, at most, it may be wrong at any look of a watch.

    Returns:
        The least share that the evidence does not speak against; 0 if nothing failed.
    """
    if k <= 0 or n <= 0:
        return 0.0
    k = min(k, n)
    wanted = -math.log(risk)
    low, high = 0.0, min(k / n, 1 - 1e-12)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _above(k, n, middle) >= wanted else (low, middle)
        if high - low <= 1e-4 * high:
            break
    return low


def upper_always(k: float, n: float, risk: float) -> float:
    """The share that is at most behind `k` of `n`, at every look at once; 1 if nothing was asked."""
    if n <= 0 or k >= n:
        return 1.0
    wanted = -math.log(risk)
    low, high = max(k / n, 1e-12), 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _below(k, n, middle) >= wanted else (middle, high)
        if high - low <= 1e-4 * high:
            break
    return high


def dealt(risk: float, looks: int, *, final: bool) -> float:
    """
    The part of a risk that one look may take.

    Args:
        risk: Of the whole watch.
        looks: How many are planned, the last one included.
        final: True for the last one, which takes half (all, if it is the only one).
    """
    if looks < 2:
        return risk
    return risk / 2 if final else risk / 2 / (looks - 1)


def _evidence(k: "Array | float", n: "Array | float", limit: float, side: Side) -> "Array":
    import numpy as np

    requests = np.asarray(n, float)
    return np.asarray(side(np.minimum(k, requests), requests, limit))


def _above(k: Any, n: Any, limit: float) -> Any:
    from scipy.special import betainc, betaln

    a, b = _WEIGHT, _WEIGHT / (_WORSE * limit)
    mixture = betaln(k + a, n - k + b) - betaln(a, b) - math.log(betainc(b, a, 1 - limit))
    return mixture + _log(betainc(n - k + b, k + a, 1 - limit)) - k * math.log(limit) - (n - k) * math.log1p(-limit)


def _below(k: Any, n: Any, limit: float) -> Any:
    from scipy.special import betainc, betaln

    a, b = 1.0, _WORSE / limit
    mixture = betaln(k + a, n - k + b) - betaln(a, b) - math.log(betainc(a, b, limit))
    return mixture + _log(betainc(k + a, n - k + b, limit)) - k * math.log(limit) - (n - k) * math.log1p(-limit)


def _log(share: Any) -> Any:
    import numpy as np

    with np.errstate(divide="ignore"):
        return np.log(share)
