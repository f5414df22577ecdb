"""The ops assistant as a reference service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from prometheus_client.metrics_core import Metric

from opsproof.stack.services.common.database import PoolSize
from opsproof.stack.services.common.metrics import CounterSpec
from opsproof.stack.services.common.services import Services, System
from opsproof.stack.services.common.users import Visit
from opsproof.stack.services.ops_assistant import admin, asking, explorer, inspector
from opsproof.stack.services.ops_assistant.assistant import Assistant, assistant_of, pool_numbers
from opsproof.stack.services.ops_assistant.explorer import CACHE_COUNTER
from opsproof.stack.services.ops_assistant.golden import GOLDEN
from opsproof.stack.services.ops_assistant.options import OpsAssistantOptions

_DEGRADED = "⚠️ degraded"


def _pool(options: Any) -> PoolSize:
    return cast(OpsAssistantOptions, options).pool


async def _collect(services: Services) -> Iterable[Metric]:
    return assistant_of(services).collect()


def _health_body(services: Services, database: dict[str, Any]) -> dict[str, Any]:
    """The database's status and pool, as the runbook's example has them; in overflow it is degraded, with HTTP 200."""
    pool = pool_numbers(services)
    degraded = (
        database["status"] != "healthy"
        or pool["overflow"] > 0
        or services.defects.current().assistant.database_degraded
    )
    return {
        "database": {
            "status": _DEGRADED if degraded else "OK",
            "active_connections": pool["active"],
            "idle_connections": pool["idle"],
            "pool_size": pool["size"],
            "overflow": pool["overflow"],
        }
    }


SYSTEM = System(
    name="ops-assistant",
    health_query="SELECT 1 FROM app_settings LIMIT 1",
    routes=(*admin.ROUTES, *asking.ROUTES, *inspector.ROUTES, *explorer.ROUTES),
    configure=OpsAssistantOptions.read,
    counters={CACHE_COUNTER: CounterSpec("Pages of the data explorer, from the cache or not.", ("result",))},
    background=Assistant,
    collect=_collect,
    pool=_pool,
    health_body=_health_body,
    users=(
        *(Visit("/api/ops/ask", "POST", {"query": query}) for query in GOLDEN),
        *(Visit(f"/api/ops/data/{asset}", weight=5) for asset in ("cost_list", "event_list")),
        Visit("/api/ops/history?limit=10"),
    ),
)
