"""The commands that start services and migrate databases."""

import os
import subprocess
import sys
import time

import httpx
import pytest
from reference_service import Service, eventually

from opsproof.stack.ports import HOST

SERVICES = "opsproof.stack.services"
HEADS = {"ingest": ("0002_items_by_time", "0001_items"), "evaluation": ("0003_jobs_by_time", "0002_evaluation_runs")}


def run(module, *arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", f"{SERVICES}.{module}", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


USABLE = {"DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:1/x", "REDIS_URL": "redis://:s3cret@127.0.0.1:1/0"}


@pytest.mark.parametrize(
    ("system", "variables", "named"),
    [
        pytest.param("ingest", {"DATABASE_URL": ""}, "DATABASE_URL", id="no-database"),
        pytest.param("ingest", {"DATABASE_URL": "s3cret"}, "DATABASE_URL", id="no-url"),
        pytest.param("ingest", {"REDIS_URL": "redis://:s3cret@x:port"}, "REDIS_URL", id="bad-port"),
        pytest.param("ingest", {"MAX_REQUEST_BODY_BYTES": "64k"}, "MAX_REQUEST_BODY_BYTES", id="bad-number"),
        pytest.param("ingest", {"INGEST_MAX_BATCH_ITEMS": "-1"}, "INGEST_MAX_BATCH_ITEMS", id="negative"),
        pytest.param("evaluation", {"JOB_RUNNER_MODE": "thread"}, "JOB_RUNNER_MODE", id="unknown-mode"),
        pytest.param("nothing", {}, "ingest", id="unknown-system"),
    ],
)
def test_a_bad_setting_ends_the_service_with_one_line_that_names_it(system, variables, named):
    """And never shows the value, which may hold a password."""
    ended = run("serve", system, "--port", "1", **{**USABLE, **variables})

    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert named in ended.stderr
    assert "s3cret" not in ended.stderr + ended.stdout


@pytest.mark.parametrize("system", HEADS)
def test_a_database_goes_one_revision_back_and_forth_without_losing_a_row(stack, system):
    """The schema rollback of the runbook, and the fault `migration behind`."""
    service = Service(stack, system)
    url = {f"{system.upper()}_DATABASE_URL": service["DATABASE_URL"]}
    table = "items" if system == "ingest" else "evaluation_runs"
    head, before = HEADS[system]
    rows = service.sql(f"SELECT * FROM {table} ORDER BY 1")

    for target, expected in (("-1", before), ("head", head), (before, before), (head, head)):
        done = run("migrate", system, "--to", target, **url)
        assert (done.returncode, done.stderr) == (0, "")
        assert service.sql("SELECT version_num FROM alembic_version") == [(expected,)]
        assert service.ready()
    assert service.sql(f"SELECT * FROM {table} ORDER BY 1") == rows


def test_an_unknown_revision_is_one_clear_line(ingest):
    """Somebody types this during an incident."""
    done = run("migrate", "ingest", "--to", "9999_nothing", INGEST_DATABASE_URL=ingest["DATABASE_URL"])

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "9999_nothing" in done.stderr


def test_in_process_mode_does_a_job_without_any_worker(evaluation):
    """The emergency measure of scenario B: the worker is ended first."""
    port = _free_port()
    state = evaluation.stack.state
    environment = {**state.environment_of("evaluation-api"), "JOB_RUNNER_MODE": "inprocess", "JWT_SECRET": "short"}
    arguments = [sys.executable, "-m", f"{SERVICES}.serve", "evaluation", "--port", str(port)]
    with (
        subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL) as served,
        httpx.Client(base_url=f"http://{HOST}:{port}", headers={"X-API-Key": evaluation["API_KEY"]}) as http,
    ):
        try:
            assert eventually(lambda: _ready(http))
            created = http.post("/api/v1/evaluations", json={"seed": 5}).json()
            path = f"/api/v1/evaluations/{created['run_id']}"
            assert eventually(lambda: http.get(path).json()["status"] == "succeeded")
            assert http.get("/health/detailed").json()["components"]["background_tasks"]["mode"] == "inprocess"
        finally:
            served.terminate()


def _ready(http):
    try:
        return http.get("/health/ready").status_code == 200
    except httpx.TransportError:
        time.sleep(0.05)
        return False


def _free_port():
    import socket

    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
