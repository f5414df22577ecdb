"""The named faults of the ops assistant that a defect or an ended part makes: one entry each."""

import math
from typing import Any

from opsproof.stack.ask import ask
from opsproof.stack.faults import assistant_seen, seen
from opsproof.stack.faults.assistant_seen import in_numbers, says, tool_errors
from opsproof.stack.faults.defects import Defect
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.logs_seen import logged
from opsproof.stack.faults.metrics_seen import SPAN_SECONDS, Numbers, shown, total
from opsproof.stack.faults.processes import PartStopped
from opsproof.stack.faults.seen import Seen
from opsproof.stack.faults.shown import Shown
from opsproof.stack.parts.ops_assistant import POOL_SIZE, ExternalApi
from opsproof.stack.stack import Stack

ASSISTANT = frozenset({"ops-assistant"})
_DATA = "/api/ops/data/*"
_SHARE_OF_DATA = 10 / 16
"""Ten of sixteen visits of the users ask for pages of data."""

_SELECTOR = 'system="ops-assistant",path!~"/metrics|/health.*"'
_RUSH: dict[str, Any] = {"users_per_second": 100, "users_of": sorted(ASSISTANT)}
_SLOW_TOOL_SECONDS = 5.0
_USUAL_P95 = 1.0
"""Below it the numbers are well again."""

_RISE = '20 * max(deriv(process_resident_memory_bytes{system="ops-assistant"}[20s]))'
_STEEP_BYTES = 70e6


def _defect(name: str, title: str, seen: Seen, *, group: str = "answers", **defects: Any) -> Fault:
    return Defect(f"ops-{name}", title, ASSISTANT, defects, seen, group=group)


def _page_answers(status: int) -> Seen:
    return seen.status({"ops-assistant": "/api/ops/data/cost_list"}, status, role="READER")


def _share_of(status: str, more_than: float) -> Seen:
    promql = (
        f'sum(rate(http_requests_total{{{_SELECTOR},status=~"{status}"}}[10s]))'
        f" / sum(rate(http_requests_total{{{_SELECTOR}}}[10s]))"
    )
    return in_numbers(promql, more_than=more_than, otherwise=_page_answers(int(status)))


def _p95_over(seconds: float) -> Seen:
    promql = f"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{{_SELECTOR}}}[10s])))"
    return in_numbers(promql, more_than=seconds, otherwise=seen.slow({"ops-assistant": "/api/ops/data/cost_list"}))


def _more(before: Numbers, now: Numbers, name: str, **labels: str) -> float:
    return total(now, name, **labels) - total(before, name, **labels)


def _misses(before: Numbers, now: Numbers) -> float:
    pages = _more(before, now, "ops_cache_requests_total")
    return _more(before, now, "ops_cache_requests_total", result="miss") / pages if pages else math.nan


def _risen(before: Numbers, now: Numbers) -> float:
    return _more(before, now, "process_resident_memory_bytes") * 20 / SPAN_SECONDS


def _misses_over(share: float) -> Seen:
    promql = (
        'sum(rate(ops_cache_requests_total{system="ops-assistant",result="miss"}[10s]))'
        ' / sum(rate(ops_cache_requests_total{system="ops-assistant"}[10s]))'
    )
    return shown(promql, lambda misses: misses > share, scraped=_misses)


def _errors(percent: int) -> Fault:
    fault = _defect(
        f"errors-{percent}",
        f"{percent} % of all answers are 500",
        _share_of("500", percent / 200),
        status=[{"path": _DATA, "status": 500, "share": percent / 100 / _SHARE_OF_DATA}],
        **_RUSH,
    )
    return Shown(fault, _share_of("500", 0))


def _slow(milliseconds: int) -> Fault:
    fault = _defect(
        f"slow-{milliseconds}ms",
        f"pages of data come {milliseconds} ms late",
        _p95_over(milliseconds / 1000 * 0.85),
        slow=[{"path": _DATA, "seconds": milliseconds / 1000}],
    )
    return Shown(fault, _p95_over(_USUAL_P95))


def _external(name: str, title: str, seen: Seen, **defects: Any) -> Fault:
    return _defect(f"external-{name}", title, seen, group="external", assistant={"external": defects})


ANSWERS: tuple[Fault, ...] = (
    _defect(
        "wrong-answer",
        "the total cost is said to be 1000, by another plan and another tool path",
        assistant_seen.fired("Plan Intent Shift"),
        assistant={"wrong_answer": True},
    ),
    _defect(
        "trace-without-tools",
        "traces do not tell their tool calls",
        assistant_seen.fired("Tool Path Changes"),
        assistant={"drop_trace_fields": ["tool_calls"]},
    ),
    _defect(
        "permission-denied",
        "callers who may ask get 403",
        in_numbers(
            f'sum(rate(http_requests_total{{{_SELECTOR},path="/api/ops/ask",status="403"}}[10s]))',
            otherwise=seen.status({"ops-assistant": "/api/ops/ask"}, 403, role="OPERATOR"),
        ),
        status=[{"path": "/api/ops/ask", "status": 403}],
        **_RUSH,
    ),
    _defect(
        "page-missing",
        "/admin/settings answers 404",
        seen.status({"ops-assistant": "/admin/settings"}, 404, role="ADMIN"),
        status=[{"path": "/admin/settings", "status": 404}],
    ),
    _defect(
        "health-degraded",
        "/health says that the database is degraded, with HTTP 200",
        says("/health", lambda found: "degraded" in found["database"]["status"]),
        assistant={"database_degraded": True},
    ),
)

NUMBERS: tuple[Fault, ...] = (
    _errors(2),
    _errors(6),
    _slow(2500),
    Shown(
        _defect(
            "cache-misses",
            "of ten pages of data, three come from the cache",
            _misses_over(0.5),
            assistant={"cache_miss_share": 0.7},
        ),
        _misses_over(0.19),
    ),
    _defect(
        "memory-full",
        "the API really has 93 % of the memory that it may have",
        says("/api/ops/resources", lambda found: found["memory_share"] >= 0.93),
        assistant={"fill_memory_share": 0.93},
    ),
    _defect(
        "memory-leak",
        "the API keeps 5 MB more each second, and gives none back",
        shown(_RISE, lambda rise: rise > _STEEP_BYTES, scraped=_risen),
        assistant={"leaks_memory": True},
    ),
    Shown(
        _defect(
            "memory-errors",
            "pages of data end in a real MemoryError",
            _share_of("500", 0),
            assistant={"memory_errors": True},
        ),
        logged("MemoryError"),
    ),
    _defect(
        "pool-overflow",
        f"{POOL_SIZE + 5} connections are in use, {POOL_SIZE} are the pool's size",
        says("/health", lambda found: found["database"]["active_connections"] >= POOL_SIZE + 5),
        group="database",
        hold_overflow=5,
    ),
    _defect(
        "log-database",
        "the log says that the database does not answer",
        logged("database connection timeout"),
        group="logs",
        log_lines=["database connection timeout"],
    ),
)


def _open_incident(stack: Stack, system: str) -> bool:
    found = _ask_external(stack, "/status")
    return bool(found and found.get("incidents"))


def _is_unhealthy(stack: Stack, system: str) -> bool:
    found = _ask_external(stack, "/health")
    return found is not None and found.get("status") != "healthy"


def _ask_external(stack: Stack, path: str) -> dict[str, Any] | None:
    answer = ask(f"{stack.variables['OPS_ASSISTANT_EXTERNAL_URL']}{path}")
    found = answer.json() if answer else None
    return found if isinstance(found, dict) else None


EXTERNAL: tuple[Fault, ...] = (
    Shown(
        PartStopped(
            "ops-external-stopped",
            "the external API has ended; connections are refused",
            ASSISTANT,
            (ExternalApi.name,),
        ),
        tool_errors("unreachable"),
    ),
    _external("502", "the external API answers 502", tool_errors("http_5xx"), status=502),
    _external(
        "slow", "the external API answers later than a tool waits", tool_errors("timeout"), seconds=_SLOW_TOOL_SECONDS
    ),
    _external("key-refused", "the external API refuses our key with 401", tool_errors("denied"), status=401),
    _external("forbidden", "the external API refuses our key's scope with 403", tool_errors("denied"), status=403),
    _external("quota-used-up", "the external API's quota is used up (429)", tool_errors("other"), remaining=0),
    _external("unhealthy", "the external API's health page answers 503", _is_unhealthy, health_status=503),
    _external(
        "incident", "the external API's status page tells of an incident", _open_incident, incident="slow answers"
    ),
)
