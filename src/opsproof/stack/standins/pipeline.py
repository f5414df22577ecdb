"""
What a LogQL query does with streams and lines: stages that keep, drop or label a line, and counts over them.

As in Loki a line that a stage cannot read is not dropped. It gets the label `__error__`, and fails a metric query if no
label filter on `__error__` took it out.
"""

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

_ERROR = "__error__"
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class Stage(Protocol):
    """A step of a log query."""

    def passes(self, line: str, labels: dict[str, str]) -> bool:
        """Whether the line goes on; it may change the labels that the line has from here on."""


@dataclass(frozen=True)
class Test:
    """A condition on a text: what it does (`=`, `!=`, `=~`, `!~`, or `|=`, `|~`) and what it compares with."""

    sign: str
    text: str

    def holds(self, value: str) -> bool:
        """Whether a label's value passes; a regular expression is about all of it."""
        found = re.fullmatch(self.text, value, re.ASCII) is not None if "~" in self.sign else value == self.text
        return found != self.sign.startswith("!")


@dataclass(frozen=True)
class LineFilter:
    """`|= "text"` and its like."""

    test: Test

    def passes(self, line: str, labels: dict[str, str]) -> bool:
        """Whether the text is somewhere in the line."""
        text = self.test.text
        found = re.search(text, line, re.ASCII) is not None if "~" in self.test.sign else text in line
        return found != self.test.sign.startswith("!")


@dataclass(frozen=True)
class Json:
    """`| json`: the fields of the line become labels."""

    def passes(self, line: str, labels: dict[str, str]) -> bool:
        """Always; a line that is no JSON object is marked."""
        try:
            found = json.loads(line, parse_int=str, parse_float=str, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            labels[_ERROR] = "JSONParserErr"
            return True
        stream = set(labels)
        for name, value in _flat(found, ""):
            labels.setdefault(f"{name}_extracted" if name in stream else name, value)
        return True


@dataclass(frozen=True)
class LabelText:
    """`| level="error"`."""

    name: str
    test: Test

    def passes(self, line: str, labels: dict[str, str]) -> bool:
        """Whether the label's value passes; a label that is not there is empty."""
        return self.test.holds(labels.get(self.name, ""))


@dataclass(frozen=True)
class LabelNumber:
    """`| status >= 500`."""

    name: str
    sign: str
    number: float

    def passes(self, line: str, labels: dict[str, str]) -> bool:
        """Whether the label's value passes; what is no number is marked, and a line without the label is dropped."""
        if _ERROR in labels:
            return True
        if self.name not in labels:
            return False
        try:
            value = float(labels[self.name])
        except ValueError:
            labels[_ERROR] = "LabelFilterErr"
            return True
        return _COMPARISONS[self.sign](value, self.number)


@dataclass(frozen=True)
class LogQuery:
    """Streams by their labels, and stages for their lines."""

    matchers: tuple[tuple[str, Test], ...]
    stages: tuple[Stage, ...]

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether a stream is asked about."""
        return all(test.holds(labels.get(name, "")) for name, test in self.matchers)

    def labels_of(self, line: str, stream: Mapping[str, str]) -> dict[str, str] | None:
        """The labels of a line that is asked for, and None for another."""
        labels = dict(stream)
        return labels if all(stage.passes(line, labels) for stage in self.stages) else None


@dataclass(frozen=True)
class MetricQuery:
    """
    How many lines of a log query came in the last `window` seconds.

    Attributes:
        rate: True for the number in a second.
        by: Labels that the sums keep; none for one sum of all, and None for no sum.
    """

    log: LogQuery
    window: float
    rate: bool
    by: tuple[str, ...] | None

    def group(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels of the number that a line with these labels counts to."""
        if self.by is None:
            return dict(labels)
        return {name: labels[name] for name in self.by if labels.get(name)}

    def number(self, lines: int) -> str:
        """A count as the API writes it."""
        value = lines / self.window if self.rate else lines
        return str(int(value)) if value == int(value) else repr(value)


def failed(labels: Mapping[str, str]) -> str:
    """The words of Loki for a metric query over a line that a stage could not read; nothing if all could."""
    if _ERROR not in labels:
        return ""
    series = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in sorted(labels.items()))
    return (
        f"pipeline error: '{labels[_ERROR]}' for series: '{{{series}}}'.\n"
        f'Use a label filter to intentionally skip this error. (e.g | __error__!="{labels[_ERROR]}").'
    )


def _flat(value: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, part in value.items():
        name = re.sub(r"\W", "_", prefix + key, flags=re.ASCII)
        if isinstance(part, dict):
            yield from _flat(part, f"{name}_")
        elif isinstance(part, bool):
            yield name, str(part).lower()
        elif isinstance(part, str):
            yield name, part


def _no_constant(text: str) -> str:
    raise ValueError(f"{text} is no JSON")
