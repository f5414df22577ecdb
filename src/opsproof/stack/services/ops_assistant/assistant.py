"""What a running assistant holds beside database and cache: its tools, its metrics, its memory."""

from __future__ import annotations

import asyncio
import logging
import mmap
import os
from collections.abc import Iterable
from typing import Any, cast

import psycopg
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from opsproof.stack.services.common.failures import Unavailable
from opsproof.stack.services.common.services import Services
from opsproof.stack.services.ops_assistant.options import options_of
from opsproof.stack.services.ops_assistant.tools import Tools

_log = logging.getLogger("opsproof.assistant")
_PAUSE_SECONDS = 0.2
_ROUNDS_BETWEEN_CLEANINGS = 300
_CHUNK = 4 * 1024**2
_LEAK = 1024**2
_FORGET = """
    DELETE FROM traces WHERE asked_at < now() - interval '30 minutes'
    AND id NOT IN (SELECT baseline FROM golden_queries)
    AND id NOT IN (SELECT DISTINCT ON (query) id FROM traces ORDER BY query, asked_at DESC)
"""


class Assistant:
    """
    The assistant's own state; a task of it forgets old traces, and fills the memory where a defect says so.

    Args:
        services: The service that it belongs to.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._ballast: list[mmap.mmap] = []
        self._leaked: list[mmap.mmap] = []
        self._task: asyncio.Task[None] | None = None
        self.tools = Tools(options_of(services))
        self.one_page = asyncio.Lock()

    async def start(self) -> None:
        """Begin to look after traces and memory."""
        self._task = asyncio.create_task(self._look_after())

    async def stop(self) -> None:
        """End and release what is held."""
        if self._task is not None:
            self._task.cancel()
        await self.tools.close()

    async def details(self) -> dict[str, Any]:
        """What is known of it for /health/detailed."""
        if self._task is None or self._task.done():
            raise Unavailable("assistant", "its housekeeping has ended")
        return {}

    def memory(self) -> dict[str, Any]:
        """Bytes that the process has and may have, and the share of it."""
        used, limit = _resident_bytes(), options_of(self._services).memory_limit
        return {"memory_bytes": used, "memory_limit_bytes": limit, "memory_share": round(used / limit, 4)}

    def collect(self) -> Iterable[Metric]:
        """Metrics beside those of the requests."""
        yield from self.tools.collect()
        pool = GaugeMetricFamily("db_pool_connections", "Connections of the pool.", labels=["state"])
        for state, number in pool_numbers(self._services).items():
            pool.add_metric([state], number)
        yield pool
        memory = self.memory()
        yield GaugeMetricFamily("process_memory_limit_bytes", "Memory limit.", memory["memory_limit_bytes"])

    async def _look_after(self) -> None:
        rounds = 0
        while True:
            defects = self._services.defects.current().assistant
            self._fill(defects.fill_memory_share)
            self._leak(defects.leaks_memory)
            rounds += 1
            if rounds % _ROUNDS_BETWEEN_CLEANINGS == 0:
                try:
                    await self._services.database.query(_FORGET)
                except (Unavailable, psycopg.Error) as error:  # a read-only database refuses it; the next round may not
                    _log.warning("old traces were kept: %s", " ".join(str(error).split()))
            await asyncio.sleep(_PAUSE_SECONDS)

    def _fill(self, share: float) -> None:
        """Really use this share of the memory that the process may have; 0 gives everything back."""
        if share == 0:
            while self._ballast:
                self._ballast.pop().close()
        while self.memory()["memory_share"] < share:
            self._ballast.append(_used(_CHUNK))

    def _leak(self, leaks: bool) -> None:
        """Keep a little more memory each time; once nothing leaks, give everything back, as a restart would."""
        if leaks:
            self._leaked.append(_used(_LEAK))
        while self._leaked and not leaks:
            self._leaked.pop().close()


def assistant_of(services: Services) -> Assistant:
    """The assistant of a running service."""
    return cast(Assistant, services.background)


def pool_numbers(services: Services) -> dict[str, int]:
    """Connections by state: active, idle, the pool's size, and those beyond it."""
    database = services.database
    active, size = database.usage()["in_use"], database.pool_size.size
    return {"active": active, "idle": database.idle(), "size": size, "overflow": max(0, active - size)}


def _used(size: int) -> mmap.mmap:
    """So many bytes that are really there: each page is written to."""
    chunk = mmap.mmap(-1, size)
    for offset in range(0, size, mmap.PAGESIZE):
        chunk[offset] = 1
    return chunk


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
