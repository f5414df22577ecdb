"""
The processes that the embedded stack is made of: one module a kind of process.

To add one: write a module with a `Part`, and name it below for the systems that need it.
"""

from collections.abc import Iterable

from opsproof.errors import StackError
from opsproof.stack.parts.alertmanager import Alertmanager
from opsproof.stack.parts.api import Api
from opsproof.stack.parts.edge import Edge
from opsproof.stack.parts.loki import Loki
from opsproof.stack.parts.migrations import Migrations
from opsproof.stack.parts.ops_assistant import ExternalApi, OpsAssistantApi
from opsproof.stack.parts.part import Launch, Part, Plan
from opsproof.stack.parts.postgres import Postgres
from opsproof.stack.parts.prometheus import Prometheus
from opsproof.stack.parts.valkey import Valkey
from opsproof.stack.parts.worker import CeleryWorker

_BASE = (Postgres(), Valkey(), Migrations())
_WATCH = (Prometheus(), Alertmanager(), Loki())
SYSTEMS: dict[str, tuple[Part, ...]] = {
    "ingest": (*_BASE, Api("ingest"), Edge("ingest"), *_WATCH),
    "evaluation": (*_BASE, Api("evaluation"), CeleryWorker("evaluation"), *_WATCH),
    "storebridge": (*_BASE, Api("storebridge"), CeleryWorker("storebridge", pool="threads", concurrency=4), *_WATCH),
    "factory-ai": (*_BASE, Api("factory-ai"), *_WATCH),
    "ops-assistant": (*_BASE, ExternalApi(), OpsAssistantApi(), *_WATCH),
}
ALL = tuple(SYSTEMS)

__all__ = ["ALL", "SYSTEMS", "Launch", "Part", "Plan", "parts_of"]


def parts_of(systems: Iterable[str]) -> dict[str, Part]:
    """
    Parts that these systems need, by name, each once.

    Raises:
        StackError: A system has no embedded stack.
    """
    found: dict[str, Part] = {}
    for system in systems:
        if system not in SYSTEMS:
            raise StackError(
                f"there is no embedded stack for {system}", where="systems", next_step=f"choose of {', '.join(SYSTEMS)}"
            )
        found |= {part.name: part for part in SYSTEMS[system]}
    return found
