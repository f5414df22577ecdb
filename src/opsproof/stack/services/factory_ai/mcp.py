"""The MCP hub, as a stand-in: tools answer at once, or not at all where the defects say so."""

from __future__ import annotations

import asyncio

from opsproof.stack.services.common.failures import Unavailable
from opsproof.stack.services.common.services import Services
from opsproof.stack.services.factory_ai.breaker import Breaker
from opsproof.stack.services.factory_ai.names import MCP_CALLS, MCP_TIMEOUTS

_TIMEOUT_SECONDS = 0.2


class McpHub:
    """
    Calls tools.

    Args:
        services: The service that it belongs to.
        breaker: Ends calls while the hub does not answer.
    """

    def __init__(self, services: Services, breaker: Breaker) -> None:
        self._services = services
        self._breaker = breaker

    async def call(self, tool: str) -> None:
        """Call a tool; raises Unavailable if it timed out, or the circuit breaker is open."""
        if self._breaker.refuses():
            raise Unavailable("mcp", "the circuit breaker is open")
        self._services.metrics.count(MCP_CALLS, tool=tool)
        hangs = self._services.defects.current().factory.mcp_hangs
        if hangs:
            await asyncio.sleep(_TIMEOUT_SECONDS)
            self._services.metrics.count(MCP_TIMEOUTS)
        self._breaker.record(failed=hangs)
        if hangs:
            raise Unavailable("mcp", f"{tool} gave no answer within {_TIMEOUT_SECONDS:g} s")
