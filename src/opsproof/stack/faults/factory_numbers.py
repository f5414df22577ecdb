"""What tells that factory-ai's numbers over a window of 10 s are as a fault makes them, or well again."""

import math
from collections.abc import Callable

from opsproof.stack.faults.metrics_seen import Numbers, shown, total
from opsproof.stack.faults.seen import Seen

Holds = Callable[[float], bool]

SYSTEM = "factory-ai"
EXECUTIONS = "/api/v1/judgment/executions"
_ON = f'system="{SYSTEM}"'


def _grown(before: Numbers, after: Numbers, name: str, **labels: str) -> float:
    """By how much a counter has grown; one that is not there is 0."""
    then, now = total(before, name, **labels), total(after, name, **labels)
    return 0.0 if math.isnan(now) else now - (0.0 if math.isnan(then) else then)


def _share(of: str, over: str, holds: Holds, *labels: dict[str, str]) -> Seen:
    """The share of one counter's growth in another's; `labels` are the alternatives of what is counted as `of`."""
    wanted = labels or ({},)
    selectors = [",".join([_ON, *(f'{label}="{value}"' for label, value in one.items())]) for one in wanted]
    counted = " + ".join(f"(sum(rate({of}{{{selector}}}[10s])) or vector(0))" for selector in selectors)

    def scraped(before: Numbers, after: Numbers) -> float:
        whole = _grown(before, after, over)
        return sum(_grown(before, after, of, **one) for one in wanted) / whole if whole else math.nan

    return shown(f"({counted}) / sum(rate({over}{{{_ON}}}[10s]))", holds, scraped=scraped)


def p95(name: str, holds: Holds, **labels: str) -> Seen:
    """A 95th percentile; `labels` are those of the slow series, whose mean has to do where there is no Prometheus."""

    def mean(before: Numbers, after: Numbers) -> float:
        count = _grown(before, after, f"{name}_count", **labels)
        return _grown(before, after, f"{name}_sum", **labels) / count if count else math.nan

    buckets = f'sum by (le) (rate({name}_bucket{{{_ON},path!~"/metrics|/health.*"}}[10s]))'
    return shown(f"histogram_quantile(0.95, {buckets})", holds, scraped=mean)


def errors(holds: Holds) -> Seen:
    """The share of answers with 5xx, of a window of 10 s as all of these."""
    return _share("http_requests_total", "http_requests_total", holds, {"status": "500"}, {"status": "503"})


def unavailable(holds: Holds) -> Seen:
    """The share of all answers that are judgments refused with 503."""
    return _share("http_requests_total", "http_requests_total", holds, {"status": "503", "path": EXECUTIONS})


def llm_failures(holds: Holds) -> Seen:
    """The share of the model's calls that fail."""
    return _share("llm_call_failures_total", "llm_calls_total", holds)


def nonsense(holds: Holds) -> Seen:
    """The share of the model's answers that cannot be parsed."""
    return _share("llm_parsing_failures_total", "llm_calls_total", holds)


def mcp_timeouts(holds: Holds) -> Seen:
    """The share of the MCP hub's calls that time out."""
    return _share("mcp_call_timeouts_total", "mcp_calls_total", holds)


def misses(holds: Holds) -> Seen:
    """Misses for each hit: more than 1.5 are less than 40 % hits."""
    return _share("judgment_cache_misses_total", "judgment_cache_hits_total", holds)


def cost(holds: Holds) -> Seen:
    """What the model cost in the window, in US dollars."""
    promql = f"sum(increase(llm_cost_usd_total{{{_ON}}}[10s]))"
    return shown(promql, holds, scraped=lambda before, after: _grown(before, after, "llm_cost_usd_total"))
