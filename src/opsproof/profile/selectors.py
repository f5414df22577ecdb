"""PromQL as a profile writes it, read by a parser before anything is asked."""

from typing import Any


def parsed_promql(text: str) -> Any:
    """
    Parse a PromQL expression.

    Raises:
        ValueError: It is no PromQL, or it cannot give a number for now.
    """
    import promql_parser as promql

    try:
        expression = promql.parse(text)
    except ValueError as exc:
        raise ValueError(f"is no PromQL: {exc}") from None
    if isinstance(expression, (promql.StringLiteral, promql.MatrixSelector, promql.SubqueryExpr)):
        raise ValueError("expected a PromQL expression that gives numbers for now, not a range or a text")
    return expression


def parsed_selector(text: str) -> Any:
    """
    Parse a selector of series: a name with label matchers and nothing else.

    Raises:
        ValueError: It is something else.
    """
    import promql_parser as promql

    expression = parsed_promql(text)
    plain = isinstance(expression, promql.VectorSelector) and expression.name
    if not plain or expression.offset is not None or expression.at is not None or expression.matchers.or_matchers:
        raise ValueError('expected a metric\'s name with label matchers: http_requests_total{status=~"5.."}')
    return expression


def labels_that_must_be(selector: Any) -> list[str]:
    """Labels that a parsed selector wants to have a value; a series without them cannot match."""
    import promql_parser as promql

    positive = (promql.MatchOp.Equal, promql.MatchOp.Re)
    return [one.name for one in selector.matchers.matchers if one.value and any(one.op == op for op in positive)]
