"""The items API: single and batch ingest, reading, deleting."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.bodies import id_of, limit_of, parsed, storable, validated
from opsproof.stack.services.common.body_limit import too_large
from opsproof.stack.services.common.failures import ApiError
from opsproof.stack.services.common.services import services_of
from opsproof.stack.services.ingest.options import options_of

_INSERT = """
    INSERT INTO items (tenant, key, payload)
    SELECT * FROM unnest(%s::text[], %s::text[], %b::jsonb[])
    ON CONFLICT (tenant, key) DO NOTHING
    RETURNING id, tenant, key, created_at
"""


class Item(BaseModel):
    """One item; a tenant's key is stored once."""

    tenant: str = Field(min_length=1, max_length=64)
    key: str = Field(min_length=1, max_length=128)
    payload: dict[str, Any]


class Batch(BaseModel):
    """Items that are stored together or not at all."""

    items: list[Item] = Field(min_length=1)


class MediaType(StrEnum):
    """What a body may be: one JSON document, or one item a line."""

    JSON = "application/json"
    LINES = "application/x-ndjson"


@requires(Role.OPERATOR)
async def _create(request: Request) -> Response:
    item = validated(await _document(request, MediaType.JSON), Item)
    if stored := await _insert(request, [item]):
        return JSONResponse(_public(stored[0]), 201)
    services_of(request).metrics.count("ingest_items_total", result="duplicate")
    known = await services_of(request).database.query(
        "SELECT id, tenant, key, created_at FROM items WHERE tenant = %s AND key = %s", (item.tenant, item.key)
    )
    if not known:
        raise ApiError(409, "the item was deleted meanwhile; send it again")
    return JSONResponse(_public(known[0]))


@requires(Role.OPERATOR)
async def _create_batch(request: Request) -> Response:
    document = await _document(request, MediaType.JSON, MediaType.LINES)
    services = services_of(request)
    most = options_of(request).max_batch_items
    items = document.get("items") if isinstance(document, dict) else None
    if most and isinstance(items, list) and len(items) > most:
        defect = services.defects.current().refusal
        if defect == "truncate":
            document["items"] = items[:most]
        else:
            if defect == "store":
                await _insert(request, validated(document, Batch).items)
            services.metrics.count("ingest_refused_total", reason="batch_too_large")
            raise too_large(f"{len(items)} items are over the limit of {most}", services.defects)
    batch = validated(document, Batch)
    stored = await _insert(request, batch.items)
    services.metrics.count("ingest_items_total", len(batch.items) - len(stored), result="duplicate")
    return JSONResponse({"accepted": len(batch.items), "stored": len(stored)}, 201)


@requires(Role.READER)
async def _list(request: Request) -> Response:
    tenant = request.query_params.get("tenant")
    with storable():
        rows = await services_of(request).database.query(
            "SELECT * FROM items WHERE %s::text IS NULL OR tenant = %s ORDER BY created_at DESC, id LIMIT %s",
            (tenant, tenant, limit_of(request)),
        )
    return JSONResponse({"items": [_public(row) for row in rows]})


@requires(Role.READER)
async def _get(request: Request) -> Response:
    rows = await services_of(request).database.query("SELECT * FROM items WHERE id = %s", (id_of(request, "item_id"),))
    if not rows:
        raise ApiError(404, "there is no such item")
    return JSONResponse(_public(rows[0]))


@requires(Role.OPERATOR)
async def _delete(request: Request) -> Response:
    tenant = request.query_params.get("tenant")
    if not tenant:
        raise ApiError(422, "name the tenant whose items are to be deleted: ?tenant=NAME")
    with storable():
        rows = await services_of(request).database.query(
            "WITH gone AS (DELETE FROM items WHERE tenant = %s RETURNING 1) SELECT count(*) AS deleted FROM gone",
            (tenant,),
        )
    return JSONResponse(rows[0])


async def _document(request: Request, *taken: MediaType) -> Any:
    """The body, whatever its media type; what is too large is refused for that before anything else."""
    raw = await request.body()
    sent = request.headers.get("content-type", MediaType.JSON).partition(";")[0].strip().lower()
    if sent not in taken:
        raise ApiError(415, f"send {' or '.join(taken)}", headers={"Accept": ", ".join(taken)})
    if sent == MediaType.LINES:
        return {"items": [parsed(line) for line in raw.splitlines() if line.strip()]}
    return parsed(raw)


async def _insert(request: Request, items: list[Item]) -> list[dict[str, Any]]:
    columns = (
        [item.tenant for item in items],
        [item.key for item in items],
        [Jsonb(item.payload) for item in items],
    )
    services = services_of(request)
    with storable():
        stored = await services.database.query(_INSERT, columns)
    services.metrics.count("ingest_items_total", len(stored), result="stored")
    return stored


def _public(row: dict[str, Any]) -> dict[str, Any]:
    created: datetime = row["created_at"]
    return {**row, "id": str(row["id"]), "created_at": created.isoformat()}


ROUTES = (
    Route("/api/v1/items", _list, methods=["GET"]),
    Route("/api/v1/items", _create, methods=["POST"]),
    Route("/api/v1/items", _delete, methods=["DELETE"]),
    Route("/api/v1/items/batch", _create_batch, methods=["POST"]),
    Route("/api/v1/items/{item_id}", _get, methods=["GET"]),
)
