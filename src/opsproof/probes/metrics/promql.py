"""PromQL of the structured forms: increases that count every event once."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from opsproof.profile.numbers import MetricForm, Quantile, Ratio
from opsproof.profile.scalars import duration_text, seconds
from opsproof.profile.selectors import parsed_promql, parsed_selector

PART = "opsproof_part"
"""Label by which the two sums of a ratio are told apart, and what cannot be seen."""

UNSEEN = "unseen"


def compiled(form: MetricForm, labels: Mapping[str, str]) -> str:
    """
    The PromQL of a form; its answer is what `forms` computes with.

    `increase()` alone misses the first events of a series that is born in the window: the first error of a counter that
    did not exist before counts as none. So a series that was not there at the window's beginning counts with all it
    has, also when it is gone again, provided that its target was scraped well then, or was started since. (Where
    neither is known, as after a failed scrape or in a store without `up`, `increase()` has to do.) A series that was
    born and then reset counts with its smallest value and its increase: too little by what it was born with at most.

    A series that was there at the beginning and is there now, and was not reset, counts with the difference: exact, and
    of the same stretch as what was born. `increase()` would extrapolate it, and a share of the two would be too small.

    Args:
        form: What is asked.
        labels: Narrow every selector.

    Returns:
        For a ratio both sums, told apart by the label `opsproof_part`; for a quantile the increase of each bucket, by
        `le`; else one sum. No series at all gives no sum.
    """
    window = duration_text(form.window)
    if isinstance(form, Ratio):
        parts = {name: increases(narrowed(getattr(form, name), labels), window) for name in ("of", "over")}
        return " or ".join(f'label_replace(sum({text}), "{PART}", "{name}", "", "")' for name, text in parts.items())
    if isinstance(form, Quantile):
        return f"sum by (le) ({increases(narrowed(form.of, labels, '_bucket'), window)})"
    return f"sum({increases(narrowed(form.of, labels), window)})"


def increases(selector: str, window: str) -> str:
    """
    PromQL of the increase of every series that a selector matches.

    Args:
        selector: As PromQL writes it.
        window: A duration as PromQL writes it.
    """
    within = f"{selector}[{window}]"
    kept = f"(({selector} - {selector} offset {window}) >= 0 unless resets({within}) > 0)"
    return f"({_births(selector, window)} or {kept} or increase({within}))"


def unseen(selector: str, window: str) -> str:
    """
    PromQL that counts the series whose increase cannot be seen in a window, as it holds one sample of each at most.

    A series that was born in the window is seen, as it counts whole. There is no answer as soon as one series has two
    samples. The answer is told apart by the label `opsproof_part`.
    """
    longest = f"max(count_over_time({selector}[{window}]))"
    count = f"count({selector} unless {_births(selector, window)}) unless {longest} > 1"
    return f'label_replace({count}, "{PART}", "{UNSEEN}", "", "")'


def _births(selector: str, window: str) -> str:
    """PromQL of the series that were not there at the window's beginning, with all that they have."""
    within = f"{selector}[{window}]"
    whole = f"(last_over_time({within}) unless resets({within}) > 0)"
    whole_after_reset = f"(increase({within}) + min_over_time({within}))"
    started = f"last_over_time(process_start_time_seconds[{window}]) > time() - {seconds(window):g}"
    watched = f"(up offset {window} == 1 or {started})"
    return f"((({whole} or {whole_after_reset}) unless {selector} offset {window}) and on (job, instance) {watched})"


def narrowed(selector: str, labels: Mapping[str, str], suffix: str = "") -> str:
    """A selector with more labels to match, and a suffix behind its name."""
    parsed = parsed_selector(selector)
    matchers = [f"{one.name}{_operator(one)}{_quoted(one.value)}" for one in parsed.matchers.matchers]
    matchers += [f"{name}={_quoted(value)}" for name, value in labels.items()]
    return f"{parsed.name}{suffix}{{{', '.join(matchers)}}}"


def selectors(promql: str) -> list[str]:
    """The selectors of an expression, each once, without offset; none of those that ask for absence."""
    return list(dict.fromkeys(_selectors(parsed_promql(promql))))


def ranges(promql: str) -> list[float]:
    """Seconds that an expression looks back, one for each range in it."""
    return list(_ranges(parsed_promql(promql)))


def _ranges(node: Any) -> Iterator[float]:
    import promql_parser as parser

    match node:
        case parser.MatrixSelector():
            yield _seconds(node.range)
        case parser.SubqueryExpr():
            yield _seconds(node.range)
            yield from _ranges(node.expr)
        case parser.Call():
            for argument in node.args:
                yield from _ranges(argument)
        case parser.BinaryExpr():
            yield from _ranges(node.lhs)
            yield from _ranges(node.rhs)
        case parser.AggregateExpr() | parser.ParenExpr() | parser.UnaryExpr():
            yield from _ranges(node.expr)


def _seconds(length: timedelta | None) -> float:
    return length.total_seconds() if length else 0.0


def _selectors(node: Any) -> Iterator[str]:
    import promql_parser as parser

    match node:
        case parser.VectorSelector():
            matchers = [f"{one.name}{_operator(one)}{_quoted(one.value)}" for one in node.matchers.matchers]
            yield f"{node.name or ''}{{{', '.join(matchers)}}}"
        case parser.MatrixSelector():
            yield from _selectors(node.vector_selector)
        case parser.Call():
            if not node.func.name.startswith("absent"):
                for argument in node.args:
                    yield from _selectors(argument)
        case parser.BinaryExpr():
            yield from _selectors(node.lhs)
            yield from _selectors(node.rhs)
        case parser.AggregateExpr() | parser.ParenExpr() | parser.UnaryExpr() | parser.SubqueryExpr():
            yield from _selectors(node.expr)


def _operator(matcher: Any) -> str:
    import promql_parser as parser

    ops = (
        (parser.MatchOp.Equal, "="),
        (parser.MatchOp.NotEqual, "!="),
        (parser.MatchOp.Re, "=~"),
        (parser.MatchOp.NotRe, "!~"),
    )
    return next(text for op, text in ops if op == matcher.op)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
