"""The jobs API."""

from __future__ import annotations

import logging
from typing import Any, Literal

from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.bodies import id_of, limit_of, read_json, storable
from opsproof.stack.services.common.failures import ApiError, Unavailable
from opsproof.stack.services.common.rows import public
from opsproof.stack.services.common.services import services_of
from opsproof.stack.services.evaluation.runners import runner_of

_log = logging.getLogger("opsproof.jobs")


class JobRequest(BaseModel):
    """A job to be done."""

    type: Literal["echo", "evaluation", "sleep", "fail"]
    payload: dict[str, Any] = Field(default_factory=dict)


@requires(Role.OPERATOR)
async def _create(request: Request) -> Response:
    asked = await read_json(request, JobRequest)
    services = services_of(request)
    with storable():
        rows = await services.database.query(
            "INSERT INTO jobs (type, payload) VALUES (%s, %s) RETURNING job_id", (asked.type, Jsonb(asked.payload))
        )
    job_id = str(rows[0]["job_id"])
    await submit(request, job_id)
    services.metrics.count("jobs_submitted_total", type=asked.type)
    return JSONResponse({"job_id": job_id, "status": "queued"}, 202)


async def submit(request: Request, job_id: str) -> None:
    """Hand a stored job to the runner; if it cannot be taken, it was never accepted and is removed again."""
    try:
        await runner_of(request).submit(job_id)
    except Unavailable:
        _log.error("a job could not be queued and was removed", extra={"fields": {"job_id": job_id}})
        await services_of(request).database.query(
            "WITH run AS (DELETE FROM evaluation_runs WHERE job_id = %s) DELETE FROM jobs WHERE job_id = %s",
            (job_id, job_id),
        )
        raise


@requires(Role.READER)
async def _list(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT * FROM jobs ORDER BY created_at DESC, job_id LIMIT %s", (limit_of(request),)
    )
    return JSONResponse({"jobs": [public(row) for row in rows]})


@requires(Role.READER)
async def _get(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT * FROM jobs WHERE job_id = %s", (id_of(request, "job_id"),)
    )
    if not rows:
        raise ApiError(404, "there is no such job")
    return JSONResponse(public(rows[0]))


@requires(Role.OPERATOR)
async def _delete(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "DELETE FROM jobs WHERE job_id = %s RETURNING 1", (id_of(request, "job_id"),)
    )
    if not rows:
        raise ApiError(404, "there is no such job")
    return Response(status_code=204)


ROUTES = (
    Route("/api/v1/jobs", _list, methods=["GET"]),
    Route("/api/v1/jobs", _create, methods=["POST"]),
    Route("/api/v1/jobs/{job_id}", _get, methods=["GET"]),
    Route("/api/v1/jobs/{job_id}", _delete, methods=["DELETE"]),
)
