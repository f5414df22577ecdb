"""Who does the jobs: the Celery worker, or a thread of the API's own process."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast

from starlette.requests import Request

from opsproof.stack.services.common.cache import cache_errors, reason_of
from opsproof.stack.services.common.context import REQUEST_ID
from opsproof.stack.services.common.failures import Unavailable
from opsproof.stack.services.common.services import Background, Services, services_of
from opsproof.stack.services.evaluation.options import CELERY, IN_PROCESS, EvaluationOptions
from opsproof.stack.services.evaluation.queue_names import HEARTBEAT_KEY, RETRY_SECONDS, TASK

if TYPE_CHECKING:
    from celery import Celery

_WARM_UP_AFTER_SECONDS = 0.5


class JobRunner(Background, Protocol):
    """Takes jobs that are stored and still queued."""

    async def submit(self, job_id: str) -> None:
        """Hand over one job; raises Unavailable if it cannot be."""


def runner_for(services: Services) -> JobRunner:
    """The runner that JOB_RUNNER_MODE asks for."""
    options = cast(EvaluationOptions, services.options)
    return CeleryRunner(services) if options.job_runner_mode == CELERY else InProcessRunner(services)


def runner_of(request: Request) -> JobRunner:
    """The runner of the service that answers the request."""
    return cast(JobRunner, services_of(request).background)


class CeleryRunner:
    """Sends jobs to the worker over Redis. Celery is imported after the start, off the event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
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
            worker = await self._services.cache.get(HEARTBEAT_KEY)
        if worker is None:
            raise Unavailable("worker", "no worker reports")
        return {"mode": CELERY, "worker": worker}

    async def submit(self, job_id: str) -> None:
        """Send one job; raises Unavailable if the broker does not take it."""
        await asyncio.to_thread(self._send, job_id, REQUEST_ID.get())

    async def _warm_up(self) -> None:
        await asyncio.sleep(_WARM_UP_AFTER_SECONDS)
        await asyncio.to_thread(lambda: self._queue.amqp)

    @cached_property
    def _queue(self) -> Celery:
        from opsproof.stack.services.evaluation.queue import build_queue

        return build_queue(self._services.settings.redis_url, results=False)

    def _send(self, job_id: str, request_id: str) -> None:
        from kombu.exceptions import KombuError
        from redis.exceptions import RedisError

        once_more = {"max_retries": 1, "interval_start": 0}
        try:
            self._queue.send_task(TASK, args=(job_id, request_id), retry=True, retry_policy=once_more)
        except (KombuError, RedisError, OSError) as error:
            known = error.__cause__ if isinstance(error.__cause__, RedisError) else error
            raise Unavailable("queue", reason_of(known)) from None


class InProcessRunner:
    """Does jobs one after the other in a thread of this process; a restart leaves unfinished ones queued."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jobs")
        self._stopping = False

    async def start(self) -> None:
        """The thread starts with the first job."""

    async def stop(self) -> None:
        """Let go of waiting jobs and wait for none."""
        self._stopping = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def details(self) -> dict[str, Any]:
        """The mode; a runner in the same process is up when the process is."""
        return {"mode": IN_PROCESS}

    async def submit(self, job_id: str) -> None:
        """Queue one job in memory."""
        self._thread.submit(self._run, job_id, REQUEST_ID.get())

    def _run(self, job_id: str, request_id: str) -> None:
        import psycopg
        from redis import Redis

        from opsproof.stack.services.evaluation.finished import record_finished
        from opsproof.stack.services.evaluation.jobs import JobStuck, run_job

        REQUEST_ID.set(request_id)
        services = self._services
        while not self._stopping:
            try:
                outcome = run_job(services.settings, services.defects.current(), job_id)
            except (psycopg.OperationalError, JobStuck):
                time.sleep(RETRY_SECONDS)
                continue
            if outcome:
                with Redis.from_url(services.settings.redis_url, socket_timeout=1, socket_connect_timeout=1) as redis:
                    record_finished(redis, outcome)
            return
