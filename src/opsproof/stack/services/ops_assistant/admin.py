"""Settings Admin, users, and the pages that need a login."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.services import Services, services_of
from opsproof.stack.services.ops_assistant.golden import DEFAULTS

_PAGE = "<!DOCTYPE html><html lang=ko><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"


async def settings_of(services: Services) -> dict[str, Any]:
    """The settings in force; a key that somebody deleted has its first value."""
    rows = await services.database.query("SELECT key, value FROM app_settings")
    return DEFAULTS | {row["key"]: row["value"] for row in rows}


@requires(Role.OPERATOR)
async def _settings(request: Request) -> Response:
    return JSONResponse(await settings_of(services_of(request)))


@requires(Role.ADMIN)
async def _summary(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT (SELECT count(*) FROM query_assets) AS assets, (SELECT count(*) FROM app_settings) AS settings"
    )
    users = [{"name": role.name.lower(), "roles": [role.name.lower()]} for role in Role]
    return JSONResponse({"users": users, **rows[0]})


@requires(Role.READER)
async def _inspector(request: Request) -> Response:
    return HTMLResponse(_PAGE.format(title="Inspector"))


@requires(Role.ADMIN)
async def _observability(request: Request) -> Response:
    return HTMLResponse(_PAGE.format(title="Observability Dashboard"))


@requires(Role.ADMIN)
async def _settings_page(request: Request) -> Response:
    return HTMLResponse(_PAGE.format(title="Settings Admin"))


ROUTES = (
    Route("/api/ops/settings", _settings, methods=["GET"]),
    Route("/api/v1/admin/summary", _summary, methods=["GET"]),
    Route("/ops", _inspector, methods=["GET"]),
    Route("/admin/observability", _observability, methods=["GET"]),
    Route("/admin/settings", _settings_page, methods=["GET"]),
)
