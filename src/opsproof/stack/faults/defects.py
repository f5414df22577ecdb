"""Faults of answers: a running service does something wrong, as a buggy release would (see DEFECTS_FILE)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from opsproof.stack.faults.fault import Fault
from opsproof.stack.parts.service import DEFECTS_FILE
from opsproof.stack.stack import Stack
from opsproof.stack.state import edit_state, write_private


def set_defects(stack: Stack, fault: str, defects: Mapping[str, Any]) -> None:
    """Note an injected fault's defects in place of those that it had, and write the file that the services read."""
    with edit_state(stack.directory) as state:
        state.faults[fault].defects = dict(defects)
        write_private(stack.directory / DEFECTS_FILE, json.dumps(state.current_defects()))


@dataclass(frozen=True)
class Defect(Fault):
    """
    Defects in the file that all services read.

    Args:
        defects: What is added to the file.
        seen: Whether a system of the stack is seen, from outside, to have the defect.
        part: A part that only shows it, where not every stack has that part.
    """

    name: str
    title: str
    systems: frozenset[str]
    defects: Mapping[str, Any]
    seen: Callable[[Stack, str], bool]
    group: str = "answers"
    part: str = ""

    @override
    def inject(self, stack: Stack) -> None:
        set_defects(stack, self.name, self.defects)

    @override
    def in_force(self, stack: Stack) -> bool:
        return all(self.seen(stack, system) for system in self._present(stack))

    @override
    def gone(self, stack: Stack) -> bool:
        return not any(self.seen(stack, system) for system in self._present(stack))

    @override
    def heal(self, stack: Stack) -> None:
        set_defects(stack, self.name, {})

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f"rm {stack.directory / DEFECTS_FILE}"

    def _present(self, stack: Stack) -> list[str]:
        return sorted(self.systems.intersection(stack.state.systems))
