"""The metrics that the runbook's dashboard and alerts read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from opsproof.stack.services.common.cache import cache_errors
from opsproof.stack.services.common.failures import Unavailable
from opsproof.stack.services.common.metrics import in_time
from opsproof.stack.services.common.services import Services
from opsproof.stack.services.storebridge.options import options_of
from opsproof.stack.services.storebridge.queue_names import NAMES
from opsproof.stack.services.storebridge.quotas import read_quotas

# The runbook does not say of which time the rate is; the newest hundred give one at any hour.
_SUCCESS = """
    SELECT avg((state IN ('COMPLETED', 'RESOLVED'))::int)::float AS rate
    FROM (SELECT state FROM product_registrations ORDER BY created_at DESC, id DESC LIMIT 100) AS newest
"""


async def registration_metrics(services: Services) -> Iterable[Metric]:
    """The metrics of one scrape; what cannot be read is left out rather than shown as 0."""
    groups = await asyncio.gather(in_time(_success(services)), in_time(_queues(services)), in_time(_quotas(services)))
    memory = GaugeMetricFamily("process_memory_limit_bytes", "Memory limit.", options_of(services).memory_limit)
    cores = GaugeMetricFamily("process_cpu_limit_cores", "Limit of processors.", options_of(services).cpu_limit)
    dropped = services.defects.current().drop_metrics
    return [metric for group in (*groups, [memory, cores]) for metric in group if metric.name not in dropped]


async def _success(services: Services) -> list[Metric]:
    try:
        rows = await services.database.query(_SUCCESS)
    except Unavailable:
        return []
    if rows[0]["rate"] is None:
        return []
    return [
        GaugeMetricFamily(
            "storebridge_registration_success_rate",
            "Registrations that succeeded, of the newest 100 that ended: 0 to 1.",
            rows[0]["rate"],
        )
    ]


async def _queues(services: Services) -> list[Metric]:
    try:
        with cache_errors():
            waiting = await asyncio.gather(*(services.cache.llen(queue) for queue in NAMES.queues))
    except Unavailable:
        return []
    depth = GaugeMetricFamily("storebridge_queue_depth", "Jobs waiting in the queue.", labels=["queue"])
    for queue, jobs in zip(NAMES.queues, waiting, strict=True):
        depth.add_metric([queue], jobs)
    return [depth]


async def _quotas(services: Services) -> list[Metric]:
    try:
        quotas = await read_quotas(services)
    except Unavailable:
        return []
    remaining = GaugeMetricFamily(
        "storebridge_rate_limit_remaining",
        "Calls that are still allowed: of Domeggook today, of Naver in this minute.",
        labels=["api_name"],
    )
    limit = GaugeMetricFamily("storebridge_rate_limit", "Calls that are allowed in all.", labels=["api_name"])
    for quota in quotas:
        remaining.add_metric([quota.api_name], quota.remaining)
        limit.add_metric([quota.api_name], quota.limit)
    return [remaining, limit]
