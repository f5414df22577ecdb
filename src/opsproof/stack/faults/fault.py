"""A fault: a real way to break the stack, seen in force before anybody trusts it, and seen gone after it is healed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from opsproof.errors import FaultNotHealed, FaultNotInForce, StackError
from opsproof.stack.control import start_ended_parts
from opsproof.stack.process import wait_for
from opsproof.stack.stack import Stack
from opsproof.stack.state import FaultNote, edit_state

SECONDS_TO_TAKE_HOLD = 30.0
SECONDS_TO_GO = 30.0
SECONDS_TO_READY = 20.0
_SECONDS_BETWEEN_STARTS = 2.0
_PAUSE = 0.02


class Fault(Protocol):
    """
    One way to break the stack. Implementations inherit from it; what they must remember is in the fault's note.

    Attributes:
        name: What `opsproof stack fault` and `@proven_by` call it.
        title: One line for people.
        systems: Systems that it touches; it acts on those of them that the stack runs.
        group: Under which heading it is listed.
        part: A part that it needs and that not every stack has; "" for none.
    """

    name: str
    title: str
    systems: frozenset[str]
    group: str
    part: str = ""

    def inject(self, stack: Stack) -> None:
        """Break it."""

    def in_force(self, stack: Stack) -> bool:
        """Whether everything that the fault touches is seen, from outside, to be broken."""

    def gone(self, stack: Stack) -> bool:
        """Whether nothing of the fault is seen any more."""
        return not self.in_force(stack)

    def heal(self, stack: Stack) -> None:
        """Mend it; works also after half an injection."""

    def undo_by_hand(self, stack: Stack) -> str:
        """A command, or a few, that mend it without opsproof."""


@contextmanager
def injected(fault: Fault, stack: Stack) -> Iterator[None]:
    """
    Break the stack for the length of a block.

    Raises:
        FaultNotInForce: It never took hold; the block did not run.
        FaultNotHealed: After the block it is still seen, or the stack is not ready again.
    """
    inject(fault, stack)
    try:
        yield
    finally:
        heal(fault, stack)


def inject(fault: Fault, stack: Stack) -> None:
    """
    Break the stack and see it broken.

    Raises:
        StackError: The fault is injected already, touches no system of this stack, or needs a part that it lacks.
        FaultNotInForce: It could not be injected, or was not seen in force in time; it is healed again.
        FaultNotHealed: As above, and healing failed too.
    """
    with edit_state(stack.directory) as state:
        if fault.name in state.faults:
            raise StackError(
                f"the fault {fault.name} is injected already",
                where=f"stack {stack.name}",
                next_step=f"heal it first: opsproof stack heal {fault.name} --name {stack.name}",
            )
        if not state.ready:
            raise StackError(
                f"the stack is still starting, and the fault {fault.name} cannot be told from that",
                where=f"stack {stack.name}",
                next_step="wait until it is ready (opsproof stack status), then break it",
            )
        if not fault.systems.intersection(state.systems):
            raise StackError(
                f"the fault {fault.name} touches only {', '.join(sorted(fault.systems))}",
                where=f"stack {stack.name} with {', '.join(state.systems)}",
                next_step="start the stack with that system",
            )
        if fault.part and fault.part not in state.parts:
            raise StackError(
                f"the fault {fault.name} needs the part {fault.part}, and this stack was started without it",
                where=f"stack {stack.name}",
                next_step="install it, then start the stack again; `opsproof stack up` says how",
            )
        state.faults[fault.name] = FaultNote(fault.name, datetime.now(UTC).isoformat(timespec="seconds"))
    try:
        fault.inject(stack)
        if not wait_for(lambda: fault.in_force(stack), SECONDS_TO_TAKE_HOLD, _PAUSE):
            raise FaultNotInForce(
                f"the fault {fault.name} was not seen in force within {SECONDS_TO_TAKE_HOLD:.0f} s; it is healed again",
                where=f"stack {stack.name}",
                next_step="do not read this run as a result; see the logs of the stack: opsproof stack status",
            )
    except BaseException as exc:  # also Ctrl-C: half a fault must not stay
        heal(fault, stack)
        if isinstance(exc, StackError) or not isinstance(exc, Exception):
            raise
        raise FaultNotInForce(
            f"the fault {fault.name} could not be injected: {type(exc).__name__}: {exc}",
            where=f"stack {stack.name}",
            next_step="see what else is broken: opsproof stack status",
        ) from exc


def heal(fault: Fault, stack: Stack) -> None:
    """
    Mend the stack, see the fault gone, and, if it was the last one, see the stack ready again.

    Raises:
        FaultNotHealed: It is still seen, or the stack is not ready; says how to undo it by hand.
    """
    try:
        fault.heal(stack)
        gone = wait_for(lambda: fault.gone(stack), SECONDS_TO_GO, _PAUSE)
    except Exception as exc:  # whatever kept it from healing, the stack is still broken
        raise _not_healed(fault, stack, f"healing it failed: {type(exc).__name__}: {exc}") from exc
    if not gone:
        raise _not_healed(fault, stack, f"it is still seen in force {SECONDS_TO_GO:.0f} s after it was healed")
    with edit_state(stack.directory) as state:
        state.faults.pop(fault.name, None)
        others = list(state.faults)
    if not others and (missing := _missing_in_the_end(stack)):
        what = "; ".join(f"{part}: {reason}" for part, reason in missing.items())
        raise _not_healed(fault, stack, f"it is gone, but the stack is not ready again: {what}")


def _missing_in_the_end(stack: Stack) -> dict[str, str]:
    """
    What is missing once the stack had time to become ready.

    Parts that ended under the fault are started again, as a supervisor would: Celery's worker, for one, may end when
    it loses its broker while it holds a job for later.
    """
    end = time.monotonic() + SECONDS_TO_READY
    while True:
        start_ended_parts(stack.directory)
        missing = stack.missing(min(SECONDS_TO_READY, _SECONDS_BETWEEN_STARTS))
        if not missing or time.monotonic() > end:
            return missing


def _not_healed(fault: Fault, stack: Stack, what: str) -> FaultNotHealed:
    return FaultNotHealed(
        f"the fault {fault.name} is not healed: {what}",
        where=f"stack {stack.name} in {stack.directory}",
        next_step=f"undo it by hand now: {fault.undo_by_hand(stack)}",
    )
