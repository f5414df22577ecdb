"""A fault that counts once the service's numbers show it, and is gone once they do not."""

from typing_extensions import override

from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.seen import Seen
from opsproof.stack.stack import Stack


class Shown(Fault):
    """
    Another fault, and a number that follows it a moment later.

    Args:
        fault: What is done.
        seen: Whether a system's number shows it.
    """

    def __init__(self, fault: Fault, seen: Seen) -> None:
        self.name, self.title, self.systems, self.group = fault.name, fault.title, fault.systems, fault.group
        self._fault = fault
        self._seen = seen

    @override
    def inject(self, stack: Stack) -> None:
        self._fault.inject(stack)

    @override
    def in_force(self, stack: Stack) -> bool:
        return self._fault.in_force(stack) and all(self._shown(stack))

    @override
    def gone(self, stack: Stack) -> bool:
        return self._fault.gone(stack) and not any(self._shown(stack))

    @override
    def heal(self, stack: Stack) -> None:
        self._fault.heal(stack)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return self._fault.undo_by_hand(stack)

    def _shown(self, stack: Stack) -> list[bool]:
        return [self._seen(stack, system) for system in sorted(self.systems.intersection(stack.state.systems))]
