"""A reading of a service's own metrics, and what increased between two of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opsproof.probes.exposition import samples
from opsproof.profile.selectors import parsed_selector

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Reading:
    """
    One reading: values by name and labels.

    Attributes:
        values: By name of the sample, then by labels.
    """

    values: Mapping[str, Mapping[Labels, float]]

    @classmethod
    def of(cls, text: str) -> "Reading":
        """
        Read an exposition.

        Raises:
            NotExposition: The text is something else, or tells no metric at all.
        """
        values: dict[str, dict[Labels, float]] = {}
        for name, labels, value in samples(text):
            values.setdefault(name, {})[frozenset(labels.items())] = value
        return cls(values)


def increases(
    before: Reading, after: Reading, selector: str, suffix: str = ""
) -> Iterator[tuple[Mapping[str, str], float]]:
    """
    What increased between two readings, series by series.

    A series that was not there before counts with all it has; one that is smaller than before was reset and counts with
    what it has since.

    Args:
        before: The first reading.
        after: The second reading.
        selector: Which series, as PromQL writes it.
        suffix: Behind the selector's name: `_bucket`.
    """
    parsed = parsed_selector(selector)
    matchers = [(one.name, *label_test(one)) for one in parsed.matchers.matchers]
    earlier = before.values.get(parsed.name + suffix, {})
    for labels, value in after.values.get(parsed.name + suffix, {}).items():
        known = dict(labels)
        if all((pattern.fullmatch(known.get(name, "")) is not None) is wanted for name, pattern, wanted in matchers):
            was = earlier.get(labels, 0.0)
            yield known, value if value < was else value - was


def label_test(matcher: Any) -> tuple[re.Pattern[str], bool]:
    """The pattern that a label is held against by a parsed matcher, and whether it must match."""
    import promql_parser as parser

    exact = matcher.op in (parser.MatchOp.Equal, parser.MatchOp.NotEqual)
    pattern = re.compile(re.escape(matcher.value) if exact else matcher.value, re.DOTALL)
    return pattern, matcher.op in (parser.MatchOp.Equal, parser.MatchOp.Re)
