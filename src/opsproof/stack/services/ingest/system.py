"""The ingest system as a reference service."""

from __future__ import annotations

from opsproof.stack.services.common.metrics import CounterSpec
from opsproof.stack.services.common.services import System
from opsproof.stack.services.common.users import Visit
from opsproof.stack.services.ingest import items, rate_limit, summaries
from opsproof.stack.services.ingest.names import ITEM_ID
from opsproof.stack.services.ingest.options import IngestOptions

SYSTEM = System(
    name="ingest",
    health_query="SELECT 1 FROM items LIMIT 1",
    routes=(*items.ROUTES, *rate_limit.ROUTES, *summaries.ROUTES),
    configure=IngestOptions.read,
    counters={
        "ingest_items_total": CounterSpec("Items that were sent, by what became of them.", ("result",)),
        "ingest_refused_total": CounterSpec("Requests refused by a guard.", ("reason",)),
    },
    users=(
        Visit("/api/v1/items?limit=10", weight=2),
        Visit(f"/api/v1/items/{ITEM_ID}"),
        Visit("/version", identity="anonymous"),
    ),
)
