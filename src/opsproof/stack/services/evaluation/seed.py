"""The evaluation data that a fresh stack starts with: finished jobs and runs, none of them failed."""

from __future__ import annotations

import uuid

import psycopg
from psycopg.types.json import Jsonb

from opsproof.stack.services.evaluation import scoring

_JOB = """
    INSERT INTO jobs (job_id, type, status, attempts, started_at, finished_at, payload, result)
    VALUES (%s, %s, 'succeeded', 1, now(), now(), %s, %s)
    ON CONFLICT (job_id) DO UPDATE SET created_at = now(), started_at = now(), finished_at = now()
"""
_RUN = """
    INSERT INTO evaluation_runs (run_id, job_id, dataset, status, score, finished_at, run_metadata)
    VALUES (%s, %s, %s, 'succeeded', %s, now(), %s)
    ON CONFLICT (run_id) DO UPDATE SET created_at = now(), finished_at = now()
"""
_COMMIT = "5eed5eed5eed"


def seed(connection: psycopg.Connection) -> None:
    """Write the rows; writing them again only renews their time."""
    for number in range(3):
        payload = Jsonb({"n": number})
        connection.execute(_JOB, (_id("echo", number), "echo", payload, Jsonb({"echo": {"n": number}})))
    for number in range(3):
        asked = scoring.EvaluationInput(seed=number)
        value = scoring.score(asked.dataset, asked.seed)
        job_id = _id("evaluation", number)
        connection.execute(_JOB, (job_id, "evaluation", Jsonb(asked.model_dump()), Jsonb({"score": value})))
        metadata = Jsonb(scoring.run_metadata(asked, _COMMIT))
        connection.execute(_RUN, (_id("run", number), job_id, asked.dataset, value, metadata))


def _id(kind: str, number: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"opsproof-seed/{kind}/{number}")
