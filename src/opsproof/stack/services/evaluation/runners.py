"""Who does the jobs: the Celery worker, or a thread of the API's own process."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, cast

from starlette.requests import Request

from opsproof.stack.services.common.celery_names import RETRY_SECONDS
from opsproof.stack.services.common.celery_sender import CelerySender
from opsproof.stack.services.common.context import REQUEST_ID
from opsproof.stack.services.common.services import Background, Services, services_of
from opsproof.stack.services.evaluation.options import CELERY, IN_PROCESS, EvaluationOptions
from opsproof.stack.services.evaluation.queue_names import NAMES


class JobRunner(Background, Protocol):
    """Takes jobs that are stored and still queued."""

    async def submit(self, job_id: str) -> None:
        """Hand over one job; raises Unavailable if it cannot be."""


def runner_for(services: Services) -> JobRunner:
    """The runner that JOB_RUNNER_MODE asks for."""
    options = cast(EvaluationOptions, services.options)
    return CelerySender(services, NAMES) if options.job_runner_mode == CELERY else InProcessRunner(services)


def runner_of(request: Request) -> JobRunner:
    """The runner of the service that answers the request."""
    return cast(JobRunner, services_of(request).background)


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
