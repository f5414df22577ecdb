"""What tells that a fault shows in the numbers: the Prometheus of the stack is asked, or else the service itself."""

import math
import time
from collections.abc import Callable
from urllib.parse import quote

from opsproof.stack.ask import ask
from opsproof.stack.faults.seen import Seen, answer_of
from opsproof.stack.stack import Stack

SPAN_SECONDS = 4.0

Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


def shown(promql: str, holds: Callable[[float], bool], *, scraped: Callable[[Numbers, Numbers], float]) -> Seen:
    """
    A number over time is seen to be as the fault makes it.

    Args:
        promql: What Prometheus is asked.
        holds: Whether the number shows the fault; a number that is not there does not.
        scraped: The same from two readings of the service's own /metrics, where the stack has no Prometheus.
    """

    def seen(stack: Stack, system: str) -> bool:
        if stack.variables.get("PROMETHEUS_URL"):
            return _holds(holds, _asked(stack, promql))
        before = numbers(stack, system)
        time.sleep(SPAN_SECONDS)
        return _holds(holds, scraped(before, numbers(stack, system)))

    return seen


def gauge(name: str, holds: Callable[[float], bool], *, system: str, **labels: str) -> Seen:
    """The sum of a system's gauge over all its series is seen to be as the fault makes it."""
    selector = ",".join(f'{label}="{value}"' for label, value in {"system": system, **labels}.items())

    def seen(stack: Stack, system: str) -> bool:
        # Both: what the checks read is a scrape behind what the service says.
        there = _holds(holds, total(numbers(stack, system), name, **labels))
        return there and (
            not stack.variables.get("PROMETHEUS_URL") or _holds(holds, _asked(stack, f"sum({name}{{{selector}}})"))
        )

    return seen


def started(stack: Stack, system: str, *, changes: str = "") -> float:
    """
    When the system's API was started, as Prometheus has seen it; NaN if it has not.

    Args:
        changes: A duration as PromQL writes it: how often it was started in that time, instead.
    """
    series = f'process_start_time_seconds{{system="{system}"}}'
    return _asked(stack, f"sum(changes({series}[{changes}]))" if changes else f"sum({series})")


def numbers(stack: Stack, system: str) -> Numbers:
    """Every sample of the service's /metrics, by name and labels; empty when it does not answer."""
    from prometheus_client.parser import text_string_to_metric_families

    answer = answer_of(stack, system, "/metrics")
    if answer is None or answer.status != 200:
        return {}
    families = text_string_to_metric_families(answer.body.decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def total(found: Numbers, name: str, **labels: str) -> float:
    """The sum of the samples of a name that have these labels; NaN if there is none."""
    values = [value for (known, its), value in found.items() if known == name and labels.items() <= dict(its).items()]
    return sum(values) if values else math.nan


def _holds(holds: Callable[[float], bool], value: float) -> bool:
    return not math.isnan(value) and holds(value)


def _asked(stack: Stack, promql: str) -> float:
    answer = ask(f"{stack.variables['PROMETHEUS_URL']}/api/v1/query?query={quote(promql)}")
    found = answer.json() if answer and answer.status == 200 else None
    result = found["data"]["result"] if isinstance(found, dict) else []
    return float(result[0]["value"][1]) if len(result) == 1 else math.nan
