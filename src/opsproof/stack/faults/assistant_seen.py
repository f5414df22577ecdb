"""What tells, from outside, that the ops assistant answers wrongly."""

import math
from collections.abc import Callable
from typing import Any

from opsproof.stack.faults.metrics_seen import shown
from opsproof.stack.faults.seen import Seen, answer_of
from opsproof.stack.stack import Stack


def says(path: str, holds: Callable[[Any], bool], *, role: str = "OPERATOR") -> Seen:
    """The JSON answer to a path is as the fault makes it."""

    def seen(stack: Stack, system: str) -> bool:
        answer = answer_of(stack, system, path, role=role)
        found = answer.json() if answer is not None and answer.status == 200 else None
        return found is not None and holds(found)

    return seen


def in_numbers(promql: str, *, more_than: float = 0.0, otherwise: Seen) -> Seen:
    """
    A number of the last seconds is more than a limit, so that it is gone only when the window is clean again.

    Args:
        otherwise: What is looked at where the stack has no Prometheus.
    """
    in_prometheus = shown(promql, lambda value: value > more_than, scraped=lambda before, now: math.nan)

    def seen(stack: Stack, system: str) -> bool:
        return (in_prometheus if stack.variables.get("PROMETHEUS_URL") else otherwise)(stack, system)

    return seen


def tool_fails_with(kind: str) -> Seen:
    """The newest trace that asked the external API has a tool error of this type."""
    return says(
        "/api/ops/traces/latest?query=transactions",
        lambda trace: any(call["error"] and call["error"]["type"] == kind for call in trace.get("tool_calls", ())),
    )


def row_ratio_is(holds: Callable[[float], bool]) -> Seen:
    """The lowest share of the baseline's rows that a golden query still has."""
    return says("/api/ops/regression", lambda found: holds(found["lowest_row_ratio"]))


def fired(rule: str) -> Seen:
    """A rule of root cause analysis fires."""
    return says("/api/ops/rca", lambda found: any(one["rule"] == rule for one in found["fired"]))


def tool_errors(kind: str) -> Seen:
    """Tool calls fail with errors of this type; and did in the last seconds, where there is a Prometheus."""
    promql = f'sum(increase(ops_tool_errors_total{{system="ops-assistant",type="{kind}"}}[10s]))'
    return in_numbers(promql, otherwise=tool_fails_with(kind))
