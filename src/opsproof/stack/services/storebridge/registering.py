"""Doing a job: each of its items is registered at Naver, within the quotas."""

from __future__ import annotations

import logging
from typing import Any

import psycopg
from psycopg.rows import dict_row
from redis import Redis

from opsproof.stack.services.common.defects import Defects
from opsproof.stack.services.common.settings import Settings
from opsproof.stack.services.storebridge.options import StorebridgeOptions
from opsproof.stack.services.storebridge.quotas import count_domeggook_call, take_naver_call
from opsproof.stack.services.storebridge.rules import problems_of

_log = logging.getLogger("opsproof.jobs")
_Connection = psycopg.Connection[dict[str, Any]]
_TAKE = """
    UPDATE jobs SET status = 'RUNNING', started_at = now() WHERE id = %s AND status IN ('PENDING', 'RUNNING')
    RETURNING id
"""
_ITEMS = """
    SELECT job_items.id, product_id, name, category, attributes
    FROM job_items JOIN products ON products.id = product_id WHERE job_id = %s AND job_items.state = 'QUEUED'
    ORDER BY job_items.id
"""
_KEEP = """
    WITH item AS (
        UPDATE job_items SET state = %(item)s, error_code = %(code)s, error_message = %(message)s, finished_at = now()
        WHERE id = %(id)s RETURNING job_id
    ), product AS (
        UPDATE products SET state = %(item)s, error_code = %(code)s, updated_at = now() WHERE id = %(product_id)s
    )
    INSERT INTO product_registrations (product_id, job_id, state, error_code, error_message)
    SELECT %(product_id)s, job_id, %(registration)s, %(code)s, %(message)s FROM item
"""
_FINISH = """
    UPDATE jobs SET completed_at = now(), status = CASE
        WHEN EXISTS (SELECT FROM job_items WHERE job_id = %(id)s AND state = 'FAILED') THEN 'FAILED' ELSE 'COMPLETED'
    END WHERE id = %(id)s RETURNING status
"""
_REGISTRATION_STATE = {"REGISTERED": "COMPLETED", "REJECTED": "FAILED"}


class _Outcome(Exception):
    """An item was not registered: its state, and why."""

    def __init__(self, state: str, code: str, message: str) -> None:
        super().__init__(message)
        self.state = state
        self.code = code


def run_job(settings: Settings, options: StorebridgeOptions, defects: Defects, redis: Redis, job_id: str) -> str | None:
    """
    Do one job and store what became of each item; a job that is gone or already finished is left alone.

    Returns:
        The job's status, or None if nothing was finished.

    Raises:
        psycopg.OperationalError: The database is not usable; the job can be tried again.
        redis.RedisError: The quotas cannot be counted; the job can be tried again.
    """
    with _connect(settings) as connection:
        if connection.execute(_TAKE, (job_id,)).fetchone() is None:
            _log.info("job %s is gone or finished", job_id)
            return None
        for item in connection.execute(_ITEMS, (job_id,)).fetchall():
            state, code, message = "REGISTERED", None, None
            try:
                _register(item, options, defects, redis)
            except _Outcome as outcome:
                state, code, message = outcome.state, outcome.code, str(outcome)
                fields = {"job_id": job_id, "product_id": str(item["product_id"]), "code": code}
                _log.error("%s", message, extra={"fields": fields})
            registration = _REGISTRATION_STATE.get(state, state)
            connection.execute(
                _KEEP, {**item, "item": state, "registration": registration, "code": code, "message": message}
            )
        finished = connection.execute(_FINISH, {"id": job_id}).fetchone()
    return finished["status"] if finished else None


def _connect(settings: Settings) -> _Connection:
    return psycopg.connect(
        settings.database_url,
        autocommit=True,
        row_factory=dict_row,
        connect_timeout=2,
        application_name=f"{settings.system}-worker",
        options="-c statement_timeout=2000",
    )


def _register(item: dict[str, Any], options: StorebridgeOptions, defects: Defects, redis: Redis) -> None:
    """One registration; raises _Outcome if the product was not registered."""
    if count_domeggook_call(redis) > options.domeggook_calls_a_day:
        raise _Outcome("FAILED", "DOMEGGOOK_QUOTA", "Rate limit exceeded: Domeggook's calls of today are used up")
    if problems := problems_of(item["name"], item["category"], item["attributes"]):
        raise _Outcome("MANUAL_REVIEW", problems[0]["code"], problems[0]["message"])
    if not take_naver_call(redis, options.naver_calls_a_second):
        raise _Outcome("FAILED", "NAVER_429", "Naver API 429 Too Many Requests: Rate limit exceeded")
    if defects.naver_status is not None:
        status = defects.naver_status
        state = "FAILED" if status == 429 or status >= 500 else "REJECTED"
        raise _Outcome(state, f"NAVER_{status}", f"Naver API {status}")
