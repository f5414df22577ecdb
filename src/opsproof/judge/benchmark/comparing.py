"""
Two benchmarks: is one worse, by how much at least and at most?

A quantile has bounds by its ranks, whatever the distribution; the bounds of a ratio or a difference follow from those
of both sides, each said with so much confidence that both together are right as often as one is meant to be. That is
cautious: it calls a difference later than a test that knew the distribution. Shares of failures are compared by the
score interval of Miettinen and Nurminen.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from opsproof.judge.benchmark.times import Estimate
from opsproof.judge.statistics.scores import By, score_bound


class Standing(StrEnum):
    """How one benchmark stands to another."""

    BETTER = "better"
    WORSE = "worse"
    OPEN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Compared:
    """
    A number of two benchmarks.

    Attributes:
        ours: Of the newer one.
        theirs: Of the earlier one.
        by: Whether the effect is a ratio or a difference.
        effect: Ours to theirs.
        lower: It is at least so much.
        upper: It is at most so much.
    """

    ours: float
    theirs: float
    by: By
    effect: float
    lower: float
    upper: float

    @property
    def standing(self) -> Standing:
        """Without a tolerance: better or worse only where that is sure."""
        alike = 1.0 if self.by == "ratio" else 0.0
        if self.lower > alike:
            return Standing.WORSE
        if self.upper < alike:
            return Standing.BETTER
        return Standing.OPEN


def compare_estimates(ours: Estimate, theirs: Estimate, by: By) -> Compared:
    """Compare two numbers by their bounds, each said with the root of the confidence that is meant."""
    return _joined(ours, theirs, by)


def compare_failures(ours: tuple[float, float], theirs: tuple[float, float], by: By, confidence: float) -> Compared:
    """
    Compare shares of failures.

    Args:
        ours: Failures and requests of the newer benchmark, made smaller by their bursts.
        theirs: The same of the earlier one.
        by: What the effect is.
        confidence: Of each bound of the effect.
    """
    mine, other = (k / n if n else math.nan for k, n in (ours, theirs))
    if not all(n for _, n in (ours, theirs)):
        return Compared(mine, other, by, math.nan, -math.inf, math.inf)
    low, high = (score_bound(*ours, *theirs, by, level) for level in (1 - confidence, confidence))
    return Compared(mine, other, by, _effect(mine, other, by), low, high)


def _joined(ours: Estimate, theirs: Estimate, by: By) -> Compared:
    if by == "difference":
        low, high = ours.lower - theirs.upper, ours.upper - theirs.lower
    else:
        low = max(0.0, ours.lower) / theirs.upper if theirs.upper > 0 else 0.0
        high = ours.upper / theirs.lower if theirs.lower > 0 else math.inf
    return Compared(ours.value, theirs.value, by, _effect(ours.value, theirs.value, by), low, high)


def _effect(ours: float, theirs: float, by: By) -> float:
    if by == "difference":
        return ours - theirs
    return ours / theirs if theirs else math.inf if ours > 0 else math.nan
