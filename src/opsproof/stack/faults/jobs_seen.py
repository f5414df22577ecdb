"""What tells, from outside, how jobs and evaluations end: a real one is sent, looked at, and removed again."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opsproof.stack.ask import ask
from opsproof.stack.names import prefix_of
from opsproof.stack.process import wait_for
from opsproof.stack.stack import Stack

SUBMIT = {
    "evaluation": ("/api/v1/jobs", "/api/v1/evaluations"),
    "storebridge": ("/v1/products",),
    "factory-ai": ("/api/v1/workflows",),
}
"""Where each system takes work."""
_SECONDS_FOR_A_JOB = 3.0
_SECONDS_TO_REFUSE = 1.0
_SECONDS_TO_BE_STUCK = 0.7
_PAUSE = 0.02


def job_is_stuck(stack: Stack, system: str) -> bool:
    """A job that takes no time is begun and does not end."""
    with _sent(stack, "/api/v1/jobs", {"type": "echo", "payload": {}}) as sent:
        if sent is None:
            return False
        begun = 0.0
        end = time.monotonic() + _SECONDS_FOR_A_JOB
        while time.monotonic() < end:
            job = _ask(stack, "GET", f"/api/v1/jobs/{sent['job_id']}") or {}
            if job.get("status") == "succeeded":
                _wait_until_no_job_is_left(stack)
                return False
            if job.get("status") == "running":
                begun = begun or time.monotonic()
                if time.monotonic() - begun > _SECONDS_TO_BE_STUCK:
                    return True
            time.sleep(_PAUSE)
    return False


def metadata_is_lost(stack: Stack, system: str) -> bool:
    """A new evaluation run succeeds and has no metadata."""
    run = _finished_run(stack)
    return run is not None and run["run_metadata"] is None


def metadata_lacks_data_snapshot_id(stack: Stack, system: str) -> bool:
    """A new evaluation run succeeds and has metadata, without data_snapshot_id."""
    run = _finished_run(stack)
    return run is not None and bool(run["run_metadata"]) and "data_snapshot_id" not in run["run_metadata"]


def metadata_has_another_seed(stack: Stack, system: str) -> bool:
    """A new evaluation run succeeds, and says another seed than it was sent."""
    run = _finished_run(stack, seed=1)
    return run is not None and run["run_metadata"]["seed"] != 1


def metadata_has_another_commit(stack: Stack, system: str) -> bool:
    """A new evaluation run succeeds, and says another commit than the API."""
    run, release = _finished_run(stack), _ask(stack, "GET", "/version")
    return run is not None and release is not None and run["run_metadata"]["commit_sha"] != release["commit"]


def metadata_is_refused(stack: Stack, system: str) -> bool:
    """A new evaluation run fails, and says that its metadata is to blame."""
    run = _finished_run(stack, ends="failed")
    return run is not None and "run_metadata" in run["error_message"]


def scores_differ(stack: Stack, system: str) -> bool:
    """Two evaluation runs with the same input have other scores."""
    runs = [_finished_run(stack, seed=1) for _ in range(2)]
    return all(runs) and len({run["score"] for run in runs if run}) > 1


def work_is_taken_late(stack: Stack, system: str) -> bool:
    """Work that must be refused is not refused in time, although the service lives."""
    prefix = prefix_of(system)
    url, key = stack.variables[f"{prefix}_URL"], stack.variables[f"{prefix}_API_KEY"]
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    late = [
        ask(f"{url}{path}", method="POST", headers=headers, body=b"[]", seconds=_SECONDS_TO_REFUSE) is None
        for path in SUBMIT[system]
    ]
    return all(late) and ask(f"{url}/health/live") is not None


def _finished_run(stack: Stack, *, ends: str = "succeeded", **asked: Any) -> dict[str, Any] | None:
    """A new evaluation run once it has ended like that; None if it did not in time."""
    with _sent(stack, "/api/v1/evaluations", asked) as sent:
        if sent is None:
            return None
        end = time.monotonic() + _SECONDS_FOR_A_JOB
        while time.monotonic() < end:
            run = _ask(stack, "GET", f"/api/v1/evaluations/{sent['run_id']}")
            if run and run["status"] == ends:
                return run
            time.sleep(_PAUSE)
    return None


def _wait_until_no_job_is_left(stack: Stack) -> None:
    """A job that was stuck is tried again a second later, and finds itself deleted; until then the worker holds it."""
    from redis import Redis

    with Redis.from_url(stack.variables["EVALUATION_BROKER_URL"], socket_timeout=1) as client:
        wait_for(lambda: not client.exists("unacked"), _SECONDS_FOR_A_JOB, _PAUSE)


@contextmanager
def _sent(stack: Stack, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any] | None]:
    """What the service answered to a new job or evaluation; both are deleted afterwards. None if it was refused."""
    sent = _ask(stack, "POST", path, body)
    try:
        yield sent
    finally:
        if sent and "run_id" in sent:
            _ask(stack, "DELETE", f"/api/v1/evaluations/{sent['run_id']}")
        if sent:
            _ask(stack, "DELETE", f"/api/v1/jobs/{sent['job_id']}")


def _ask(stack: Stack, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
    variables = stack.variables
    headers = {"X-API-Key": variables["EVALUATION_API_KEY"], "Content-Type": "application/json"}
    raw = None if body is None else json.dumps(body).encode()
    answer = ask(f"{variables['EVALUATION_URL']}{path}", method=method, headers=headers, body=raw)
    if answer is None or answer.status >= 300:
        return None
    found = answer.json()
    return found if isinstance(found, dict) else None
