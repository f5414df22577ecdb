"""The data explorer: pages of a query asset's rows, kept in the cache; the assets themselves; the resources."""

from __future__ import annotations

import json
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.bodies import limit_of
from opsproof.stack.services.common.cache import cache_errors
from opsproof.stack.services.common.failures import ApiError, Unavailable
from opsproof.stack.services.common.services import Services, services_of
from opsproof.stack.services.ops_assistant.admin import settings_of
from opsproof.stack.services.ops_assistant.assistant import assistant_of

CACHE_COUNTER = "ops_cache_requests_total"
_ASSET = "SELECT statement FROM query_assets WHERE name = %s AND kind = 'sql' AND status = 'published'"
_ASSETS = """
    SELECT name, kind, status, in_use, version, published_by, published_at::text,
        (SELECT (document #>> '{references,0,row_count}')::int FROM traces
         WHERE document #>> '{references,0,asset}' = name ORDER BY asked_at DESC LIMIT 1) AS row_count
    FROM query_assets ORDER BY name
"""
_MORE_THAN_THERE_IS = 1 << 60


@requires(Role.READER)
async def _data(request: Request) -> Response:
    services = services_of(request)
    defects = services.defects.current().assistant
    if defects.memory_errors:
        bytearray(_MORE_THAN_THERE_IS)  # a real MemoryError
    name, limit = request.path_params["asset"], limit_of(request)
    offset = limit_of(request, name="offset", default=1, most=1_000_000) - 1
    ttl = int((await settings_of(services))["ops_cache_ttl_seconds"])
    key = f"ops-assistant:data:{name}:{limit}:{offset}"
    if services.defects.falls_on("cache miss", defects.cache_miss_share):
        key += f":{uuid.uuid4()}"  # a release whose keys never repeat
    async with assistant_of(services).one_page:  # what many ask at once is read once
        kept = await _kept(services, key) if ttl else None
        services.metrics.count(CACHE_COUNTER, result="miss" if kept is None else "hit")
        if kept is None:
            kept = await _page(services, name, limit, offset)
            if ttl:
                await _keep(services, key, kept, ttl)
    return JSONResponse(kept)


@requires(Role.READER)
async def _assets(request: Request) -> Response:
    return JSONResponse({"assets": await services_of(request).database.query(_ASSETS)})


@requires(Role.READER)
async def _resources(request: Request) -> Response:
    return JSONResponse(assistant_of(services_of(request)).memory())


async def _page(services: Services, name: str, limit: int, offset: int) -> dict[str, Any]:
    found = await services.database.query(_ASSET, (name,))
    if not found:
        raise ApiError(404, "there is no published SQL asset of that name")
    statement = f"SELECT * FROM ({found[0]['statement']}) AS asset LIMIT {limit + 1} OFFSET {offset}"  # noqa: S608
    rows = await services.database.query(statement)
    following = offset + limit + 1
    after = f"/api/ops/data/{name}?limit={limit}&offset={following}" if len(rows) > limit else None
    return {"asset": name, "rows": rows[:limit], "row_count": len(rows[:limit]), "next": after}


async def _kept(services: Services, key: str) -> dict[str, Any] | None:
    """What the cache has; without a usable cache, nothing."""
    try:
        with cache_errors():
            raw = await services.cache.get(key)
    except Unavailable:
        return None
    page: dict[str, Any] | None = json.loads(raw) if raw else None
    return page


async def _keep(services: Services, key: str, page: dict[str, Any], ttl: int) -> None:
    try:
        with cache_errors():
            await services.cache.set(key, json.dumps(page), ex=ttl)
    except Unavailable:
        return


ROUTES = (
    Route("/api/ops/data/{asset}", _data, methods=["GET"]),
    Route("/api/ops/assets", _assets, methods=["GET"]),
    Route("/api/ops/resources", _resources, methods=["GET"]),
)
