"""The named faults of what users of ingest and evaluation meet: errors, long waits; and that no system has users."""

import math
from collections.abc import Callable
from typing import Any

from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.metrics_seen import SPAN_SECONDS, Numbers, shown, total
from opsproof.stack.faults.named import EVALUATION, EVERY, INGEST
from opsproof.stack.faults.numbers import NumberDefect
from opsproof.stack.faults.seen import Seen
from opsproof.stack.services.evaluation.queue_names import JOB_ID
from opsproof.stack.services.ingest.names import ITEM_ID

_PATHS = (f"/api/v1/items/{ITEM_ID}", f"/api/v1/jobs/{JOB_ID}")
"""What only users ask for, with every fourth visit."""

_LOADED = {
    "storebridge": "/v1/quotas",
    "factory-ai": "/api/v1/learning/rulesets",
    "ops-assistant": "/api/ops/data/*",
}
"""The like of three other systems."""

_PART_OF_USERS = 4
_RUSH: dict[str, Any] = {"users_per_second": 40, "users_of": sorted(INGEST | EVALUATION)}
_REQUESTS = 'sum(rate(http_requests_total{system="SYSTEM"}[10s]))'
_VISITS = 'sum(rate(http_requests_total{system="SYSTEM",path!~"/metrics|/health.*",client!="synthetic"}[10s]))'
_ERRORS = 'sum(rate(http_requests_total{system="SYSTEM",status=~"5.."}[10s]) or vector(0))'
_P95 = """
    histogram_quantile(0.95, sum by (le) (
        rate(http_request_duration_seconds_bucket{system="SYSTEM",path!="/metrics"}[10s])))
"""


def _of(promql: str, holds: Callable[[float], bool], scraped: Callable[[Numbers, Numbers], float]) -> Seen:
    """A number of the system that is asked about."""
    return lambda stack, system: shown(promql.replace("SYSTEM", system), holds, scraped=scraped)(stack, system)


def _errors(holds: Callable[[float], bool]) -> Seen:
    def scraped(before: Numbers, after: Numbers) -> float:
        return _more(before, after, "http_requests_total", status="500") / _more(before, after, "http_requests_total")

    return _of(f"{_ERRORS} / {_REQUESTS}", holds, scraped)


def _unavailable(holds: Callable[[float], bool]) -> Seen:
    def scraped(before: Numbers, after: Numbers) -> float:
        return _more(before, after, "http_requests_total", status="503") / _more(before, after, "http_requests_total")

    return _of(f"{_ERRORS} / {_REQUESTS}", holds, scraped)


def _p95(holds: Callable[[float], bool]) -> Seen:
    def mean(before: Numbers, after: Numbers) -> float:
        """Every fourth answer is late: four times the mean is about what the late ones take."""
        name = "http_request_duration_seconds"
        return _PART_OF_USERS * _more(before, after, f"{name}_sum") / _more(before, after, f"{name}_count")

    return _of(_P95, holds, mean)


def _visits(holds: Callable[[float], bool]) -> Seen:
    def scraped(before: Numbers, after: Numbers) -> float:
        return _more(before, after, "http_requests_total", client="user") / SPAN_SECONDS

    return _of(_VISITS, holds, scraped)


def _more(before: Numbers, after: Numbers, name: str, **labels: str) -> float:
    """How much a counter grew; one that is not there has not grown."""
    values = [total(found, name, **labels) for found in (before, after)]
    return (0 if math.isnan(values[1]) else values[1]) - (0 if math.isnan(values[0]) else values[0])


NUMBERS: tuple[Fault, ...] = (
    NumberDefect(
        "error-share-6",
        "6 % of all answers are errors",
        INGEST | EVALUATION,
        _RUSH | {"status": [{"path": path, "status": 500, "share": 0.27} for path in _PATHS]},
        _errors(lambda share: share > 0.055),
        group="numbers",
        well=_errors(lambda share: share < 0.001),
    ),
    NumberDefect(
        "latency-2500ms",
        "a quarter of what users ask takes 2.5 s",
        INGEST | EVALUATION,
        {"slow": [{"path": path, "seconds": 2.5} for path in _PATHS]},
        _p95(lambda seconds: seconds > 2.0),
        group="numbers",
        well=_p95(lambda seconds: seconds < 0.3),
    ),
    NumberDefect(
        "users-fail-under-load",
        "paths that only users ask answer 503 while more than a few requests come: idle, they are well",
        frozenset(_LOADED),
        {"loaded": [{"path": path, "above": 2} for path in _LOADED.values()]},
        _unavailable(lambda share: share > 0.02),
        group="numbers",
        well=_unavailable(lambda share: share < 0.001),
    ),
    NumberDefect(
        "no-traffic",
        "there are no users",
        EVERY,
        {"users_stay_away": True},
        _visits(lambda rate: rate < 0.1),
        group="numbers",
        well=_visits(lambda rate: rate > 2.0),
    ),
)
