"""
The rate limit: a fixed window in Redis.

The documented degraded mode: without a usable Redis every request is let through, and says so in a header.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, caller_of, requires
from opsproof.stack.services.common.cache import cache_errors
from opsproof.stack.services.common.failures import ApiError, Unavailable
from opsproof.stack.services.common.services import services_of


@dataclass(frozen=True)
class Limit:
    """So many requests in a window of so many seconds."""

    requests: int
    seconds: int


NORMAL = Limit(1000, 10)
PROBE = Limit(5, 4)
"""The limit of the probe key, low enough to be reached by a check without harming anybody."""


@requires(Role.READER)
async def _limits(request: Request) -> Response:
    services = services_of(request)
    caller_name, limit = _who(request)
    now = time.time()
    window = int(now // limit.seconds)
    try:
        used = await _count(services.cache, f"ratelimit:{caller_name}:{window}", limit)
    except Unavailable:
        body = {"limit": limit.requests, "window_seconds": limit.seconds, "backend": "unavailable"}
        return JSONResponse(body, headers={"X-RateLimit-Backend": "unavailable"})
    remaining = max(0, limit.requests - used)
    headers = {"X-RateLimit-Limit": str(limit.requests), "X-RateLimit-Remaining": str(remaining)}
    if used > limit.requests and not services.defects.current().rate_limit_off:
        services.metrics.count("ingest_refused_total", reason="rate_limited")
        wait = max(1, math.ceil((window + 1) * limit.seconds - now))
        message = f"more than {limit.requests} requests in {limit.seconds} s"
        raise ApiError(429, message, headers={**headers, "Retry-After": str(wait)})
    body = {"limit": limit.requests, "window_seconds": limit.seconds, "backend": "redis", "remaining": remaining}
    return JSONResponse(body, headers=headers)


def _who(request: Request) -> tuple[str, Limit]:
    services = services_of(request)
    if services.defects.current().auth_off:
        return "anybody", NORMAL
    caller = caller_of(request, services)
    return caller.name, PROBE if caller.probing else NORMAL


async def _count(cache: Redis, key: str, limit: Limit) -> int:
    with cache_errors():
        async with cache.pipeline(transaction=True) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, limit.seconds + 1)
            used, _ = await pipeline.execute()
    return int(used)


ROUTES = (Route("/api/v1/limits", _limits, methods=["GET"]),)
