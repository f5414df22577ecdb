"""The audit log: who did what to which thing."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, caller_of, requires
from opsproof.stack.services.common.bodies import limit_of
from opsproof.stack.services.common.rows import public
from opsproof.stack.services.common.services import services_of


async def note(request: Request, action: str, subject: str) -> None:
    """Write down that the caller of a request did something."""
    services = services_of(request)
    actor = "anybody" if services.defects.current().auth_off else caller_of(request, services).name
    await services.database.query(
        "INSERT INTO audit_logs (actor, action, subject) VALUES (%s, %s, %s)", (actor, action, subject)
    )


@requires(Role.ADMIN)
async def _list(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT * FROM audit_logs ORDER BY created_at DESC, id DESC LIMIT %s", (limit_of(request),)
    )
    return JSONResponse({"audit_logs": [public(row) for row in rows]})


ROUTES = (Route("/v1/audit-logs", _list, methods=["GET"]),)
