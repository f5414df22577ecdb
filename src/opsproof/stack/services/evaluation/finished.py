"""The count of finished jobs, kept in Redis so that worker and API agree on it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from redis import Redis
from redis.exceptions import RedisError

from opsproof.stack.services.common.cache import cache_errors
from opsproof.stack.services.common.failures import Unavailable
from opsproof.stack.services.common.metrics import in_time
from opsproof.stack.services.common.services import Services
from opsproof.stack.services.evaluation.queue_names import FINISHED_KEY, QUEUE

_log = logging.getLogger("opsproof.jobs")


def record_finished(redis: Redis, outcome: str) -> None:
    """Count a finished job (`type:status`); a Redis that refuses it loses one count and no job."""
    try:
        redis.hincrby(FINISHED_KEY, outcome, 1)
    except RedisError as error:
        _log.warning("a finished job was not counted (%s)", type(error).__name__)


async def job_metrics(services: Services) -> Iterable[Metric]:
    """The job metrics of one scrape; what cannot be read is left out rather than shown as 0."""
    groups = await asyncio.gather(in_time(_from_cache(services)), in_time(_from_database(services)))
    return [metric for group in groups for metric in group]


async def _from_cache(services: Services) -> list[Metric]:
    try:
        with cache_errors():
            counts = await services.cache.hgetall(FINISHED_KEY)
            waiting = await services.cache.llen(QUEUE)
    except Unavailable:
        return []
    finished = CounterMetricFamily("jobs_finished", "Finished jobs.", labels=["type", "status"])
    for outcome, count in counts.items():
        finished.add_metric(str(outcome).split(":", 1), float(count))
    depth = GaugeMetricFamily("queue_depth", "Jobs waiting in the queue.", labels=["queue"])
    depth.add_metric([QUEUE], waiting)
    return [finished, depth]


async def _from_database(services: Services) -> list[Metric]:
    try:
        rows = await services.database.query("SELECT status, count(*) AS jobs FROM jobs GROUP BY status")
    except Unavailable:
        return []
    stored = GaugeMetricFamily("jobs", "Stored jobs, by status.", labels=["status"])
    for row in rows:
        stored.add_metric([row["status"]], row["jobs"])
    return [stored]
