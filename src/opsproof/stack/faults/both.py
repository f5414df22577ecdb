"""A fault that is two at once: neither would be seen alone."""

from typing_extensions import override

from opsproof.stack.faults.fault import Fault
from opsproof.stack.stack import Stack


class Both(Fault):
    """
    Two faults of one name, so that both keep what they must remember in its note.

    Args:
        first: Is injected first and healed last.
        second: As a rule the one that makes the first one matter.
    """

    def __init__(self, first: Fault, second: Fault) -> None:
        self.name, self.title, self.systems, self.group = first.name, first.title, first.systems, first.group
        self._first, self._second = first, second

    @override
    def inject(self, stack: Stack) -> None:
        self._first.inject(stack)
        self._second.inject(stack)

    @override
    def in_force(self, stack: Stack) -> bool:
        return self._first.in_force(stack) and self._second.in_force(stack)

    @override
    def gone(self, stack: Stack) -> bool:
        return self._first.gone(stack) and self._second.gone(stack)

    @override
    def heal(self, stack: Stack) -> None:
        self._second.heal(stack)
        self._first.heal(stack)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f"{self._second.undo_by_hand(stack)}; {self._first.undo_by_hand(stack)}"
