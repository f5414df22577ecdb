"""Builds the ASGI application of a system."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware

from opsproof.stack.services.common import whereabouts
from opsproof.stack.services.common.body_limit import BodyLimit
from opsproof.stack.services.common.cache import open_cache
from opsproof.stack.services.common.database import Database
from opsproof.stack.services.common.defects import DefectsFile
from opsproof.stack.services.common.failures import EXCEPTION_HANDLERS
from opsproof.stack.services.common.health import ROUTES, is_ready
from opsproof.stack.services.common.lingering import Lingering
from opsproof.stack.services.common.metrics import Metrics
from opsproof.stack.services.common.misbehaviour import Misbehaviour
from opsproof.stack.services.common.named_database import NamedDatabase
from opsproof.stack.services.common.request_scope import RequestScope
from opsproof.stack.services.common.services import Services, System
from opsproof.stack.services.common.settings import Settings
from opsproof.stack.services.common.users import Users


def build_app(system: System, settings: Settings, options: Any, defects: DefectsFile, port: int) -> Starlette:
    """
    The application of a system; call it inside the event loop that will serve it.

    Nothing is waited for: a service starts while its database is still starting.

    Args:
        port: Where it will be served, for its users.
    """
    named = settings.database_srv != ""
    system = replace(system, routes=(*ROUTES, *(whereabouts.ROUTES if named else ()), *system.routes))
    info = {
        "system": system.name,
        "version": settings.version,
        "commit": settings.commit,
        "instance": settings.instance,
    }
    services = Services(
        system=system,
        settings=settings,
        options=options,
        defects=defects,
        metrics=Metrics(info, system.counters, system.histograms),
        database=Database(
            NamedDatabase(settings.database_url, settings.database_srv, settings.dns_resolver)
            if named
            else settings.database_url,
            f"{system.name}-api",
            system.pool(options),
            settings.statement_seconds,
        ),
        cache=open_cache(settings.redis_url),
    )
    if system.background is not None:
        services.background = system.background(services)
    users = Users(system.users, port, settings, defects, lambda: is_ready(services))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await services.database.open()
        if services.background is not None:
            await services.background.start()
        users.start()
        yield
        await users.stop()
        if services.background is not None:
            await services.background.stop()
        await services.database.close()
        await services.cache.aclose()

    app = Starlette(
        routes=list(system.routes),
        middleware=[
            Middleware(Lingering),
            Middleware(RequestScope, services=services),
            Middleware(Misbehaviour, services=services),
            Middleware(
                BodyLimit,
                limit=settings.max_request_body_bytes,
                seconds=settings.max_request_body_seconds,
                defects=defects,
            ),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
    app.state.services = services
    return app
