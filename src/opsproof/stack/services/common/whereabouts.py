"""Which database a service is really on: asked of the server behind each connection of its pool."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.services import services_of

_WHERE = """
    SELECT host(inet_server_addr()) AS server_address, inet_server_port() AS server_port, pg_backend_pid() AS pid,
        current_database()::text AS database, current_user::text AS role,
        (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
        pg_is_in_recovery() AS in_recovery,
        CASE WHEN NOT pg_is_in_recovery()
            THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END AS timeline
"""


@requires(Role.ADMIN)
async def _database(request: Request) -> Response:
    """The timeline is that of the WAL file that is written; a server in recovery writes none."""
    database = services_of(request).database
    connections = await database.on_each(_WHERE)
    return JSONResponse({"connections": connections, "pool": database.usage()})


ROUTES = (Route("/admin/database", _database, methods=["GET"]),)
"""The route that a service has whose database is found by name."""
