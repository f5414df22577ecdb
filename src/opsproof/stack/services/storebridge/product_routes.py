"""The products API: validate, register, look, try again."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.bodies import id_of, limit_of, read_json, storable
from opsproof.stack.services.common.failures import ApiError
from opsproof.stack.services.common.rows import public
from opsproof.stack.services.common.services import services_of
from opsproof.stack.services.storebridge.audit import note
from opsproof.stack.services.storebridge.queue_names import NORMAL
from opsproof.stack.services.storebridge.rules import Correction, ProductInput, problems_of
from opsproof.stack.services.storebridge.submitting import submit

_KEEP = """
    INSERT INTO products (domeggook_item_id, name, category, attributes) VALUES (%s, %s, %s, %s)
    ON CONFLICT (domeggook_item_id) DO UPDATE SET name = EXCLUDED.name, category = EXCLUDED.category,
        attributes = EXCLUDED.attributes, state = 'QUEUED', error_code = NULL, updated_at = now()
    RETURNING id
"""
_CORRECT = """
    WITH settled AS (
        UPDATE product_registrations SET state = 'RESOLVED' WHERE product_id = %(id)s AND state = 'MANUAL_REVIEW'
    )
    UPDATE products SET name = coalesce(%(name)s, name), category = coalesce(%(category)s, category),
        attributes = coalesce(%(attributes)s, attributes), state = 'QUEUED', error_code = NULL, updated_at = now()
    WHERE id = %(id)s RETURNING id
"""


@requires(Role.OPERATOR)
async def _validate(request: Request) -> Response:
    product = await read_json(request, ProductInput)
    problems = problems_of(product.name, product.category, product.attributes)
    return JSONResponse({"domeggook_item_id": product.domeggook_item_id, "valid": not problems, "errors": problems})


@requires(Role.OPERATOR)
async def _register(request: Request) -> Response:
    product = await read_json(request, ProductInput)
    with storable():
        rows = await services_of(request).database.query(
            _KEEP, (product.domeggook_item_id, product.name, product.category, Jsonb(product.attributes))
        )
    return await _submitted(request, rows[0], "register")


@requires(Role.READER)
async def _list(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT * FROM products ORDER BY created_at DESC, id LIMIT %s", (limit_of(request),)
    )
    return JSONResponse({"products": [public(row) for row in rows]})


@requires(Role.READER)
async def _get(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT * FROM products WHERE id = %s", (id_of(request, "product_id"),)
    )
    if not rows:
        raise ApiError(404, "there is no such product")
    return JSONResponse(public(rows[0]))


@requires(Role.OPERATOR)
async def _retry(request: Request) -> Response:
    correction = await read_json(request, Correction) if await request.body() else Correction()
    changed = {
        "id": id_of(request, "product_id"),
        "name": correction.name,
        "category": correction.category,
        "attributes": None if correction.attributes is None else Jsonb(correction.attributes),
    }
    with storable():
        rows = await services_of(request).database.query(_CORRECT, changed)
    if not rows:
        raise ApiError(404, "there is no such product")
    return await _submitted(request, rows[0], "retry")


async def _submitted(request: Request, row: dict[str, Any], action: str) -> Response:
    job_id = await submit(request, NORMAL, [row["id"]])
    await note(request, action, f"product {row['id']}")
    return JSONResponse({"product_id": str(row["id"]), "job_id": job_id, "status": "PENDING"}, 202)


ROUTES = (
    Route("/v1/products", _list, methods=["GET"]),
    Route("/v1/products", _register, methods=["POST"]),
    Route("/v1/products/validate", _validate, methods=["POST"]),
    Route("/v1/products/{product_id}", _get, methods=["GET"]),
    Route("/v1/products/{product_id}/retry", _retry, methods=["POST"]),
)
