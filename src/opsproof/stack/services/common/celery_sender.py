"""The API's side of a Celery queue: jobs are sent to the worker, and the worker's sign of life is read."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any

from opsproof.stack.services.common.cache import cache_errors, reason_of
from opsproof.stack.services.common.celery_names import CeleryNames
from opsproof.stack.services.common.context import REQUEST_ID
from opsproof.stack.services.common.failures import Unavailable
from opsproof.stack.services.common.services import Services

if TYPE_CHECKING:
    from celery import Celery

_WARM_UP_AFTER_SECONDS = 0.5


class CelerySender:
    """Sends jobs to the worker over Redis. Celery is imported after the start, off the event loop."""

    def __init__(self, services: Services, names: CeleryNames) -> None:
        self._services = services
        self._names = names
        self._warming: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Import Celery soon, without delaying the start."""
        self._warming = asyncio.create_task(self._warm_up())

    async def stop(self) -> None:
        """Nothing is held that the end of the process would not release."""
        if self._warming is not None:
            self._warming.cancel()

    async def details(self) -> dict[str, Any]:
        """The worker that last reported."""
        with cache_errors():
            worker = await self._services.cache.get(self._names.heartbeat_key)
        if worker is None:
            raise Unavailable("worker", "no worker reports")
        return {"mode": "celery", "worker": worker}

    async def submit(self, job_id: str, *, queue: str = "") -> None:
        """Send one job, to the default queue or another; raises Unavailable if the broker does not take it."""
        await asyncio.to_thread(self._send, job_id, REQUEST_ID.get(), queue or self._names.queues[0])

    async def _warm_up(self) -> None:
        await asyncio.sleep(_WARM_UP_AFTER_SECONDS)
        await asyncio.to_thread(lambda: self._queue.amqp)

    @cached_property
    def _queue(self) -> Celery:
        from opsproof.stack.services.common.celery_app import build_queue

        return build_queue(self._names, self._services.settings.redis_url, results=False)

    def _send(self, job_id: str, request_id: str, queue: str) -> None:
        from kombu.exceptions import KombuError
        from redis.exceptions import RedisError

        once_more = {"max_retries": 1, "interval_start": 0}
        try:
            self._queue.send_task(
                self._names.task, args=(job_id, request_id), queue=queue, retry=True, retry_policy=once_more
            )
        except (KombuError, RedisError, OSError) as error:
            known = error.__cause__ if isinstance(error.__cause__, RedisError) else error
            raise Unavailable("queue", reason_of(known)) from None
