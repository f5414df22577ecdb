"""What a system is made of, and what its running service holds."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from prometheus_client.metrics_core import Metric
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.routing import Route

from opsproof.stack.services.common.database import Database, PoolSize
from opsproof.stack.services.common.defects import DefectsFile
from opsproof.stack.services.common.metrics import CounterSpec, HistogramSpec, Metrics
from opsproof.stack.services.common.settings import Settings, SettingsError, Variables
from opsproof.stack.services.common.users import Visit

_PACKAGE = "opsproof.stack.services"


class Background(Protocol):
    """What works off a system's jobs, seen from its API."""

    async def start(self) -> None:
        """Begin; must not wait for anything outside the process."""

    async def stop(self) -> None:
        """End and release what is held."""

    async def details(self) -> dict[str, Any]:
        """What is known of it for /health/detailed; raises Unavailable if it does not work."""


@dataclass(frozen=True)
class System:
    """
    One system: its own routes, settings, counters and background work.

    Args:
        name: As in the profiles.
        health_query: A cheap statement on a table of the system, for its health.
        routes: Its API.
        configure: Reads its own settings; they land in `Services.options`.
        counters: Its own counters.
        histograms: Its own histograms of seconds.
        background: Builds what works off its jobs; None if it has no jobs.
        collect: Further metrics for one scrape.
        pool: How many database connections it may hold, by its options.
        health_body: What /health says beside status and version, from the state of the database.
        users: What its users ask for, in this order, again and again.
    """

    name: str
    health_query: str
    routes: Sequence[Route]
    configure: Callable[[Variables], Any] = lambda variables: None
    counters: Mapping[str, CounterSpec] = field(default_factory=dict)
    histograms: Mapping[str, HistogramSpec] = field(default_factory=dict)
    background: Callable[[Services], Background] | None = None
    collect: Callable[[Services], Awaitable[Iterable[Metric]]] | None = None
    pool: Callable[[Any], PoolSize] = lambda options: PoolSize()
    health_body: Callable[[Services, dict[str, Any]], dict[str, Any]] = lambda services, database: {}
    users: tuple[Visit, ...] = ()


@dataclass
class Services:
    """What the endpoints of a running service work with."""

    system: System
    settings: Settings
    options: Any
    defects: DefectsFile
    metrics: Metrics
    database: Database
    cache: Redis
    background: Background | None = None


def services_of(request: Request) -> Services:
    """The services of the application that answers the request."""
    services: Services = request.app.state.services
    return services


def folder_of(system: str) -> str:
    """The dotted package of a system; raises SettingsError with the known systems if there is none."""
    here = Path(__file__).parent.parent
    known = sorted(part.name for part in pkgutil.iter_modules([str(here)]) if part.ispkg and part.name != "common")
    name = system.replace("-", "_")
    if name not in known:
        raise SettingsError(f"there is no reference service {system!r}; known: {', '.join(known).replace('_', '-')}")
    return f"{_PACKAGE}.{name}"


def load_system(name: str) -> System:
    """The system of that name, from its folder's `system` module."""
    system: System = importlib.import_module(f"{folder_of(name)}.system").SYSTEM
    return system
