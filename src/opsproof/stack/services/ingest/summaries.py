"""What operators and administrators see of the whole."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.services import services_of
from opsproof.stack.services.ingest.options import options_of


@requires(Role.OPERATOR)
async def _stats(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT count(*) AS items, count(DISTINCT tenant) AS tenants FROM items"
    )
    return JSONResponse(rows[0])


@requires(Role.ADMIN)
async def _summary(request: Request) -> Response:
    services = services_of(request)
    rows = await services.database.query(
        "SELECT tenant, count(*) AS items FROM items GROUP BY tenant ORDER BY items DESC, tenant LIMIT 50"
    )
    limits = {
        "max_request_body_bytes": services.settings.max_request_body_bytes,
        "max_batch_items": options_of(request).max_batch_items,
    }
    return JSONResponse({"tenants": rows, "limits": limits})


ROUTES = (
    Route("/api/v1/stats", _stats, methods=["GET"]),
    Route("/api/v1/admin/summary", _summary, methods=["GET"]),
)
