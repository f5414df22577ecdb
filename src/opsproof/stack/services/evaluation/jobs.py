"""Doing a job: the same code in the Celery worker and in process."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from opsproof.stack.services.common.defects import Defects
from opsproof.stack.services.common.settings import Settings
from opsproof.stack.services.evaluation import scoring

MOST_SLEEP_SECONDS = 8.0
"""Less than the visibility timeout of the queue, after which a job counts as abandoned."""

_log = logging.getLogger("opsproof.jobs")
_Connection = psycopg.Connection[dict[str, Any]]


class JobFailure(Exception):
    """The job cannot succeed, and trying again would not help."""


class JobStuck(Exception):
    """A defect keeps the job from being finished for now; it stays `running`."""


def run_job(settings: Settings, defects: Defects, job_id: str) -> str | None:
    """
    Do one job and store its outcome; a job that is gone or already finished is left alone.

    Returns:
        `type:status` of the finished job, or None if nothing was finished.

    Raises:
        psycopg.OperationalError: The database is not usable; the job can be tried again.
        JobStuck: The job was taken and not finished; it can be tried again.
    """
    with _connect(settings) as connection:
        job = connection.execute(
            "UPDATE jobs SET status = 'running', attempts = attempts + 1, started_at = now()"
            " WHERE job_id = %s AND status IN ('queued', 'running') RETURNING type, payload",
            (job_id,),
        ).fetchone()
        if job is None:
            _log.info("job %s is gone or finished", job_id)
            return None
        if defects.jobs_stuck:
            raise JobStuck(f"job {job_id} is stuck")
        try:
            result = _work(connection, settings, defects, job_id, job)
        except JobFailure as error:
            status = _finish(connection, job_id, "failed", str(error), None)
            _log.exception("job failed", extra={"fields": {"job_id": job_id, "job_type": job["type"]}})
        else:
            status = _finish(connection, job_id, "succeeded", None, result)
        return f"{job['type']}:{status}"


def _connect(settings: Settings) -> _Connection:
    return psycopg.connect(
        settings.database_url,
        autocommit=True,
        row_factory=dict_row,
        connect_timeout=2,
        application_name=f"{settings.system}-jobs",
        options="-c statement_timeout=2000",
    )


def _work(
    connection: _Connection, settings: Settings, defects: Defects, job_id: str, job: dict[str, Any]
) -> dict[str, Any]:
    payload = job["payload"]
    try:
        match job["type"]:
            case "echo":
                return {"echo": payload}
            case "sleep":
                time.sleep(min(float(payload.get("seconds", 1)), MOST_SLEEP_SECONDS))
                return {"slept": True}
            case "evaluation":
                asked = scoring.EvaluationInput.model_validate(payload)
                return _evaluate(connection, defects, job_id, asked, settings.commit)
            case _:
                raise JobFailure(str(payload.get("message", "this job was asked to fail")))
    except (TypeError, ValueError) as error:
        raise JobFailure(f"the payload is not usable: {error}") from None


def _evaluate(
    connection: _Connection, defects: Defects, job_id: str, asked: scoring.EvaluationInput, commit: str
) -> dict[str, Any]:
    metadata = _without(scoring.run_metadata(asked, commit), defects.invalid_metadata_keys)
    if missing := scoring.missing_metadata(metadata):
        message = f"run_metadata lacks {', '.join(missing)}"
        _log.error(message, extra={"fields": {"job_id": job_id, "code": "RUN_METADATA_INVALID"}})
        connection.execute(
            "UPDATE evaluation_runs SET status = 'failed', error_message = %s, finished_at = now() WHERE job_id = %s",
            (message, job_id),
        )
        raise JobFailure(message)
    value = time.time() % 1 if defects.score_drifts else scoring.score(asked.dataset, asked.seed)
    kept = _without(metadata, defects.drop_metadata_keys) | defects.wrong_metadata
    stored = None if defects.lose_metadata else Jsonb(kept)
    connection.execute(
        "UPDATE evaluation_runs SET status = 'succeeded', score = %s, run_metadata = %s, finished_at = now()"
        " WHERE job_id = %s",
        (value, stored, job_id),
    )
    return {"score": value}


def _without(metadata: scoring.Metadata, keys: Iterable[str]) -> scoring.Metadata:
    return {key: value for key, value in metadata.items() if key not in set(keys)}


def _finish(
    connection: _Connection, job_id: str, status: str, message: str | None, result: dict[str, Any] | None
) -> str:
    connection.execute(
        "UPDATE jobs SET status = %s, error_message = %s, result = %s, finished_at = now() WHERE job_id = %s",
        (status, message, None if result is None else Jsonb(result), job_id),
    )
    return status
