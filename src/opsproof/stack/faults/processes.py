"""Faults of whole processes: stopped, frozen."""

import socket
from dataclasses import dataclass

from typing_extensions import override

from opsproof.stack.control import end_part, freeze_part, start_part, thaw_part
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.seen import Seen
from opsproof.stack.process import descendants
from opsproof.stack.stack import PartStatus, Stack


def never_in_doubt(stack: Stack, system: str) -> bool:
    """The state of the process is all there is to see."""
    return True


@dataclass(frozen=True)
class PartFault(Fault):
    """
    A fault of whole parts.

    Args:
        parts: Those of them that the stack has.
        consequence: What a system must be seen to show before the fault counts as in force.
    """

    name: str
    title: str
    systems: frozenset[str]
    parts: tuple[str, ...]
    consequence: Seen = never_in_doubt
    group: str = "processes"
    part: str = ""

    def present(self, stack: Stack) -> list[PartStatus]:
        """The parts that the stack has."""
        return [part for part in stack.parts() if part.name in self.parts]

    def is_felt(self, stack: Stack) -> bool:
        """Whether every system that the fault touches shows its consequence."""
        return all(self.consequence(stack, system) for system in self.systems.intersection(stack.state.systems))


@dataclass(frozen=True)
class PartStopped(PartFault):
    """Parts have ended: connections to them are refused."""

    @override
    def inject(self, stack: Stack) -> None:
        for part in self.present(stack):
            end_part(stack.directory, part.name)

    @override
    def in_force(self, stack: Stack) -> bool:
        stopped = all(part.state == "stopped" and not _accepts(part) for part in self.present(stack))
        return stopped and self.is_felt(stack)

    @override
    def gone(self, stack: Stack) -> bool:
        return all(part.state == "running" and _accepts(part) for part in self.present(stack))

    @override
    def heal(self, stack: Stack) -> None:
        for part in self.present(stack):
            start_part(stack.directory, part.name)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f"opsproof stack down --name {stack.name}, then start it again"


@dataclass(frozen=True)
class PartFrozen(PartFault):
    """Parts and their children stand still (SIGSTOP): connections are accepted by the kernel, nothing answers."""

    @override
    def inject(self, stack: Stack) -> None:
        for part in self.present(stack):
            freeze_part(stack.directory, part.name)

    @override
    def in_force(self, stack: Stack) -> bool:
        return all(state == "T" for state in self._states(stack)) and self.is_felt(stack)

    @override
    def gone(self, stack: Stack) -> bool:
        return all(state not in ("T", "") for state in self._states(stack))

    @override
    def heal(self, stack: Stack) -> None:
        for part in self.present(stack):
            thaw_part(stack.directory, part.name)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        records = stack.state.parts
        processes = [records[part.name].process for part in self.present(stack)]
        pids = [one.pid for process in processes for one in (process, *descendants(process))]
        return f"kill -CONT {' '.join(map(str, pids))}"

    def _states(self, stack: Stack) -> list[str]:
        records = stack.state.parts
        processes = [records[part.name].process for part in self.present(stack)]
        # A child may end between being listed and being asked; only the part itself may not.
        children = [state for process in processes for child in descendants(process) if (state := child.state())]
        return [process.state() for process in processes] + children


def _accepts(part: PartStatus) -> bool:
    """Whether a connection is accepted where the part listens; its being alive, if it does not listen."""
    if not part.address:
        return part.state == "running"
    host, _, port = part.address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True
