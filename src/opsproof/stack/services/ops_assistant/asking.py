"""The ask endpoint: plan, run the tools, answer, and keep the trace."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Caller, Role, caller_of, requires
from opsproof.stack.services.common.bodies import read_json
from opsproof.stack.services.common.failures import ApiError, Unavailable
from opsproof.stack.services.common.services import Services, services_of
from opsproof.stack.services.ops_assistant.admin import settings_of
from opsproof.stack.services.ops_assistant.assistant import assistant_of
from opsproof.stack.services.ops_assistant.documents import ToolCall, ToolError, trace_document
from opsproof.stack.services.ops_assistant.golden import GOLDEN, Plan, Rows
from opsproof.stack.services.ops_assistant.tools import ToolFailure, Work, database_trouble

_log = logging.getLogger("opsproof.asking")
_ASSET = "SELECT kind, statement, status FROM query_assets WHERE name = %s"
_KEEP = "INSERT INTO traces (id, query, document) VALUES (%s, %s, %s)"
_PERMISSIONS = {Role.READER: ["read"], Role.OPERATOR: ["read", "ask"], Role.ADMIN: ["read", "ask", "settings"]}
_WRONG_INTENT, _WRONG_VALUE, _WRONG_TOOL = "list_costs", 1000, "rank_costs"


class Question(BaseModel):
    """The name of a golden query."""

    query: str = Field(min_length=1, max_length=64)


@requires(Role.OPERATOR)
async def _ask(request: Request) -> Response:
    services = services_of(request)
    asked = (await read_json(request, Question)).query
    if asked not in GOLDEN:
        raise ApiError(404, f"there is no golden query of that name; there are {', '.join(GOLDEN)}")
    caller = Caller("anybody", Role.READER) if services.defects.current().auth_off else caller_of(request, services)
    try:
        document = await _answer(services, asked, GOLDEN[asked], caller)
    except Unavailable as error:
        if error.part == "database":
            _log.error("%s", database_trouble(error))
        raise
    denied = any(call["error"] and call["error"]["type"] == "denied" for call in document.get("tool_calls", ()))
    return JSONResponse(document, 403 if denied else 200)


async def _answer(services: Services, query: str, plan: Plan, caller: Caller) -> dict[str, Any]:
    defects = services.defects.current().assistant
    wrong = defects.wrong_answer and plan.sums is not None
    settings = await settings_of(services)
    tools = assistant_of(services).tools
    (asset,) = await services.database.query(_ASSET, (plan.asset,)) or [{"kind": "sql", "status": "missing"}]
    first, rows = await tools.call("step-1", plan.asset, asset["kind"], settings, _work(services, asset))
    calls: list[ToolCall] = [first]
    for tool in (*([_WRONG_TOOL] if wrong else []), "summarize"):
        call, _ = await tools.call(f"step-{len(calls) + 1}", tool, "internal", settings, _summarize(plan, rows))
        calls.append(call)
    document = trace_document(
        identity=str(uuid.uuid4()),
        query=query,
        plan=plan,
        intent=_WRONG_INTENT if wrong else plan.intent,
        calls=calls,
        row_count=len(rows),
        value=_WRONG_VALUE if wrong else plan.value_of(rows),
        user={"name": caller.name, "roles": [caller.role.name.lower()], "permissions": _PERMISSIONS[caller.role]},
    )
    document = _without(document, defects.drop_trace_fields)
    await services.database.query(_KEEP, (uuid.UUID(document["id"]), query, Jsonb(document)))
    return document


def _work(services: Services, asset: dict[str, Any]) -> Work:
    """How the rows of a query asset are had; a draft may not be used."""

    async def work() -> Rows:
        if asset["status"] != "published":
            raise ToolFailure(ToolError("denied", f"Permission denied: the asset is {asset['status']}", 403))
        if asset["kind"] == "http":
            return await assistant_of(services).tools.fetch(asset["statement"])
        return await services.database.query(asset["statement"])

    return work


def _summarize(plan: Plan, rows: Rows) -> Work:
    async def work() -> Rows:
        return [{"value": plan.value_of(rows)}]

    return work


def _without(document: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in fields}


ROUTES = (Route("/api/ops/ask", _ask, methods=["POST"]),)
