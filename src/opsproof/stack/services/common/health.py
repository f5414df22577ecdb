"""The health endpoints: liveness asks nothing, readiness and the details ask what the service depends on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

import psycopg
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.cache import cache_errors
from opsproof.stack.services.common.context import context_of
from opsproof.stack.services.common.failures import Unavailable
from opsproof.stack.services.common.services import Services, services_of

Component = dict[str, Any]

_DATABASE_SECONDS = 1.5
_PROBE_TTL_SECONDS = 10


async def is_ready(services: Services) -> bool:
    """Whether everything that the service needs is healthy, as /health/ready says it."""
    return _all_healthy(await _components(services))


async def _health(request: Request) -> Response:
    services = services_of(request)
    database, cache = await asyncio.gather(_component(_database(services)), _component(_cache(services)))
    version = context_of(request.scope).version
    more = services.system.health_body(services, database)
    if database["status"] != "healthy":
        return JSONResponse({"status": "unhealthy", "version": version, **more}, 503)
    status = "healthy" if cache["status"] == "healthy" else "degraded"
    return JSONResponse({"status": status, "version": version, **more})


async def _live(request: Request) -> Response:
    return JSONResponse({"status": "alive"})


async def _ready(request: Request) -> Response:
    components = await _components(services_of(request))
    ready = _all_healthy(components)
    brief = {name: component["status"] for name, component in components.items()}
    return JSONResponse({"status": "ready" if ready else "degraded", "components": brief}, 200 if ready else 503)


async def _detailed(request: Request) -> Response:
    components = await _components(services_of(request))
    healthy = _all_healthy(components)
    body = {
        "status": "healthy" if healthy else "unhealthy",
        "version": context_of(request.scope).version,
        "components": components,
    }
    return JSONResponse(body, 200 if healthy else 503)


async def _version(request: Request) -> Response:
    settings = services_of(request).settings
    version = context_of(request.scope).version
    return JSONResponse({"version": version, "commit": settings.commit, "instance": settings.instance})


async def _metrics(request: Request) -> Response:
    services = services_of(request)
    collect = services.system.collect
    extra = await collect(services) if collect else ()
    defects = services.defects.current()
    text = services.metrics.exposition(extra, frozen=defects.freeze_metrics)
    for name, other in defects.rename_metrics.items():
        text = text.replace(name.encode(), other.encode())
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


async def _components(services: Services) -> dict[str, Component]:
    asked = {"database": _component(_database(services)), "redis": _component(_cache(services))}
    if services.background is not None:
        asked["background_tasks"] = _component(services.background.details())
    answers = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
    for name in services.defects.current().drop_components:
        answers.pop(name, None)
    return answers


async def _component(question: Awaitable[dict[str, Any]]) -> Component:
    started = time.perf_counter()
    try:
        outcome = {"status": "healthy", **await question}
    except Unavailable as error:
        outcome = {"status": "unhealthy", "error": error.reason}
    return {**outcome, "latency_ms": round((time.perf_counter() - started) * 1000, 2)}


async def _database(services: Services) -> dict[str, Any]:
    try:
        await services.database.query(services.system.health_query, seconds=_DATABASE_SECONDS)
    except psycopg.errors.UndefinedTable:
        raise Unavailable("database", "a table is missing") from None
    return {"pool": services.database.usage()}


async def _cache(services: Services) -> dict[str, Any]:
    """Ask for a write, not for a PING: a full or read-only Redis answers PING as if all were well."""
    settings = services.settings
    with cache_errors():
        await services.cache.set(f"{settings.system}:health:{settings.instance}", "1", ex=_PROBE_TTL_SECONDS)
    return {}


def _all_healthy(components: dict[str, Component]) -> bool:
    return all(component["status"] == "healthy" for component in components.values())


ROUTES = (
    Route("/health", _health),
    Route("/health/live", _live),
    Route("/health/ready", _ready),
    Route("/health/detailed", _detailed),
    Route("/version", _version),
    Route("/metrics", _metrics),
)
"""The routes that every service has, none of which asks for a credential."""
