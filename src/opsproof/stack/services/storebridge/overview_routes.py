"""What the rounds look at: what waits for a person, what is left of the quotas, and the whole in numbers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.bodies import limit_of
from opsproof.stack.services.common.rows import public
from opsproof.stack.services.common.services import services_of
from opsproof.stack.services.storebridge.quotas import read_quotas

_REVIEW = """
    WITH waiting AS (SELECT * FROM product_registrations WHERE state = 'MANUAL_REVIEW')
    SELECT total, page.* FROM (SELECT count(*) AS total FROM waiting) AS found
    LEFT JOIN (
        SELECT id, product_id, error_code, error_message, created_at FROM waiting ORDER BY created_at, id LIMIT %s
    ) AS page ON true
"""


@requires(Role.READER)
async def _manual_review(request: Request) -> Response:
    size = limit_of(request, name="page_size")
    rows = await services_of(request).database.query(_REVIEW, (size,))
    items = [{key: value for key, value in row.items() if key != "total"} for row in rows if row["id"] is not None]
    return JSONResponse(
        {"items": [public(item) for item in items], "pagination": {"total": rows[0]["total"], "page_size": size}}
    )


@requires(Role.READER)
async def _quotas(request: Request) -> Response:
    quotas = await read_quotas(services_of(request))
    return JSONResponse(
        {
            "quotas": [
                {"api_name": quota.api_name, "limit": quota.limit, "used": quota.used, "remaining": quota.remaining}
                for quota in quotas
            ]
        }
    )


@requires(Role.ADMIN)
async def _summary(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT 'products' AS kind, state, count(*) AS count FROM products GROUP BY state"
        " UNION ALL SELECT 'jobs', status, count(*) FROM jobs GROUP BY status ORDER BY kind, state"
    )
    return JSONResponse({"summary": rows})


ROUTES = (
    Route("/v1/admin/summary", _summary, methods=["GET"]),
    Route("/v1/manual-review", _manual_review, methods=["GET"]),
    Route("/v1/quotas", _quotas, methods=["GET"]),
)
