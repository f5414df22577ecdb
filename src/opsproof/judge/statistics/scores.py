"""The score interval of Miettinen and Nurminen (1985) for the difference or the ratio of two shares."""

import math
from collections.abc import Callable
from typing import Literal

By = Literal["difference", "ratio"]
_STEPS = 40


def score(k: float, n: float, base_k: float, base_n: float, by: By, allowed: float) -> float:
    """
    By how many standard deviations the canary is beyond a difference or ratio.

    Args:
        k: Failures of the canary.
        n: Its requests, at least one.
        base_k: Failures of the baseline.
        base_n: Its requests, at least one.
        by: What `allowed` is.
        allowed: The difference or the ratio.
    """
    ours, theirs = k / n, base_k / base_n
    if by == "difference":
        at = base_with_difference(k, n, base_k, base_n, allowed)
        mine = min(1.0, at + allowed)
        distance, factor = ours - theirs - allowed, 1.0
    else:
        at = _base_with_ratio(k, n, base_k, base_n, allowed)
        mine = min(1.0, at * allowed)
        distance, factor = ours - theirs * allowed, allowed
    total = n + base_n
    variance = (mine * (1 - mine) / n + factor**2 * at * (1 - at) / base_n) * total / (total - 1)
    if variance <= 0:
        return 0.0 if abs(distance) < 1e-15 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def score_bound(k: float, n: float, base_k: float, base_n: float, by: By, level: float) -> float:
    """
    A one-sided score bound of the difference or ratio of two shares.

    Args:
        k: Failures of the canary.
        n: Its requests.
        base_k: Failures of the baseline.
        base_n: Its requests.
        by: Which of the two.
        level: Below 0.5 the lower bound, wrong so often; above 0.5 the upper one, with this confidence.
    """
    from scipy.special import ndtri

    wanted = -float(ndtri(level))
    if by == "difference":
        return _falling(lambda x: score(k, n, base_k, base_n, by, x) - wanted, -1 + 1e-9, 1 - 1e-9)
    if k <= 0 and wanted > 0:
        return 0.0
    if base_k <= 0 and wanted < 0:
        return math.inf
    return math.exp(_falling(lambda x: score(k, n, base_k, base_n, by, math.exp(x)) - wanted, -20.0, 20.0))


def _falling(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function is 0."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) > 0 else (low, middle)
    return (low + high) / 2


def base_with_difference(k: float, n: float, base_k: float, base_n: float, difference: float) -> float:
    """The likeliest share of the baseline, were the canary's larger by so much (their appendix)."""
    total = n + base_n
    a = total
    b = (n + 2 * base_n) * difference - total - k - base_k
    c = (base_n * difference - total - 2 * base_k) * difference + k + base_k
    d = base_k * difference * (1 - difference)
    q = (b / (3 * a)) ** 3 - b * c / (6 * a * a) + d / (2 * a)
    p = math.copysign(math.sqrt(max(0.0, (b / (3 * a)) ** 2 - c / (3 * a))), q)
    angle = (math.pi + math.acos(max(-1.0, min(1.0, q / p**3)))) / 3 if p else math.pi / 2
    share = 2 * p * math.cos(angle) - b / (3 * a)
    return min(max(share, 0.0, -difference), 1.0, 1.0 - difference)


def _base_with_ratio(k: float, n: float, base_k: float, base_n: float, ratio: float) -> float:
    """The same, were the canary's larger by this factor."""
    a = (n + base_n) * ratio
    b = -(n * ratio + k + base_n + base_k * ratio)
    c = k + base_k
    share = (-b - math.sqrt(max(0.0, b * b - 4 * a * c))) / (2 * a)
    return min(max(share, 0.0), 1.0, 1.0 / ratio)
