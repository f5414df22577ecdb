"""Inspector: history, traces, and what Diff, Regression and RCA say of the newest trace of each golden query."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.bodies import id_of, limit_of
from opsproof.stack.services.common.failures import ApiError
from opsproof.stack.services.common.services import Services, services_of
from opsproof.stack.services.ops_assistant import regression

_HISTORY = """
    SELECT id::text, query, asked_at, document ->> 'status' AS status, (document -> 'duration_ms')::float AS duration_ms
    FROM traces ORDER BY asked_at DESC, id LIMIT %s
"""
_NEWEST = "SELECT document FROM traces WHERE query = %s ORDER BY asked_at DESC, id LIMIT 1"
_PAIRS = """
    SELECT golden.name AS query, golden.baseline::text, baseline.document AS before, newest.id::text, newest.document
    FROM golden_queries AS golden
    JOIN traces AS baseline ON baseline.id = golden.baseline
    JOIN LATERAL (
        SELECT id, document FROM traces WHERE query = golden.name AND id <> golden.baseline
        ORDER BY asked_at DESC, id LIMIT 1
    ) AS newest ON true
    ORDER BY golden.name
"""
_VERDICTS = ("PASS", "WARN", "FAIL")


@requires(Role.READER)
async def _history(request: Request) -> Response:
    rows = await services_of(request).database.query(_HISTORY, (limit_of(request),))
    return JSONResponse({"history": [{**row, "asked_at": _text(row["asked_at"])} for row in rows]})


@requires(Role.READER)
async def _trace(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT document FROM traces WHERE id = %s", (id_of(request, "trace_id"),)
    )
    return _document(rows)


@requires(Role.READER)
async def _latest(request: Request) -> Response:
    query = request.query_params.get("query", "")
    return _document(await services_of(request).database.query(_NEWEST, (query,)))


@requires(Role.READER)
async def _regression(request: Request) -> Response:
    pairs = await _pairs(services_of(request))
    results = [_result(pair) for pair in pairs]
    worst = max((result["verdict"] for result in results), key=_VERDICTS.index, default=None)
    # No rows because a tool failed are no result that is empty.
    lowest = min((result["row_ratio"] for result in results if not result["error"]), default=None)
    return JSONResponse({"verdict": worst, "lowest_row_ratio": lowest, "results": results})


@requires(Role.READER)
async def _diff(request: Request) -> Response:
    pairs = await _pairs(services_of(request))
    return JSONResponse({"diffs": {pair["query"]: regression.diff(pair["before"], pair["document"]) for pair in pairs}})


@requires(Role.READER)
async def _rca(request: Request) -> Response:
    pairs = await _pairs(services_of(request))
    fired = [
        {"query": pair["query"], "trace_id": pair["id"], **rule}
        for pair in pairs
        for rule in regression.rules(pair["before"], pair["document"])
    ]
    return JSONResponse({"traces": len(pairs), "fired": fired})


async def _pairs(services: Services) -> list[dict[str, Any]]:
    return await services.database.query(_PAIRS)


def _result(pair: dict[str, Any]) -> dict[str, Any]:
    verdict, reason = regression.judge(pair["before"], pair["document"])
    return {
        "query": pair["query"],
        "baseline_id": pair["baseline"],
        "baseline_query": pair["before"]["query"],
        "trace_id": pair["id"],
        "verdict": verdict,
        "verdict_reason": reason,
        "error": pair["document"].get("meta", {}).get("error"),
        "row_ratio": round(regression.row_ratio(pair["before"], pair["document"]), 4),
    }


def _document(rows: list[dict[str, Any]]) -> Response:
    if not rows:
        raise ApiError(404, "there is no such trace")
    return JSONResponse(rows[0]["document"])


def _text(moment: datetime) -> str:
    return moment.isoformat()


ROUTES = (
    Route("/api/ops/history", _history, methods=["GET"]),
    Route("/api/ops/traces/latest", _latest, methods=["GET"]),
    Route("/api/ops/traces/{trace_id}", _trace, methods=["GET"]),
    Route("/api/ops/regression", _regression, methods=["GET"]),
    Route("/api/ops/diff", _diff, methods=["GET"]),
    Route("/api/ops/rca", _rca, methods=["GET"]),
)
