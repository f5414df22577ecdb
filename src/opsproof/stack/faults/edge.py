"""Faults of the edge: nginx runs with another configuration."""

from collections.abc import Callable
from dataclasses import dataclass

from typing_extensions import override

from opsproof.stack.control import restart_part
from opsproof.stack.faults.fault import Fault
from opsproof.stack.parts.edge import Edge
from opsproof.stack.parts.edge_config import EdgeDefects
from opsproof.stack.process import wait_for
from opsproof.stack.stack import Stack

_SYSTEM = "ingest"
_EDGE = Edge(_SYSTEM)
_SECONDS_TO_ANSWER = 10.0


@dataclass(frozen=True)
class EdgeChanged(Fault):
    """
    The edge of ingest does something wrong.

    Args:
        defects: What.
        seen: Whether a system of the stack is seen, from outside, to have it.
    """

    name: str
    title: str
    defects: EdgeDefects
    seen: Callable[[Stack, str], bool]
    systems: frozenset[str] = frozenset({_SYSTEM})
    group: str = "edge"
    part: str = _EDGE.name

    @override
    def inject(self, stack: Stack) -> None:
        self._run_with(stack, self.defects)

    @override
    def in_force(self, stack: Stack) -> bool:
        return self.seen(stack, _SYSTEM)

    @override
    def heal(self, stack: Stack) -> None:
        self._run_with(stack, EdgeDefects())

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f"opsproof stack down --name {stack.name}, then start it again"

    def _run_with(self, stack: Stack, defects: EdgeDefects) -> None:
        plan = stack.plan
        _EDGE.configure(plan, defects)
        restart_part(stack.directory, _EDGE.name)
        wait_for(lambda: not _EDGE.missing(plan), _SECONDS_TO_ANSWER)
