"""One number, and what belongs to it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """
    One number.

    Attributes:
        value: Finite.
        note: What else the answer said: warnings, partial results, the counts behind a share.
        at_least: True if the value is a lower bound: a quantile beyond the last bucket of its histogram.
    """

    value: float
    note: str = ""
    at_least: bool = False


def noted(*notes: str) -> str:
    """Notes as one text."""
    return "; ".join(filter(None, notes))
