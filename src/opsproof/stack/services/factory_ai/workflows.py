"""Running workflow instances: a queue in Redis, worked off by a task of this process."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from psycopg.errors import ReadOnlySqlTransaction
from psycopg.types.json import Jsonb

from opsproof.stack.services.common.cache import cache_errors
from opsproof.stack.services.common.failures import Unavailable
from opsproof.stack.services.common.services import Services
from opsproof.stack.services.factory_ai.names import WORKFLOW_QUEUE

STEPS = {"SIMPLE": ("collect", "judge"), "COMPLEX": ("collect", "judge", "analyse", "notify")}
"""What an instance does, by the kind of its workflow."""

_STEP_SECONDS = 0.01
_WAIT_SECONDS = 0.4
_PAUSE_SECONDS = 0.2
_BEGIN = """
    UPDATE workflow_instances AS instance SET status = 'RUNNING', started_at = now() FROM workflows
    WHERE instance.id = %s AND workflow_id = workflows.id AND status IN ('PENDING', 'RUNNING') RETURNING kind, input
"""
_END = """
    UPDATE workflow_instances SET status = %s, error_message = %s, steps = %s, finished_at = now()
    WHERE id = %s AND status = 'RUNNING'
"""
_log = logging.getLogger("opsproof.workflows")


class WorkflowRunner:
    """
    Runs one instance after the other. A restart leaves what was running as it was.

    Args:
        services: The service that it belongs to.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to take instances from the queue."""
        self._task = asyncio.create_task(self._work())

    def stop(self) -> None:
        """Take no more."""
        if self._task is not None:
            self._task.cancel()

    async def waiting(self) -> int:
        """Instances in the queue; raises Unavailable if it cannot be asked, or nobody works it off."""
        if self._task is None or self._task.done():
            raise Unavailable("workflows", "the runner has ended")
        with cache_errors():
            return int(await self._services.cache.llen(WORKFLOW_QUEUE))

    async def submit(self, instance_id: str) -> None:
        """Queue a stored instance; raises Unavailable if the queue does not take it."""
        with cache_errors():
            await self._services.cache.lpush(WORKFLOW_QUEUE, instance_id)

    async def _work(self) -> None:
        while True:
            instance_id = await self._next()
            if instance_id is None:
                continue
            try:
                await self._run(instance_id)
            except (Unavailable, ReadOnlySqlTransaction) as error:
                _log.warning("a workflow instance waits: %s", error, extra={"fields": {"instance_id": instance_id}})
                await self._put_back(instance_id)

    async def _next(self) -> str | None:
        try:
            with cache_errors():
                taken = await self._services.cache.brpop([WORKFLOW_QUEUE], timeout=_WAIT_SECONDS)
        except Unavailable:
            await asyncio.sleep(_PAUSE_SECONDS)
            return None
        return None if taken is None else str(taken[1])

    async def _put_back(self, instance_id: str) -> None:
        """Until the queue takes it; the process may end before."""
        while True:
            await asyncio.sleep(_PAUSE_SECONDS)
            try:
                await self.submit(instance_id)
            except Unavailable:
                continue
            return

    async def _run(self, instance_id: str) -> None:
        query = self._services.database.query
        rows = await query(_BEGIN, (instance_id,))
        if not rows:
            return
        while self._services.defects.current().factory.workflows_stuck:
            await asyncio.sleep(_PAUSE_SECONDS)
        status, error, steps = await _steps(rows[0]["kind"], rows[0]["input"])
        await query(_END, (status, error, Jsonb(steps), instance_id))


async def _steps(kind: str, given: dict[str, Any]) -> tuple[str, str | None, list[str]]:
    """Do the steps; `{"fail_at": STEP}` in the input makes that step fail."""
    done: list[str] = []
    for step in STEPS[kind]:
        await asyncio.sleep(_STEP_SECONDS)
        if given.get("fail_at") == step:
            return "FAILED", f"the step {step} failed", done
        done.append(step)
    return "COMPLETED", None, done
