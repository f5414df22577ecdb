"""Runs tools: within the time limit of their class, with the retry policy, measured."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import psycopg
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import Metric

from opsproof.stack.services.common.failures import Unavailable
from opsproof.stack.services.ops_assistant.documents import ToolCall, ToolError
from opsproof.stack.services.ops_assistant.golden import GOLDEN, Rows
from opsproof.stack.services.ops_assistant.options import OpsAssistantOptions

if TYPE_CHECKING:
    import httpx

Work = Callable[[], Awaitable[Rows]]

_log = logging.getLogger("opsproof.tools")
_CLASS = {"sql": "database", "http": "external"}
_RETRIED = ("http_5xx", "unreachable")
"""A time-out is not tried again: three times 60 s would be longer than anybody waits."""

_ERROR_TYPES = ("timeout", "http_5xx", "denied", "database", "unreachable", "other")
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class ToolFailure(Exception):
    """A tool's work failed for a reason that the trace is to show."""

    def __init__(self, error: ToolError) -> None:
        super().__init__(error.message)
        self.error = error


class Tools:
    """
    The tools of one service.

    Args:
        options: Where the external API is, and how long a configured second lasts.
    """

    def __init__(self, options: OpsAssistantOptions) -> None:
        self._options = options
        self._client: httpx.AsyncClient | None = None
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "ops_tool_duration_seconds", "Time of a tool call.", ("tool",), buckets=_BUCKETS, registry=self._registry
        )
        self._errors = Counter("ops_tool_errors", "Failed tool calls.", ("tool", "type"), registry=self._registry)
        for tool in sorted({tool for plan in GOLDEN.values() for tool in plan.tools}):
            for kind in _ERROR_TYPES:
                self._errors.labels(tool, kind)

    def collect(self) -> Iterable[Metric]:
        """Their metrics."""
        return self._registry.collect()

    async def close(self) -> None:
        """Close the connections to the external API."""
        if self._client is not None:
            await self._client.aclose()

    async def call(
        self, step_id: str, tool: str, kind: str, settings: Mapping[str, Any], work: Work
    ) -> tuple[ToolCall, Rows]:
        """
        Run one tool.

        Args:
            kind: sql, http, static or internal.
            settings: Those of Settings Admin, with time limits and retry policy.

        Returns:
            What the trace says of it, and its rows; none if it failed.
        """
        configured = float(settings["tool_timeout_seconds"][_CLASS.get(kind, "internal")])
        most = int(settings["tool_retry_attempts"])
        started = time.perf_counter()
        for attempt in range(1, most + 1):
            error, rows = await self._once(work, configured)
            if error is None or error.type not in _RETRIED or attempt == most:
                break
            await asyncio.sleep(self._options.second * float(settings["tool_retry_backoff"]) ** attempt)
        seconds = time.perf_counter() - started
        self._seconds.labels(tool).observe(seconds)
        if error is not None:
            self._errors.labels(tool, error.type).inc()
            _log.error("tool %s failed: %s", tool, error.message)
        return ToolCall(step_id, tool, kind, round(seconds * 1000, 2), attempt, error), rows

    async def fetch(self, path: str) -> Rows:
        """
        Rows of a list of the external API.

        Raises:
            ToolFailure: It refused, or its answer is no list.
        """
        import httpx

        if self._client is None:
            key = {"Authorization": f"Bearer {self._options.external_key}"}
            self._client = httpx.AsyncClient(base_url=self._options.external_url, headers=key, trust_env=False)
        request = {"method": "GET", "url": f"{self._options.external_url}{path}"}
        try:
            answer = await self._client.get(path, timeout=None)
        except httpx.TransportError as error:
            name = type(error).__name__
            raise ToolFailure(ToolError("unreachable", f"no connection ({name})", request=request)) from None
        status = answer.status_code
        if status != 200:
            kind = "http_5xx" if status >= 500 else "denied" if status in (401, 403) else "other"
            said = "Permission denied" if kind == "denied" else answer.reason_phrase
            raise ToolFailure(ToolError(kind, f"HTTP {status}: {said}", status, request))
        rows: Rows = answer.json()["rows"]
        return rows

    async def _once(self, work: Work, configured: float) -> tuple[ToolError | None, Rows]:
        try:
            async with asyncio.timeout(configured * self._options.second):
                return None, await work()
        except TimeoutError:
            return ToolError("timeout", f"timeout after {configured:g} s"), []
        except ToolFailure as failure:
            return failure.error, []
        except Unavailable as error:
            return ToolError("database", database_trouble(error)), []
        except psycopg.errors.InsufficientPrivilege:
            return ToolError("denied", "Permission denied", 403), []
        except psycopg.Error as error:
            return ToolError("other", f"the query was refused ({type(error).__name__})"), []


def database_trouble(error: Unavailable) -> str:
    """What is wrong with the database, in the words that the runbook looks for in the logs."""
    if "connection could be made" in error.reason or "connection failed" in error.reason:
        return "database connection refused"
    if "pool" in error.reason:
        return "database connection pool exhausted"
    return "database connection timeout"
