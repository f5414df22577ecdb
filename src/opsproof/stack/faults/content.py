"""A change of content that counts once the service's numbers show it, and is gone once they do not."""

from dataclasses import dataclass

from typing_extensions import override

from opsproof.stack.faults.database import ContentChanged
from opsproof.stack.faults.processes import never_in_doubt
from opsproof.stack.faults.seen import Seen
from opsproof.stack.stack import Stack


@dataclass(frozen=True)
class ContentShown(ContentChanged):
    """
    Rows are changed, and a number that is made of them follows.

    Args:
        shown: Whether the system's numbers show it.
    """

    shown: Seen = never_in_doubt

    @override
    def in_force(self, stack: Stack) -> bool:
        return super().in_force(stack) and all(self.shown(stack, system) for system in self._systems(stack))

    @override
    def gone(self, stack: Stack) -> bool:
        return super().gone(stack) and not any(self.shown(stack, system) for system in self._systems(stack))

    def _systems(self, stack: Stack) -> list[str]:
        return sorted(self.systems.intersection(stack.state.systems))
