"""
The part of LogQL that the stand-in of Loki understands; everything else is refused, never guessed.

A log query is a stream selector, `{job=~"web-.*", system="shop"}`, and any number of line filters behind it:
`|= "text"`, `!= "text"`, `|~ "regular expression"`, `!~ "regular expression"`. A metric query is
`count_over_time(LOG_QUERY[5m])`, or `sum(...)` of it. (https://grafana.com/docs/loki/latest/query/)
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from opsproof.profile.scalars import seconds

_STRING = r'"(?:[^"\\]|\\.)*"|`[^`]*`'
_MATCHER = re.compile(rf"\s*([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*({_STRING})\s*")
_FILTER = re.compile(rf"\s*(\|=|\|~|!=|!~)\s*({_STRING})")
_COUNT = re.compile(
    r"\s*(?P<sum>sum\s*\(\s*)?count_over_time\s*\((?P<log>.*)\[(?P<window>[0-9.]+[a-z]+)\]\s*\)(?P<end>\s*\)?)\s*",
    re.DOTALL,
)


class ParseError(ValueError):
    """The query is not of the part of LogQL that is understood."""


@dataclass(frozen=True)
class Test:
    """One condition on a text: `=` or `|=` and so on, and what it compares with."""

    operator: str
    text: str

    def holds(self, value: str) -> bool:
        """Whether a label's value or a line passes."""
        match self.operator:
            case "=":
                return value == self.text
            case "|=":
                return self.text in value
            case "!=":
                return value != self.text
            case "=~":
                return re.fullmatch(self.text, value) is not None
            case "!~":
                return re.fullmatch(self.text, value) is None
            case "|~":
                return re.search(self.text, value) is not None
            case "not |=":
                return self.text not in value
            case _:
                return re.search(self.text, value) is None


@dataclass(frozen=True)
class LogQuery:
    """Streams by their labels, and lines by their text."""

    matchers: tuple[tuple[str, Test], ...]
    filters: tuple[Test, ...]

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether a stream is asked about."""
        return all(test.holds(labels.get(name, "")) for name, test in self.matchers)

    def passes(self, line: str) -> bool:
        """Whether a line is asked for."""
        return all(test.holds(line) for test in self.filters)


@dataclass(frozen=True)
class CountQuery:
    """How many lines of a log query came in the last `window` seconds; one number for all streams if `summed`."""

    log: LogQuery
    window: float
    summed: bool


def parse(text: str) -> LogQuery | CountQuery:
    """
    Read a query.

    Raises:
        ParseError: It is something else than what the module's text names.
    """
    count = _COUNT.fullmatch(text)
    if count is None:
        return _log_query(text)
    if bool(count["sum"]) != bool(count["end"].strip()):
        raise ParseError("parse error: unbalanced parentheses")
    try:
        window = seconds(count["window"])
    except ValueError as exc:
        raise ParseError(f"parse error: {exc}") from None
    return CountQuery(_log_query(count["log"]), window, bool(count["sum"]))


def _log_query(text: str) -> LogQuery:
    body = text.strip()
    if not body.startswith("{") or "}" not in body:
        raise ParseError(f"parse error: expected a stream selector or count_over_time(...), and not: {body[:80]}")
    matchers, at = [], 1
    while match := _MATCHER.match(body, at):
        matchers.append((match[1], _test(match[2], match[3])))
        at = match.end()
        if body[at : at + 1] != ",":
            break
        at += 1
    if body[at : at + 1] != "}" or not matchers:
        raise ParseError(f"parse error: unexpected {body[at : at + 20]!r} in the stream selector")
    at += 1
    filters = []
    while match := _FILTER.match(body, at):
        operator = "not |=" if match[1] == "!=" else "not |~" if match[1] == "!~" else match[1]
        filters.append(_test(operator, match[2]))
        at = match.end()
    if rest := body[at:].strip():
        raise ParseError(f"parse error: this stand-in of Loki does not know {rest[:60]!r}")
    return LogQuery(tuple(matchers), tuple(filters))


def _test(operator: str, quoted: str) -> Test:
    try:
        text = quoted[1:-1] if quoted.startswith("`") else str(json.loads(quoted))
        if "~" in operator:
            re.compile(text)
    except (ValueError, re.error) as exc:
        raise ParseError(f"parse error: {quoted}: {exc}") from None
    return Test(operator, text)
