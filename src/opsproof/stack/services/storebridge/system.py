"""The StoreBridge system as a reference service."""

from __future__ import annotations

from opsproof.stack.services.common.celery_sender import CelerySender
from opsproof.stack.services.common.metrics import CounterSpec
from opsproof.stack.services.common.services import System
from opsproof.stack.services.common.users import Visit
from opsproof.stack.services.storebridge import audit, job_routes, overview_routes, product_routes
from opsproof.stack.services.storebridge.measures import registration_metrics
from opsproof.stack.services.storebridge.options import StorebridgeOptions
from opsproof.stack.services.storebridge.queue_names import NAMES

SYSTEM = System(
    name="storebridge",
    health_query="SELECT 1 FROM products LIMIT 1",
    routes=(*product_routes.ROUTES, *job_routes.ROUTES, *overview_routes.ROUTES, *audit.ROUTES),
    configure=StorebridgeOptions.read,
    counters={"storebridge_jobs_submitted_total": CounterSpec("Jobs that were handed to the worker.", ("queue",))},
    background=lambda services: CelerySender(services, NAMES),
    collect=registration_metrics,
    users=(
        Visit("/v1/quotas"),
        Visit("/v1/manual-review?page_size=5"),
        Visit("/v1/jobs?limit=5"),
        Visit("/v1/jobs?status=COMPLETED&limit=5"),
    ),
)
