"""The judgment API, with the what-if simulation of runbook 001 (4.4)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.bodies import limit_of, read_json, storable
from opsproof.stack.services.common.failures import ApiError
from opsproof.stack.services.common.rows import public
from opsproof.stack.services.common.services import services_of
from opsproof.stack.services.factory_ai.engine import engine_of
from opsproof.stack.services.factory_ai.judgments import JudgmentRequest
from opsproof.stack.services.factory_ai.rules import judge_by_rules, ruleset

_ABSENT = "there is no such execution"


class OverrideVersions(BaseModel):
    """Versions to judge with instead of the recorded ones."""

    model_config = ConfigDict(extra="forbid")

    ruleset: str


class SimulationRequest(BaseModel):
    """An execution to judge once more."""

    execution_id: str = Field(min_length=1)
    override_versions: OverrideVersions


@requires(Role.OPERATOR)
async def _execute(request: Request) -> Response:
    asked = await read_json(request, JudgmentRequest)
    with storable():
        return JSONResponse(await engine_of(request).judge.execute(asked), 201)


@requires(Role.READER)
async def _list(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT * FROM core.judgment_executions ORDER BY executed_at DESC, id LIMIT %s", (limit_of(request),)
    )
    return JSONResponse({"executions": [public(row) for row in rows]})


@requires(Role.READER)
async def _get(request: Request) -> Response:
    return JSONResponse(public(await _execution(request, request.path_params["execution_id"])))


@requires(Role.OPERATOR)
async def _delete(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "DELETE FROM core.judgment_executions WHERE id = %s RETURNING 1", (request.path_params["execution_id"],)
    )
    if not rows:
        raise ApiError(404, _ABSENT)
    return Response(status_code=204)


@requires(Role.OPERATOR)
async def _simulate(request: Request) -> Response:
    asked = await read_json(request, SimulationRequest)
    services = services_of(request)
    recorded = await _execution(request, asked.execution_id)
    ignored = services.defects.current().factory.simulation_ignores_versions
    rules = await ruleset(services, recorded["ruleset_version"] if ignored else asked.override_versions.ruleset)
    opinion = judge_by_rules(rules.rules, recorded["input"])
    original = {name: recorded[name] for name in ("ruleset_version", "result", "confidence")}
    simulated = {"ruleset_version": rules.version, "result": opinion.result, "confidence": opinion.confidence}
    return JSONResponse(
        {
            "execution_id": asked.execution_id,
            "original": original,
            "simulated": simulated,
            "changed": original["result"] != simulated["result"],
        }
    )


async def _execution(request: Request, execution_id: str) -> dict[str, Any]:
    rows = await services_of(request).database.query(
        "SELECT * FROM core.judgment_executions WHERE id = %s", (execution_id,)
    )
    if not rows:
        raise ApiError(404, _ABSENT)
    return rows[0]


ROUTES = (
    Route("/api/v1/judgment/executions", _list, methods=["GET"]),
    Route("/api/v1/judgment/executions", _execute, methods=["POST"]),
    Route("/api/v1/judgment/executions/{execution_id}", _get, methods=["GET"]),
    Route("/api/v1/judgment/executions/{execution_id}", _delete, methods=["DELETE"]),
    Route("/api/v1/judgment/simulate", _simulate, methods=["POST"]),
)
