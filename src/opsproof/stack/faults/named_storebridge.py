"""The named faults of storebridge: one entry each."""

import math
from collections.abc import Callable

from opsproof.stack.faults import counters, seen
from opsproof.stack.faults.backlog import QueueBacklog
from opsproof.stack.faults.defects import Defect
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.logs_seen import logged
from opsproof.stack.faults.metrics_seen import SPAN_SECONDS, Numbers, gauge, numbers, shown, total
from opsproof.stack.faults.numbers import NumberDefect, more_users, together
from opsproof.stack.faults.registrations_seen import registration_fails_with
from opsproof.stack.faults.restarts import ApiRestarting
from opsproof.stack.faults.seen import Seen
from opsproof.stack.faults.settings import SettingsChanged
from opsproof.stack.faults.shown import Shown
from opsproof.stack.stack import Stack

STOREBRIDGE = frozenset({"storebridge"})
_USERS = "/v1/quotas"
"""A path that only users ask for, no check; one of four of their visits goes there."""

_SERVER_ERRORS = (
    'sum(rate(http_requests_total{system="storebridge",status=~"5..",path!~"/metrics|/health.*"}[10s]))'
    ' / sum(rate(http_requests_total{system="storebridge",path!~"/metrics|/health.*"}[10s]))'
)
_P95 = (
    "histogram_quantile(0.95, sum by (le)"
    ' (rate(http_request_duration_seconds_bucket{system="storebridge",path!~"/metrics|/health.*"}[10s])))'
)
_REQUESTS = 'sum(rate(http_requests_total{system="storebridge"}[10s]))'
_WELL_SHARE = 0.01
_WELL_SECONDS = 2.0
_FASTER = 30
_FASTEST = 100
_LITTLE_MIB = 64
_LITTLE_MILLICORES = 5


def _absent(name: str) -> Seen:
    def seen(stack: Stack, system: str) -> bool:
        found = numbers(stack, system)
        return bool(found) and math.isnan(total(found, name))

    return seen


def _answered(before: Numbers, after: Numbers) -> float:
    return total(after, "http_requests_total") - total(before, "http_requests_total")


def _requests(holds: Callable[[float], bool]) -> Seen:
    return shown(_REQUESTS, holds, scraped=lambda before, after: _answered(before, after) / SPAN_SECONDS)


def _error_share(holds: Callable[[float], bool]) -> Seen:
    def scraped(before: Numbers, after: Numbers) -> float:
        errors = [total(found, "http_requests_total", status="500") for found in (before, after)]
        return (errors[1] - (0 if math.isnan(errors[0]) else errors[0])) / _answered(before, after)

    return shown(_SERVER_ERRORS, holds, scraped=scraped)


def _p95(holds: Callable[[float], bool]) -> Seen:
    def mean(before: Numbers, after: Numbers) -> float:
        name = "http_request_duration_seconds"
        seconds, answers = (
            total(after, f"{name}_{part}", path=_USERS) - total(before, f"{name}_{part}", path=_USERS)
            for part in ("sum", "count")
        )
        return seconds / answers if answers else math.nan

    return shown(_P95, holds, scraped=mean)


def _errors(percent: int, limit: float) -> Fault:
    # One of the users' four visits is to this path: four times the share there is the share of all.
    errors = [{"path": _USERS, "status": 500, "share": 4 * percent / 100}]
    return NumberDefect(
        f"storebridge-errors-{percent}",
        f"users get 500 for {percent} % of all",
        STOREBRIDGE,
        more_users("storebridge", _FASTER, status=errors),
        # A counter that was just born makes rate() say too much: the window must be full of the many users.
        together(_requests(lambda rate: rate > 0.9 * _FASTER), _error_share(lambda share: share > limit)),
        well=_error_share(lambda share: share < _WELL_SHARE),
    )


def _slow(name: str, seconds: float, limit: float) -> Fault:
    return NumberDefect(
        f"storebridge-slow-{name}",
        f"a quarter of what users ask takes {seconds:g} s",
        STOREBRIDGE,
        {"slow": [{"path": _USERS, "seconds": seconds}]},
        _p95(lambda found: found > limit),
        well=_p95(lambda found: found < _WELL_SECONDS),
    )


def _queue(messages: int) -> Fault:
    return QueueBacklog(
        f"storebridge-queue-{messages}",
        f"{messages:,} registrations wait in the batch queue, which nobody works off",
        STOREBRIDGE,
        "STOREBRIDGE_BROKER_URL",
        "celery:batch",
        "storebridge.run_job",
        messages,
        gauge("storebridge_queue_depth", lambda jobs: jobs >= messages, system="storebridge"),
    )


NUMBERS: tuple[Fault, ...] = (
    _errors(2, 0.01),
    _errors(6, 0.05),
    _slow("2500ms", 2.5, 2.0),
    _slow("3500ms", 3.5, 3.0),
    _slow("6s", 6.0, 5.0),
    NumberDefect(
        "storebridge-rush",
        f"users come {_FASTEST} times a second",
        STOREBRIDGE,
        more_users("storebridge", _FASTEST),
        _requests(lambda rate: rate > _FASTEST / 2),
        well=_requests(lambda rate: rate < _FASTEST / 4),
    ),
    Shown(
        SettingsChanged(
            "storebridge-memory-small",
            f"the API may have {_LITTLE_MIB} MiB of memory, which it uses up",
            STOREBRIDGE,
            lambda: {"MEMORY_LIMIT_MIB": str(_LITTLE_MIB)},
        ),
        gauge("process_memory_limit_bytes", lambda limit: limit == _LITTLE_MIB * 1024**2, system="storebridge"),
    ),
    Shown(
        SettingsChanged(
            "storebridge-cpu-small",
            f"the API may have {_LITTLE_MILLICORES / 10:g} % of a processor, and needs more",
            STOREBRIDGE,
            lambda: {"CPU_LIMIT_MILLICORES": str(_LITTLE_MILLICORES)},
        ),
        gauge("process_cpu_limit_cores", lambda limit: limit == _LITTLE_MILLICORES / 1000, system="storebridge"),
    ),
)

RESTARTS: tuple[Fault, ...] = (
    ApiRestarting("storebridge-api-restarting", "the API was started four times in 20 s", STOREBRIDGE, 4, "20s"),
)

QUEUES: tuple[Fault, ...] = (_queue(1001), _queue(2001), _queue(5001))

QUOTAS: tuple[Fault, ...] = (
    counters.CountersSet(
        "storebridge-domeggook-14001",
        "14,001 calls of Domeggook were made today",
        STOREBRIDGE,
        "STOREBRIDGE_REDIS_URL",
        counters.today("domeggook:daily_calls:", 14_001, "Asia/Seoul"),
        gauge("storebridge_rate_limit_remaining", lambda left: left <= 999, system="storebridge", api_name="domeggook"),
    ),
    counters.CountersSet(
        "storebridge-naver-used-up",
        "three calls a second went to Naver, and all that is allowed is used up",
        STOREBRIDGE,
        "STOREBRIDGE_REDIS_URL",
        counters.each_second("naver:ratelimit:", 3, before=60, after=600),
        gauge("storebridge_rate_limit_remaining", lambda left: left == 0, system="storebridge", api_name="naver"),
    ),
)


def _logs(name: str, title: str, *lines: str) -> Fault:
    return Defect(
        f"storebridge-log-{name}", title, STOREBRIDGE, {"log_lines": list(lines)}, logged(lines[0]), group="logs"
    )


LOGS: tuple[Fault, ...] = (
    _logs(
        "database",
        "the log says that connections to the database are refused",
        "Database connection failed: FATAL: remaining connection slots are reserved for roles with SUPERUSER",
    ),
    _logs("redis", "the log says that Redis does not answer", "Redis connection timeout"),
    _logs(
        "naver",
        "the log says that Naver refuses us",
        "Naver API 429 Too Many Requests: Rate limit exceeded",
        "Naver API 503",
    ),
)

_EVERYTHING_IS_VALID = '{"valid": true, "errors": []}'
_NO_PAGES = '{"jobs": []}'

ANSWERS: tuple[Fault, ...] = (
    Defect(
        "storebridge-validates-anything",
        "every payload is called valid",
        STOREBRIDGE,
        {"body": [{"path": "/v1/products/validate", "text": _EVERYTHING_IS_VALID}]},
        seen.body({"storebridge": "/v1/products/validate"}, _EVERYTHING_IS_VALID),
    ),
    Defect(
        "storebridge-no-pagination",
        "the list of jobs does not say how many there are",
        STOREBRIDGE,
        {"body": [{"path": "/v1/jobs", "text": _NO_PAGES}]},
        seen.body({"storebridge": "/v1/jobs"}, _NO_PAGES),
    ),
    Defect(
        "storebridge-product-500",
        "a single product cannot be read",
        STOREBRIDGE,
        {"status": [{"path": "/v1/products/*", "status": 500}]},
        seen.status({"storebridge": "/v1/products/any"}, 500),
    ),
    Defect(
        "storebridge-metric-missing",
        "the depth of the queues is not exported any more",
        STOREBRIDGE,
        {"drop_metrics": ["storebridge_queue_depth"]},
        _absent("storebridge_queue_depth"),
    ),
    Defect(
        "storebridge-naver-503",
        "Naver answers every registration with 503",
        STOREBRIDGE,
        {"naver_status": 503},
        registration_fails_with("NAVER_503"),
    ),
)
