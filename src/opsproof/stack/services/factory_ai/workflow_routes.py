"""The workflow API."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.bodies import limit_of, read_json, storable
from opsproof.stack.services.common.failures import ApiError, Unavailable
from opsproof.stack.services.common.rows import public
from opsproof.stack.services.common.services import services_of
from opsproof.stack.services.factory_ai.engine import engine_of

_ABSENT = "there is no such workflow instance"
_DELETE = "DELETE FROM workflow_instances WHERE id = %s RETURNING 1"


class InstanceRequest(BaseModel):
    """A workflow to be run."""

    workflow_id: str
    input: dict[str, Any] = Field(default_factory=dict)


@requires(Role.OPERATOR)
async def _create(request: Request) -> Response:
    asked = await read_json(request, InstanceRequest)
    database = services_of(request).database
    with storable():
        rows = await database.query(
            "INSERT INTO workflow_instances (workflow_id, input)"
            " SELECT id, %s FROM workflows WHERE id = %s RETURNING id",
            (Jsonb(asked.input), asked.workflow_id),
        )
    if not rows:
        raise ApiError(422, "workflow_id: there is no such workflow")
    instance_id = rows[0]["id"]
    try:
        await engine_of(request).workflows.submit(instance_id)
    except Unavailable:  # what cannot be queued was never accepted
        await database.query(_DELETE, (instance_id,))
        raise
    return JSONResponse({"instance_id": instance_id, "status": "PENDING"}, 202)


@requires(Role.READER)
async def _list(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT * FROM workflow_instances ORDER BY created_at DESC, id LIMIT %s", (limit_of(request),)
    )
    return JSONResponse({"instances": [public(row) for row in rows]})


@requires(Role.READER)
async def _get(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT * FROM workflow_instances WHERE id = %s", (request.path_params["instance_id"],)
    )
    if not rows:
        raise ApiError(404, _ABSENT)
    return JSONResponse(public(rows[0]))


@requires(Role.OPERATOR)
async def _delete(request: Request) -> Response:
    if not await services_of(request).database.query(_DELETE, (request.path_params["instance_id"],)):
        raise ApiError(404, _ABSENT)
    return Response(status_code=204)


@requires(Role.ADMIN)
async def _summary(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT status, count(*) AS count FROM workflow_instances GROUP BY status ORDER BY status"
    )
    return JSONResponse({"workflow_instances": rows})


ROUTES = (
    Route("/api/v1/workflows", _list, methods=["GET"]),
    Route("/api/v1/workflows", _create, methods=["POST"]),
    Route("/api/v1/workflows/{instance_id}", _get, methods=["GET"]),
    Route("/api/v1/workflows/{instance_id}", _delete, methods=["DELETE"]),
    Route("/api/v1/admin/summary", _summary, methods=["GET"]),
)
