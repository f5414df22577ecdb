"""A job is stored with its items and handed to the worker, or not accepted at all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import cast
from uuid import UUID

from starlette.requests import Request

from opsproof.stack.services.common.celery_sender import CelerySender
from opsproof.stack.services.common.failures import Unavailable
from opsproof.stack.services.common.services import services_of

_log = logging.getLogger("opsproof.jobs")
_CREATE = """
    WITH job AS (INSERT INTO jobs (queue) VALUES (%s) RETURNING id),
        items AS (INSERT INTO job_items (job_id, product_id) SELECT id, unnest(%s::uuid[]) FROM job)
    SELECT id FROM job
"""


async def submit(request: Request, queue: str, products: Sequence[UUID]) -> str:
    """Store a job that registers these products and send it; if it cannot be sent, it is removed again."""
    rows = await services_of(request).database.query(_CREATE, (queue, list(products)))
    job_id = str(rows[0]["id"])
    try:
        await send(request, job_id, queue)
    except Unavailable:
        _log.error("a job could not be queued and was removed", extra={"fields": {"job_id": job_id}})
        await services_of(request).database.query("DELETE FROM jobs WHERE id = %s", (job_id,))
        raise
    return job_id


async def send(request: Request, job_id: str, queue: str) -> None:
    """Hand a stored job to the worker; raises Unavailable."""
    services = services_of(request)
    await cast(CelerySender, services.background).submit(job_id, queue=queue)
    services.metrics.count("storebridge_jobs_submitted_total", queue=queue)
