"""What a running decision engine holds beside its database and cache."""

from __future__ import annotations

from typing import Any, cast

from starlette.requests import Request

from opsproof.stack.services.common.services import Services, services_of
from opsproof.stack.services.factory_ai.breaker import Breaker
from opsproof.stack.services.factory_ai.judgments import Judge
from opsproof.stack.services.factory_ai.mcp import McpHub
from opsproof.stack.services.factory_ai.model import Llm
from opsproof.stack.services.factory_ai.workflows import WorkflowRunner


class Engine:
    """
    The parts of one service; to its health it is the runner of workflows.

    Args:
        services: The service that it belongs to.
    """

    def __init__(self, services: Services) -> None:
        llm_breaker, mcp_breaker = Breaker("llm"), Breaker("mcp")
        self.breakers = (llm_breaker, mcp_breaker)
        self.judge = Judge(services, Llm(services, llm_breaker))
        self.hub = McpHub(services, mcp_breaker)
        self.workflows = WorkflowRunner(services)

    async def start(self) -> None:
        """Begin to run workflow instances."""
        self.workflows.start()

    async def stop(self) -> None:
        """Run no more of them."""
        self.workflows.stop()

    async def details(self) -> dict[str, Any]:
        """How many workflow instances wait."""
        return {"waiting": await self.workflows.waiting()}


def engine_of(request: Request) -> Engine:
    """The engine of the service that answers the request."""
    return cast(Engine, services_of(request).background)
