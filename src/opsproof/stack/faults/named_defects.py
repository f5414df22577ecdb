"""The named faults of answers: what a buggy release would do, and what shows it from outside."""

import json
from typing import Any

from opsproof.stack.faults import jobs_seen, seen
from opsproof.stack.faults.defects import Defect
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.named import EVALUATION, EVERY, INGEST, WRONG_VERSION
from opsproof.stack.parts.service import CORE_PATH

_UNEXPECTED = '{"unexpected": true}'
_PAGE = "<!DOCTYPE html><html><body><h1>We will be back soon</h1></body></html>"
_GARBAGE = "these are { not metrics\n"
_SLOW_SECONDS = 10
_AT_ONCE = 3


_FIELDS = ("items", "evaluations", "pagination", "instances", "history")
_NULLS = json.dumps(dict.fromkeys(_FIELDS))
_LISTS = {
    "ingest": "/api/v1/stats",
    "evaluation": "/api/v1/evaluations",
    "storebridge": "/v1/manual-review",
    "factory-ai": "/api/v1/workflows",
    "ops-assistant": "/api/ops/history",
}
"""A core path of each system whose content only few ask for."""
_ELSEWHERE = "/somewhere/else"


def _at(path: str) -> dict[str, str]:
    return dict.fromkeys(EVERY, path)


def _on_core_paths(**defect: Any) -> list[dict[str, Any]]:
    return [{"path": path, **defect} for path in CORE_PATH.values()]


_ADMIN_PATH = _at("/api/v1/admin/summary") | {"storebridge": "/v1/admin/summary"}


ANSWERS: tuple[Fault, ...] = (
    Defect(
        "health-500",
        "/health and all below it answer 500",
        EVERY,
        {"status": [{"path": "/health", "status": 500}, {"path": "/health/*", "status": 500}]},
        seen.status(_at("/health/live"), 500),
    ),
    Defect(
        "live-500",
        "/health/live answers 500",
        EVERY,
        {"status": [{"path": "/health/live", "status": 500}]},
        seen.status(_at("/health/live"), 500),
    ),
    Defect(
        "ready-500",
        "/health/ready answers 500",
        EVERY,
        {"status": [{"path": "/health/ready", "status": 500}]},
        seen.status(_at("/health/ready"), 500),
    ),
    Defect(
        "detailed-not-json",
        "/health/detailed answers 500 with a web page",
        EVERY,
        {"body": [{"path": "/health/detailed", "status": 500, "content_type": "text/html", "text": _PAGE}]},
        seen.body(_at("/health/detailed"), _PAGE),
    ),
    Defect(
        "core-endpoint-500",
        "the core paths answer 500 while health is fine",
        EVERY,
        {"status": _on_core_paths(status=500)},
        seen.status(CORE_PATH, 500),
    ),
    Defect(
        "wrong-body",
        "the core paths answer 200 with something else",
        EVERY,
        {"body": _on_core_paths(text=_UNEXPECTED)},
        seen.body(CORE_PATH, _UNEXPECTED),
    ),
    Defect(
        "html-body",
        "the core paths answer 200 with a web page",
        EVERY,
        {"body": _on_core_paths(text=_PAGE, content_type="text/html")},
        seen.body(CORE_PATH, _PAGE),
    ),
    Defect(
        "core-field-null",
        "a core path answers 200 with null where its callers need something",
        EVERY,
        {"body": [{"path": path, "method": "GET", "text": _NULLS} for path in _LISTS.values()]},
        seen.body(_LISTS, _NULLS),
    ),
    Defect(
        "one-replica-500",
        "every other answer of a core path is 500, as with one replica of two broken; health is fine",
        EVALUATION,
        {"status": [{"path": _LISTS["evaluation"], "status": 500, "share": 0.5, "method": "GET"}]},
        seen.half_of_the_answers(_LISTS["evaluation"] + "?limit=1", 500),
    ),
    Defect(
        "fails-under-load",
        f"a core path answers one at a time, and 503 where more than {_AT_ONCE} are waiting; health is fine",
        EVALUATION | INGEST,
        {
            "busy": [
                {"path": _LISTS[system], "seconds": 0.3, "at_once": _AT_ONCE} for system in ("evaluation", "ingest")
            ]
        },
        seen.refuses_at_once(
            {system: _LISTS[system] + "?limit=1" for system in ("evaluation", "ingest")}, 3 * _AT_ONCE
        ),
    ),
    Defect(
        "slow-answers",
        f"the core paths answer after {_SLOW_SECONDS} s",
        EVERY,
        {"slow": _on_core_paths(seconds=_SLOW_SECONDS)},
        seen.slow(CORE_PATH),
    ),
    Defect(
        "payload-wrong-status",
        "what is too large is refused with 400 instead of 413",
        EVERY,
        {"payload_status": 400},
        seen.large_body_gets(400),
    ),
    Defect(
        "half-wrong-version",
        "every other answer comes from another version",
        EVERY,
        {"version": WRONG_VERSION, "version_share": 0.5},
        seen.version_changes,
    ),
)

METRICS: tuple[Fault, ...] = (
    Defect(
        "metrics-missing",
        "/metrics answers 404",
        EVERY,
        {"status": [{"path": "/metrics", "status": 404}]},
        seen.status(_at("/metrics"), 404),
    ),
    Defect(
        "metrics-garbage",
        "/metrics answers with something else",
        EVERY,
        {"body": [{"path": "/metrics", "content_type": "text/plain", "text": _GARBAGE}]},
        seen.body(_at("/metrics"), _GARBAGE),
    ),
    Defect("metrics-frozen", "the metrics stand still", EVERY, {"freeze_metrics": True}, seen.metrics_stand_still),
)

TRACES: tuple[Fault, ...] = (
    Defect(
        "request-id-not-echoed",
        "answers lack X-Request-Id",
        EVERY,
        {"no_request_id_echo": True},
        seen.request_id_is_not_echoed,
    ),
    Defect(
        "request-id-not-made",
        "a request that brings no id gets none",
        EVERY,
        {"no_own_request_id": True},
        seen.no_request_id_is_made,
    ),
    Defect(
        "request-id-not-logged",
        "log lines lack the request id",
        EVERY,
        {"drop_log_request_id": True},
        seen.request_id_is_not_logged,
    ),
    Defect(
        "error-id-not-logged",
        "log lines lack the error id",
        EVERY,
        {"drop_log_fields": ["error_id"]},
        seen.error_id_is_not_logged,
    ),
    Defect(
        "wrong-path-logged",
        "log lines tell another path",
        EVERY,
        {"change_log_fields": {"path": _ELSEWHERE}},
        seen.logged_as(path=_ELSEWHERE),
    ),
    Defect(
        "wrong-method-logged",
        "log lines tell another method",
        EVERY,
        {"change_log_fields": {"method": "POST"}},
        seen.logged_as(method="POST"),
    ),
)

RULES: tuple[Fault, ...] = (
    Defect(
        "component-missing",
        "/health/detailed says nothing of redis",
        EVERY,
        {"drop_components": ["redis"]},
        seen.component_is_missing("redis"),
    ),
    Defect("auth-off", "no credential is wanted", EVERY, {"auth_off": True}, seen.status(CORE_PATH, 200)),
    Defect(
        "role-check-off",
        "a reader may do what only an admin may",
        EVERY,
        {"role_check_off": True},
        seen.status(_ADMIN_PATH, 200, role="READER"),
    ),
    Defect(
        "signature-not-verified",
        "a token is believed whoever signed it",
        EVERY,
        {"signature_unverified": True},
        seen.forged_token_is_taken(_ADMIN_PATH),
    ),
    Defect(
        "rate-limit-off", "no request is refused for its rate", INGEST, {"rate_limit_off": True}, seen.rate_limit_is_off
    ),
)

JOBS: tuple[Fault, ...] = (
    Defect("jobs-stuck", "jobs are begun and never end", EVALUATION, {"jobs_stuck": True}, jobs_seen.job_is_stuck),
    Defect(
        "metadata-key-dropped",
        "new evaluation runs are stored without data_snapshot_id",
        EVALUATION,
        {"drop_metadata_keys": ["data_snapshot_id"]},
        jobs_seen.metadata_lacks_data_snapshot_id,
    ),
    Defect(
        "metadata-lost",
        "new evaluation runs are stored without any metadata",
        EVALUATION,
        {"lose_metadata": True},
        jobs_seen.metadata_is_lost,
    ),
)
