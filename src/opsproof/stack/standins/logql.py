"""
The part of LogQL that the stand-in of Loki understands; everything else is refused, never guessed.

A log query is a stream selector, `{job=~"web-.*", system="shop"}`, and any number of stages behind it:

- line filters: `|= "text"`, `!= "text"`, `|~ "regular expression"`, `!~ "regular expression"`
- `| json`, which makes a label of every field of the line (`http.status` is `http_status`; lists are left out)
- label filters: `| level="error"` with `=`, `!=`, `=~`, `!~`; `| status >= 500` with `=`, `==`, `!=`, `>`, `>=`, `<`,
  `<=` and a plain number (no durations, no bytes, no `and`, no `or`)

A metric query is `count_over_time(LOG_QUERY[5m])` or `rate(LOG_QUERY[5m])`, or `sum(...)`, `sum by (label) (...)`,
`sum(...) by (label)` of one. Regular expressions are RE2's: look-around, back references and the like are refused.
(https://grafana.com/docs/loki/latest/query/)
"""

import re
from typing import NamedTuple, NoReturn

from opsproof.profile.scalars import seconds
from opsproof.stack.standins.pipeline import (
    Json,
    LabelNumber,
    LabelText,
    LineFilter,
    LogQuery,
    MetricQuery,
    Stage,
    Test,
)
from opsproof.stack.standins.quoted import unquoted

_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    | (?P<range>\[\s*\d+(?:\.\d+)?(?:ms|s|m|h|d)\s*\])
    | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign>\|=|\|~|!=|!~|=~|==|>=|<=|[{}(),|=<>])
    | (?P<space>\s+)
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_NOT_RE2 = re.compile(r"\(\?(?:<?[=!]|[>(#])|\(\?P[=>]|\\[1-9]|(?:[*+?]|\{\d+(?:,\d*)?\})[*+]")
_LINE_SIGNS = ("|=", "|~", "!=", "!~")
_TEXT_SIGNS = ("=", "!=", "=~", "!~")
_NUMBER_SIGNS = ("=", "==", "!=", ">", ">=", "<", "<=")


class ParseError(ValueError):
    """The query is wrong, or not of the part of LogQL that is understood."""


def parse(text: str) -> LogQuery | MetricQuery:
    """
    Read a query.

    Raises:
        ParseError: It is something else than what the module's text names.
    """
    reader = _Reader(text)
    query = reader.log_query() if reader.sees("{") else reader.metric_query()
    reader.end()
    return query


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


class _Reader:
    def __init__(self, text: str) -> None:
        found = [_Token(str(one.lastgroup), one[0], one.start() + 1) for one in _TOKEN.finditer(text)]
        self._tokens = [one for one in found if one.kind != "space"]
        self._tokens.append(_Token("end", "end of the query", len(text) + 1))
        self._at = 0

    def sees(self, *texts: str) -> bool:
        token = self._tokens[self._at]
        return token.kind in ("sign", "name") and token.text in texts

    def end(self) -> None:
        if self._tokens[self._at].kind != "end":
            self._refuse()

    def metric_query(self) -> MetricQuery:
        if not self._took("sum"):
            return self._over_time()
        by = self._by()
        self._take("(")
        inner = self._over_time()
        self._take(")")
        return MetricQuery(inner.log, inner.window, rate=inner.rate, by=(by if by is not None else self._by()) or ())

    def log_query(self) -> LogQuery:
        self._take("{")
        matchers = [self._matcher()]
        while self._took(","):
            matchers.append(self._matcher())
        self._take("}")
        if not any(test.sign in ("=", "=~") and not test.holds("") for _, test in matchers):
            raise ParseError(
                "parse error : queries require at least one regexp or equality matcher that does not have an "
                'empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will'
            )
        stages: list[Stage] = []
        while self.sees("|", *_LINE_SIGNS):
            stages.append(self._stage())
        return LogQuery(tuple(matchers), tuple(stages))

    def _over_time(self) -> MetricQuery:
        if not self.sees("count_over_time", "rate"):
            self._refuse()
        rate = self._next().text == "rate"
        self._take("(")
        log = self.log_query()
        if self._tokens[self._at].kind != "range":
            self._refuse()
        window = seconds(self._next().text.strip("[] \t\n"))
        if not window:
            self._refuse()
        self._take(")")
        return MetricQuery(log, window, rate=rate, by=None)

    def _by(self) -> tuple[str, ...] | None:
        if not self._took("by"):
            return None
        self._take("(")
        names = [self._name()]
        while self._took(","):
            names.append(self._name())
        self._take(")")
        return tuple(names)

    def _matcher(self) -> tuple[str, Test]:
        name = self._name()
        if not self.sees(*_TEXT_SIGNS):
            self._refuse()
        return name, self._test(self._next().text)

    def _stage(self) -> Stage:
        if self.sees(*_LINE_SIGNS):
            return LineFilter(self._test(self._next().text))
        self._take("|")
        name = self._name()
        if name == "json" and not self.sees(*_TEXT_SIGNS, *_NUMBER_SIGNS):
            return Json()
        if self.sees(*_NUMBER_SIGNS) and self._tokens[self._at + 1].kind == "number":
            return LabelNumber(name, self._next().text, float(self._next().text))
        if not self.sees(*_TEXT_SIGNS):
            self._at -= 1
            self._refuse()
        return LabelText(name, self._test(self._next().text))

    def _test(self, sign: str) -> Test:
        token = self._tokens[self._at]
        if token.kind != "string":
            self._refuse()
        try:
            text = unquoted(token.text)
            if "~" in sign:
                if _NOT_RE2.search(text):
                    raise ValueError("invalid or unsupported Perl syntax")
                re.compile(text, re.ASCII)
        except (ValueError, re.error, OverflowError) as exc:
            raise ParseError(f"parse error at line 1, col {token.column}: {token.text}: {exc}") from None
        self._at += 1
        return Test(sign, text)

    def _name(self) -> str:
        if self._tokens[self._at].kind != "name":
            self._refuse()
        return self._next().text

    def _next(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _took(self, text: str) -> bool:
        if self.sees(text):
            self._at += 1
            return True
        return False

    def _take(self, text: str) -> None:
        if not self._took(text):
            self._refuse()

    def _refuse(self) -> NoReturn:
        token = self._tokens[self._at]
        raise ParseError(
            f"parse error at line 1, col {token.column}: syntax error: unexpected {token.text[:60]} "
            "(or this stand-in of Loki does not know it)"
        )
