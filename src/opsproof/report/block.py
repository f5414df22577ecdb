"""A line of the block that the terminal and summary.md show of a canary, a benchmark or a rehearsal."""

from typing import Generic, NamedTuple, TypeVar

Means = TypeVar("Means")


class Row(NamedTuple, Generic[Means]):
    """
    One line.

    Attributes:
        label: What it is about: the name of a criterion or gate, or RTO.
        text: What there is to say, on one line.
        means: What that speaks for, or proves.
    """

    label: str
    text: str
    means: Means
