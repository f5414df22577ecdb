"""The jobs API: lists of products at once, how they stand, try again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.bodies import id_of, limit_of, read_json, storable
from opsproof.stack.services.common.failures import ApiError
from opsproof.stack.services.common.rows import public
from opsproof.stack.services.common.services import services_of
from opsproof.stack.services.storebridge.audit import note
from opsproof.stack.services.storebridge.queue_names import BATCH
from opsproof.stack.services.storebridge.rules import ProductInput
from opsproof.stack.services.storebridge.submitting import send, submit

_STATUSES = ("PENDING", "RUNNING", "COMPLETED", "FAILED")
_KEEP = """
    INSERT INTO products (domeggook_item_id, name, category, attributes)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::jsonb[])
    ON CONFLICT (domeggook_item_id) DO UPDATE SET state = 'QUEUED', error_code = NULL, updated_at = now()
    RETURNING id
"""
_FOUND = """
    FROM jobs WHERE (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
        AND (%(status)s::text IS NULL OR status = %(status)s)
"""
_DELETE = """
    WITH job AS (DELETE FROM jobs WHERE id = %(id)s RETURNING 1), orphan AS (
        DELETE FROM products WHERE id IN (SELECT product_id FROM job_items WHERE job_id = %(id)s)
            AND NOT EXISTS (SELECT FROM job_items WHERE product_id = products.id AND job_id <> %(id)s)
            AND NOT EXISTS (SELECT FROM product_registrations WHERE product_id = products.id
                            AND job_id IS DISTINCT FROM %(id)s)
    )
    SELECT count(*) AS deleted FROM job
"""


class JobInput(BaseModel):
    """Products that are registered together, by the batch queue."""

    model_config = ConfigDict(extra="forbid")

    products: list[ProductInput] = Field(min_length=1, max_length=200)


@requires(Role.OPERATOR)
async def _create(request: Request) -> Response:
    asked = {product.domeggook_item_id: product for product in (await read_json(request, JobInput)).products}
    columns = (
        list(asked),
        [product.name for product in asked.values()],
        [product.category for product in asked.values()],
        [Jsonb(product.attributes) for product in asked.values()],
    )
    with storable():
        rows = await services_of(request).database.query(_KEEP, columns)
    job_id = await submit(request, BATCH, [row["id"] for row in rows])
    await note(request, "register-list", f"job {job_id}")
    return JSONResponse({"job_id": job_id, "status": "PENDING", "items": len(rows)}, 202)


@requires(Role.READER)
async def _list(request: Request) -> Response:
    status = request.query_params.get("status")
    if status is not None and status not in _STATUSES:
        raise ApiError(422, f"status must be one of {', '.join(_STATUSES)}")
    wanted = {"since": _since(request), "status": status, "limit": limit_of(request)}
    # One statement, so that the page and the total are of the same moment; a total alone is a row without a job.
    rows = await services_of(request).database.query(
        f"SELECT total, page.* FROM (SELECT count(*) AS total {_FOUND}) AS found"  # noqa: S608  # constants only
        f" LEFT JOIN (SELECT * {_FOUND} ORDER BY created_at DESC, id LIMIT %(limit)s) AS page ON true",
        wanted,
    )
    jobs = [{key: value for key, value in row.items() if key != "total"} for row in rows if row["id"] is not None]
    return JSONResponse(
        {"jobs": [public(job) for job in jobs], "pagination": {"total": rows[0]["total"], "limit": wanted["limit"]}}
    )


@requires(Role.READER)
async def _get(request: Request) -> Response:
    job_id = id_of(request, "job_id")
    rows = await services_of(request).database.query("SELECT * FROM jobs WHERE id = %s", (job_id,))
    if not rows:
        raise ApiError(404, "there is no such job")
    items = await services_of(request).database.query(
        "SELECT id, product_id, state, error_code, error_message FROM job_items WHERE job_id = %s ORDER BY id",
        (job_id,),
    )
    return JSONResponse({**public(rows[0]), "items": [public(item) for item in items]})


@requires(Role.OPERATOR)
async def _retry(request: Request) -> Response:
    job_id = id_of(request, "job_id")
    rows = await services_of(request).database.query(
        "WITH again AS (UPDATE job_items SET state = 'QUEUED' WHERE job_id = %(id)s AND state = 'FAILED')"
        " UPDATE jobs SET status = 'PENDING', completed_at = NULL WHERE id = %(id)s AND status = 'FAILED'"
        " RETURNING queue",
        {"id": job_id},
    )
    if not rows:
        raise ApiError(409, "there is no failed job of this id")
    await send(request, str(job_id), rows[0]["queue"])
    await note(request, "retry", f"job {job_id}")
    return JSONResponse({"job_id": str(job_id), "status": "PENDING"}, 202)


@requires(Role.OPERATOR)
async def _delete(request: Request) -> Response:
    job_id = id_of(request, "job_id")
    rows = await services_of(request).database.query(_DELETE, {"id": job_id})
    if not rows[0]["deleted"]:
        raise ApiError(404, "there is no such job")
    await note(request, "delete", f"job {job_id}")
    return Response(status_code=204)


def _since(request: Request) -> datetime | None:
    """`created_after`: a date or a time; without a zone it is meant in UTC."""
    raw: Any = request.query_params.get("created_after")
    if raw is None:
        return None
    try:
        found = datetime.fromisoformat(raw)
    except ValueError:
        raise ApiError(422, "created_after must be a date (2026-12-31) or a time") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


ROUTES = (
    Route("/v1/jobs", _list, methods=["GET"]),
    Route("/v1/jobs", _create, methods=["POST"]),
    Route("/v1/jobs/{job_id}", _get, methods=["GET"]),
    Route("/v1/jobs/{job_id}", _delete, methods=["DELETE"]),
    Route("/v1/jobs/{job_id}/retry", _retry, methods=["POST"]),
)
