"""The learning API: versions of the rules, and the way back to an older one (runbook 001, 4.4)."""

from __future__ import annotations

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.bodies import read_json
from opsproof.stack.services.common.failures import ApiError
from opsproof.stack.services.common.rows import public
from opsproof.stack.services.common.services import services_of

_ROLL_BACK = """
    WITH back AS (
        UPDATE rule_deployments SET status = 'ROLLED_BACK', rollback_occurred = true
        WHERE deployment_id = %s AND NOT rollback_occurred RETURNING old_version
    ), off AS (
        UPDATE rulesets SET active = false FROM back WHERE active AND version <> old_version RETURNING 1
    )
    SELECT old_version FROM back
"""
_RULESETS = "SELECT version, active, created_at FROM rulesets ORDER BY version"
_DEPLOYMENTS = "SELECT * FROM rule_deployments ORDER BY deployed_at DESC LIMIT 20"
_ACTIVATE = "UPDATE rulesets SET active = true WHERE version = %s RETURNING version"


class RollbackRequest(BaseModel):
    """A deployment to be undone."""

    deployment_id: str


@requires(Role.OPERATOR)
async def _roll_back(request: Request) -> Response:
    asked = await read_json(request, RollbackRequest)
    database = services_of(request).database
    rows = await database.query(_ROLL_BACK, (asked.deployment_id,))
    if not rows:
        raise ApiError(404, "there is no such deployment, or it was rolled back before")
    await database.query(_ACTIVATE, (rows[0]["old_version"],))
    return JSONResponse({"deployment_id": asked.deployment_id, "active_version": rows[0]["old_version"]})


@requires(Role.READER)
async def _rulesets(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT version, active, created_at FROM rulesets ORDER BY version"
    )
    return JSONResponse({"rulesets": [public(row) for row in rows]})


@requires(Role.READER)
async def _deployments(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT * FROM rule_deployments ORDER BY deployed_at DESC LIMIT 20"
    )
    return JSONResponse({"deployments": [public(row) for row in rows]})


ROUTES = (
    Route("/api/v1/learning/rollback", _roll_back, methods=["POST"]),
    Route("/api/v1/learning/rulesets", _rulesets, methods=["GET"]),
    Route("/api/v1/learning/deployments", _deployments, methods=["GET"]),
)
