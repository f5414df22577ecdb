"""The evaluation service: jobs that are worked off, runs that keep their metadata."""

import json
from pathlib import Path

import httpx
import pytest
from reference_service import eventually

METADATA = {"commit_sha", "prompt_version", "data_snapshot_id", "seed", "mode"}


def finished(evaluation, path):
    def look():
        found = evaluation.http.get(path).json()
        return found if found["status"] in ("succeeded", "failed") else None

    return eventually(look)


def evaluate(evaluation, **asked):
    created = evaluation.http.post("/api/v1/evaluations", json=asked)
    assert created.status_code == 202
    return finished(evaluation, f"/api/v1/evaluations/{created.json()['run_id']}")


def test_a_job_is_done_by_the_worker_and_can_be_deleted(evaluation):
    """The synthetic job of the gate walks this way."""
    created = evaluation.http.post("/api/v1/jobs", json={"type": "echo", "payload": {"a": 1}})
    path = f"/api/v1/jobs/{created.json()['job_id']}"

    job = finished(evaluation, path)

    assert (created.status_code, created.json()["status"]) == (202, "queued")
    assert (job["status"], job["result"], job["attempts"]) == ("succeeded", {"echo": {"a": 1}}, 1)
    assert evaluation.http.delete(path).status_code == 204
    assert evaluation.http.get(path).status_code == 404


def test_a_failing_job_leaves_its_traceback_in_the_workers_log(evaluation):
    """The runbook sends the operator to the worker's output."""
    created = evaluation.http.post(
        "/api/v1/jobs", json={"type": "fail", "payload": {"message": "as asked"}}, headers={"X-Request-Id": "fail-1"}
    )

    job = finished(evaluation, f"/api/v1/jobs/{created.json()['job_id']}")

    assert (job["status"], job["error_message"]) == ("failed", "as asked")
    log = Path(evaluation.stack.variables["EVALUATION_WORKER_LOG_FILE"]).read_text().splitlines()
    told = [json.loads(text) for text in log if text.startswith("{")]  # Celery says in plain words when it is ended
    (line,) = [found for found in told if found.get("job_id") == job["job_id"]]
    assert "JobFailure" in line["traceback"]
    assert line["request_id"] == "fail-1"
    evaluation.http.delete(f"/api/v1/jobs/{job['job_id']}")


@pytest.mark.parametrize("dataset", ["golden-v1", "golden-v2"])
def test_the_same_evaluation_gives_the_same_score_and_keeps_its_metadata(evaluation, dataset):
    """Reproducing a run is the last step of the runbook's scenario C."""
    first, second, other = (evaluate(evaluation, dataset=dataset, seed=seed, mode="offline") for seed in (0, 0, 1))

    assert first["status"] == "succeeded"
    assert first["score"] == second["score"]
    assert first["score"] != other["score"]
    assert set(first["run_metadata"]) == METADATA
    assert first["run_metadata"] == second["run_metadata"]
    assert first["run_metadata"]["seed"] == 0
    assert evaluation.http.delete(f"/api/v1/evaluations/{first['run_id']}").status_code == 204
    assert evaluation.http.get(f"/api/v1/evaluations/{first['run_id']}").status_code == 404


def test_an_evaluation_takes_its_job_along(evaluation):
    """What a gate leaves behind with every run is a table that grows."""
    run = evaluate(evaluation, label="mine")
    asked = "SELECT payload ->> 'label' FROM jobs WHERE job_id = %s"
    assert evaluation.sql(asked, run["job_id"]) == [("mine",)]

    evaluation.http.delete(f"/api/v1/evaluations/{run['run_id']}")

    assert evaluation.sql(asked, run["job_id"]) == []


def test_work_is_stored_although_its_sender_has_gone(evaluation):
    """The leftover that nobody was told the id of."""
    count = "SELECT count(*) FROM jobs WHERE payload ->> 'from' = 'somebody impatient'"
    with evaluation.defects(late=[{"path": "/api/v1/jobs", "seconds": 1.0}]):
        with pytest.raises(httpx.ReadTimeout):
            evaluation.http.post(
                "/api/v1/jobs", json={"type": "echo", "payload": {"from": "somebody impatient"}}, timeout=0.2
            )
        stored = eventually(lambda: evaluation.sql(count) == [(1,)])

    assert stored
    evaluation.sql("DELETE FROM jobs WHERE payload ->> 'from' = 'somebody impatient'")


def test_the_stack_starts_with_finished_runs_and_no_failed_job(evaluation):
    """A fresh stack must have something to judge."""
    runs = evaluation.sql(
        "SELECT run_metadata FROM evaluation_runs WHERE dataset = 'golden-v1' AND status = 'succeeded'"
    )

    assert any(run["seed"] == 0 and set(run) == METADATA for (run,) in runs)


@pytest.mark.parametrize(
    ("defects", "status", "keys"),
    [
        pytest.param(
            {"drop_metadata_keys": ["data_snapshot_id"]}, "succeeded", METADATA - {"data_snapshot_id"}, id="drop"
        ),
        pytest.param({"wrong_metadata": {"seed": 0}}, "succeeded", METADATA, id="wrong"),
        pytest.param({"lose_metadata": True}, "succeeded", None, id="lose"),
        pytest.param({"invalid_metadata_keys": ["seed"]}, "failed", None, id="invalid"),
    ],
)
def test_metadata_defects_show_in_the_run(evaluation, defects, status, keys):
    """Each is the fault of another check."""
    with evaluation.defects(**defects):
        run = evaluate(evaluation, seed=3)

    assert run["status"] == status
    assert (run["run_metadata"] and set(run["run_metadata"])) == keys
    evaluation.http.delete(f"/api/v1/jobs/{run['job_id']}")


def test_a_stuck_job_is_finished_once_the_defect_is_gone(evaluation):
    """Meanwhile it is running, and the worker looks well: the trap that the check must see."""
    with evaluation.defects(jobs_stuck=True):
        created = evaluation.http.post("/api/v1/jobs", json={"type": "echo"}).json()
        path = f"/api/v1/jobs/{created['job_id']}"
        running = eventually(lambda: evaluation.http.get(path).json()["status"] == "running")
        components = evaluation.anybody.get("/health/detailed").json()["components"]

    assert running
    assert components["background_tasks"]["status"] == "healthy"
    assert finished(evaluation, path)["status"] == "succeeded"
