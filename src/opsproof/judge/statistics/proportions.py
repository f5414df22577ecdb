"""
Shares from counts, with exact one-sided bounds (Clopper and Pearson 1934): right for any number of requests.

Counts may be fractions (a Prometheus counter is a float); more failures than requests, which two scrapes apart can
show, count as all of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

Part = TypeVar("Part")

MOST_NEEDED = 1_000_000_000
"""Requests beyond which it is said that no number of them is enough."""
FEWEST_FOR_BURSTS = 5
"""Failures from which on it can be said that they come in bursts."""
SURE_OF_BURSTS = 0.01
FEWEST_BLOCKS = 10
"""Of a window, from which on it can be said how much they differ."""


def upper(k: float, n: float, confidence: float) -> float:
    """
    The share that is at most behind `k` of `n`, said with this confidence.

    Args:
        k: Failures.
        n: Requests.
        confidence: Of the bound, one-sided: 0.95.

    Returns:
        A share; 1 if nothing was asked.
    """
    from scipy.special import betaincinv

    return float(betaincinv(k + 1, n - k, confidence)) if k < n else 1.0


def lower(k: float, n: float, confidence: float) -> float:
    """The share that is at least behind `k` of `n`; see `upper`. 0 if nothing failed."""
    from scipy.special import betaincinv

    k = min(k, n)
    return float(betaincinv(k, n - k + 1, 1 - confidence)) if k > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Needed:
    """
    How many more requests would decide it.

    Attributes:
        without_failure: If not one of them fails.
        at_this_rate: If as large a share of them fails as so far; None if no number would do.
    """

    without_failure: int
    at_this_rate: int | None


def needed(k: float, n: float, limit: float, confidence: float) -> Needed:
    """
    How many more requests there must be until the upper bound is below the limit.

    Args:
        k: Failures so far.
        n: Requests so far.
        limit: The share to be below, more than 0.
        confidence: Of the bound, one-sided.

    Raises:
        ValueError: If no share can be below the limit.
    """
    from scipy.special import betainc

    if limit <= 0:
        raise ValueError(f"no share is below a limit of {limit:g}")

    def enough(failures: float, requests: float) -> bool:
        """The upper bound is below the limit."""
        return failures < requests and bool(betainc(failures + 1, requests - failures, limit) > confidence)

    without = _least(lambda more: enough(k, n + more))
    rate = k / n if n > 0 else 0.0
    at_rate = None if rate >= limit else _least(lambda more: enough(k + rate * more, n + more))
    return Needed(MOST_NEEDED if without is None else without, at_rate)


def _least(enough: Callable[[int], bool]) -> int | None:
    """The least number from 0 on that is enough, where every larger one is, too."""
    if enough(0):
        return 0
    short, least = 0, 1
    while not enough(least):
        short, least = least, 2 * least
        if least > MOST_NEEDED:
            return None
    while least - short > 1:
        middle = (short + least) // 2
        short, least = (short, middle) if enough(middle) else (middle, least)
    return least


def burstiness(parts: Sequence[tuple[float, float]]) -> float:
    """
    How much more the failures of the parts of a window differ than those of independent requests would.

    Requests that fail together (one bad minute, one bad pod) tell less than as many that fail each on its own: about as
    much as counts that are so many times smaller. This is Pearson's chi-squared by its degrees of freedom.

    Args:
        parts: Failures and requests of each part, the parts being of about the same length.

    Returns:
        1 if nothing speaks for bursts with 99 % confidence, or there are fewer than five failures; else more than 1.
    """
    from scipy.special import chdtrc

    asked = [(k, n) for k, n in parts if n > 0]
    failures, requests = sum(k for k, _ in asked), sum(n for _, n in asked)
    if len(asked) < 2 or not FEWEST_FOR_BURSTS <= failures < requests:
        return 1.0
    share = failures / requests
    chi = sum((k - n * share) ** 2 / (n * share * (1 - share)) for k, n in asked)
    freedom = len(asked) - 1
    return chi / freedom if chdtrc(freedom, chi) < SURE_OF_BURSTS else 1.0


def long_bursts(parts: Sequence[tuple[float, float]]) -> float:
    """
    `burstiness` of a window whose bad times may last longer than one of its parts: the largest of those of its parts,
    and of blocks of two, four, eight ... of them, while there are ten.

    A bad time that lasts for several parts makes each of them like the one before: one part tells nothing new then, and
    only blocks that are longer than bad times are independent (batch means).
    """
    return max(
        burstiness([(sum(k for k, _ in block), sum(n for _, n in block)) for block in one]) for one in blocks(parts)
    )


def blocks(parts: Sequence[Part]) -> Iterator[list[Sequence[Part]]]:
    """The parts one by one, then by two, by four ..., while there are ten blocks; a rest that fills none is out."""
    size = 1
    while size == 1 or len(parts) // size >= FEWEST_BLOCKS:
        yield [parts[at : at + size] for at in range(0, len(parts) - size + 1, size)]
        size *= 2
