"""What the services answer while something that they need is down, and that they come back."""

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
import redis
from reference_service import eventually

from opsproof.stack.control import end_part, freeze_part, start_part, thaw_part

PATIENCE = 4.0  # seconds that a caller of a health endpoint waits


@contextlib.contextmanager
def stopped(stack, part):
    end_part(stack.directory, part)
    try:
        yield
    finally:
        start_part(stack.directory, part)


@contextlib.contextmanager
def frozen(stack, part):
    freeze_part(stack.directory, part)
    try:
        yield
    finally:
        thaw_part(stack.directory, part)


@contextlib.contextmanager
def table_locked(service):
    table = "items" if service.system == "ingest" else "jobs"
    with psycopg.connect(service["DATABASE_URL"]) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


OUTAGES = {
    "database-stopped": (lambda service: stopped(service.stack, "postgres"), "database"),
    "database-frozen": (lambda service: frozen(service.stack, "postgres"), "database"),
    "table-locked": (table_locked, "database"),
    "connections-leaked": (lambda service: service.defects(hold_connections=5), "database"),
    "cache-stopped": (lambda service: stopped(service.stack, "valkey"), "redis"),
    "cache-frozen": (lambda service: frozen(service.stack, "valkey"), "redis"),
}


@pytest.fixture(autouse=True)
def well_again(stack, ingest, evaluation):
    """Every test starts from and returns to a stack that is well."""
    yield
    assert eventually(lambda: ingest.ready() and evaluation.ready())
    assert [line for one in (ingest, evaluation) for line in one.log_lines() if "traceback" in line] == []


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_shows_in_its_component_and_nowhere_as_a_crash(service, outage):
    """Readiness must say it, liveness must not, and the answer must come while somebody still waits."""
    make, part = OUTAGES[outage]
    paths = ("/health/detailed", "/health/ready", "/health/live", "/health")
    with make(service), ThreadPoolExecutor() as pool:
        detailed, ready, live, health = pool.map(lambda path: httpx.get(service.url + path, timeout=PATIENCE), paths)

    components = detailed.json()["components"]
    assert detailed.status_code == 503
    assert components[part]["status"] == "unhealthy"
    assert components[part]["error"]
    assert components["redis" if part == "database" else "database"]["status"] == "healthy"
    assert (ready.status_code, ready.json()["status"]) == (503, "degraded")
    assert live.status_code == 200
    expected = (503, "unhealthy") if part == "database" else (200, "degraded")
    assert (health.status_code, health.json()["status"]) == expected


def test_without_a_database_the_api_says_so_in_its_error_body(service):
    """A caller must be able to tell an outage from a bug."""
    path = "/api/v1/items" if service.system == "ingest" else "/api/v1/jobs"
    with stopped(service.stack, "postgres"):
        answer = service.http.get(path)
        metrics = service.anybody.get("/metrics")

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert metrics.status_code == 200


@pytest.mark.parametrize("part", ["postgres", "valkey"])
def test_the_first_requests_after_a_restart_succeed(service, part):
    """Stale connections in a pool must not turn a finished outage into a new one."""

    def ask(_):
        return httpx.get(f"{service.url}/health/ready", timeout=PATIENCE).json()["components"]

    with ThreadPoolExecutor(4) as callers:
        list(callers.map(ask, range(8)))  # so that there are several connections to go stale
        with stopped(service.stack, part):
            pass
        eventually(lambda: _answers(service))
        after = list(callers.map(ask, range(8)))

    name = "database" if part == "postgres" else "redis"
    assert {components[name] for components in after} == {"healthy"}


def test_without_a_cache_the_rate_limit_lets_everybody_through_and_says_so(ingest):
    """The documented degraded mode: fail open."""
    with stopped(ingest.stack, "valkey"):
        answers = [
            ingest.anybody.get("/api/v1/limits", headers={"X-API-Key": ingest["PROBE_API_KEY"]}) for _ in range(8)
        ]
        items = ingest.http.get("/api/v1/items")

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["x-ratelimit-backend"] for answer in answers} == {"unavailable"}
    assert items.status_code == 200


def test_without_a_queue_a_job_is_refused_and_not_stored(evaluation):
    """An accepted job that nobody will ever do is worse than a refusal."""
    before = evaluation.sql("SELECT count(*) FROM jobs")
    with stopped(evaluation.stack, "valkey"):
        answer = evaluation.http.post("/api/v1/jobs", json={"type": "echo"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "QUEUE_UNAVAILABLE")
    assert evaluation.sql("SELECT count(*) FROM jobs") == before


@pytest.mark.parametrize("break_worker", [stopped, frozen], ids=["stopped", "frozen"])
def test_a_worker_that_is_gone_shows_in_background_tasks_and_loses_no_job(evaluation, break_worker):
    """A job sent meanwhile waits, and is done when the worker is back."""
    with break_worker(evaluation.stack, "evaluation-worker"):
        unhealthy = eventually(lambda: evaluation.anybody.get("/health/detailed").status_code == 503)
        components = evaluation.anybody.get("/health/detailed").json()["components"]
        created = evaluation.http.post("/api/v1/jobs", json={"type": "echo"})
        path = f"/api/v1/jobs/{created.json()['job_id']}"
        waiting = evaluation.http.get(path).json()["status"]

    assert unhealthy
    assert components["background_tasks"]["status"] == "unhealthy"
    assert components["redis"]["status"] == "healthy"
    assert waiting == "queued"
    assert eventually(lambda: evaluation.http.get(path).json()["status"] == "succeeded")


def test_jobs_run_again_after_the_queue_was_gone(evaluation):
    """The worker must find back to a broker that was restarted, without being restarted itself."""
    with stopped(evaluation.stack, "valkey"):
        time.sleep(1)
    eventually(evaluation.ready)

    created = evaluation.http.post("/api/v1/jobs", json={"type": "echo"})

    assert created.status_code == 202
    path = f"/api/v1/jobs/{created.json()['job_id']}"
    assert eventually(lambda: evaluation.http.get(path).json()["status"] == "succeeded")


def test_a_job_of_a_killed_worker_is_done_by_the_next_one(evaluation):
    """A worker that is restarted in an emergency must not cost anybody's job."""
    created = evaluation.http.post("/api/v1/jobs", json={"type": "sleep", "payload": {"seconds": 1}})
    path = f"/api/v1/jobs/{created.json()['job_id']}"
    assert eventually(lambda: evaluation.http.get(path).json()["status"] == "running")

    os.kill(_worker(evaluation).pid, signal.SIGKILL)
    assert eventually(lambda: _worker(evaluation).state == "stopped")
    start_part(evaluation.stack.directory, "evaluation-worker")

    done = eventually(lambda: (job := evaluation.http.get(path).json())["status"] == "succeeded" and job)
    assert done["attempts"] == 2


def _worker(evaluation):
    return next(part for part in evaluation.stack.parts() if part.name == "evaluation-worker")


def test_a_full_cache_shows_as_redis_and_not_as_the_worker(evaluation):
    """PING answers as ever; only a write shows it, and the worker is not to blame."""
    with redis.Redis.from_url(evaluation["REDIS_URL"]) as client:
        client.config_set("maxmemory", 1)
        try:
            time.sleep(5)  # longer than the worker's heartbeat lasts
            components = evaluation.anybody.get("/health/detailed").json()["components"]
            refused = evaluation.http.post("/api/v1/jobs", json={"type": "echo"})
        finally:
            client.config_set("maxmemory", 0)

    assert components["redis"] == components["redis"] | {
        "status": "unhealthy",
        "error": "writes are refused, the memory is full",
    }
    assert components["background_tasks"]["status"] == "healthy"
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "QUEUE_UNAVAILABLE")


def _answers(service):
    """Whether database and cache take connections again."""
    try:
        with redis.Redis.from_url(service["REDIS_URL"]) as client:
            return service.sql("SELECT 1") and client.ping()
    except (psycopg.OperationalError, redis.ConnectionError):
        return None
