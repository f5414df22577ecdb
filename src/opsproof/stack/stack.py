"""The embedded stack: real parts as local processes, started in seconds, gone without a trace."""

import atexit
import os
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from opsproof.errors import StackError
from opsproof.stack import directory as places
from opsproof.stack.control import part_state
from opsproof.stack.credentials import new_credentials
from opsproof.stack.parts import ALL, Part, Plan, parts_of
from opsproof.stack.starting import PortTaken, start_parts, wait_until_ready
from opsproof.stack.state import StackState, edit_state, read_state, write_private

_TRIES = 3
_NAME = re.compile(r"(?!bin-)[a-z0-9][a-z0-9._-]{0,40}")


@dataclass(frozen=True)
class PartStatus:
    """
    One part as it is now.

    Args:
        pid: Process id; of the last process where it is stopped.
        state: running, stopped or frozen.
        address: host:port; "" when it does not listen.
    """

    name: str
    pid: int
    state: str
    address: str
    log: Path


class Stack:
    """
    A running stack, started here (`start`) or by another process of this user (`attach`).

    >>> with Stack.start(["ingest"]) as stack:
    ...     stack.variables["INGEST_URL"]
    'http://127.0.0.1:24093'
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.seconds: dict[str, float] = {}
        """Seconds that each part took until ready; empty unless started here."""

    @classmethod
    def start(
        cls, systems: Iterable[str] = ALL, name: str | None = None, progress: Callable[[str], None] | None = None
    ) -> "Stack":
        """
        Start a stack; abandoned ones are cleaned up first.

        Args:
            systems: Systems to run; all by default.
            name: Name to attach by; random by default.
            progress: Called with one line for each step, from several threads.
        Raises:
            StackError: A part could not be started (names it, with the last lines of its log), or the name is in use.
                Whatever was started is stopped again.
        """
        wanted = tuple(dict.fromkeys(systems))
        everything = parts_of(wanted)
        if name is not None and not _NAME.fullmatch(name):
            raise StackError(
                f"a stack cannot be named {name!r}", where="name", next_step="use lower-case letters, digits, . _ -"
            )
        tell = progress or _silent
        for path in places.reap():
            tell(f"cleaned up an abandoned stack: {path.name}")
        left_out = {part: why for part, of in everything.items() if (why := of.absent())}
        for part, why in left_out.items():
            tell(f"{part} is left out: {why}")
        parts = {part: of for part, of in everything.items() if part not in left_out}
        for left in reversed(range(_TRIES)):
            port_names = [port for part in parts.values() for port in part.port_names]
            stack = cls(places.create(name, list(wanted), port_names))
            try:
                stack._start(parts, tell)
            except PortTaken:
                stack.stop()
                if not left:
                    raise
                tell("a port was taken meanwhile; starting again with other ports")
            except BaseException:  # also Ctrl-C: nothing that was started may stay
                stack.stop()
                raise
            else:
                return stack
        raise AssertionError("unreachable")

    @classmethod
    def attach(cls, name: str = "default") -> "Stack | None":
        """The ready stack of that name that this user runs, in whatever process; None when there is none."""
        return next((stack for stack in cls.running() if stack.name == name and stack.state.ready), None)

    @classmethod
    def running(cls) -> "list[Stack]":
        """All stacks of this user whose owner lives, those that are still starting too."""
        return [cls(directory) for directory in places.running()]

    @property
    def name(self) -> str:
        """Name to attach by."""
        return self.directory.name

    @property
    def state(self) -> StackState:
        """What stack.json says now; another process may have changed it. Raises StackError when the stack is gone."""
        state = read_state(self.directory)
        if state is None:
            raise StackError("the stack is gone", where=str(self.directory), next_step="start one: opsproof stack up")
        return state

    @property
    def variables(self) -> dict[str, str]:
        """What embedded profiles refer to: addresses, credentials, tokens, files; with what injected faults change."""
        return self.state.current_variables()

    @property
    def variables_file(self) -> Path:
        """The variables as `export` lines for a shell; only the owner may read it."""
        return self.directory / "variables.sh"

    @property
    def plan(self) -> Plan:
        """What was settled before the first process started."""
        state = self.state
        return Plan(self.directory, tuple(state.systems), state.ports, state.secrets)

    def parts(self) -> list[PartStatus]:
        """Every part as it is now."""
        return [
            PartStatus(record.name, record.process.pid, part_state(record), record.address, Path(record.log))
            for record in self.state.parts.values()
        ]

    def missing(self, seconds: float = 0.0) -> dict[str, str]:
        """Wait up to `seconds` for readiness. Returns what is missing by part; empty when every part answers."""
        plan = self.plan
        parts = {name: part for name, part in parts_of(plan.systems).items() if plan.has(name) or not part.listens}
        return wait_until_ready(plan, parts, seconds)

    def stop(self) -> None:
        """
        End every process of the stack and remove its folder; nothing if it is gone.

        Raises:
            StackError: A process would not end.
        """
        atexit.unregister(self._stop_at_exit)
        places.remove(self.directory)

    def __enter__(self) -> "Stack":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, parts: dict[str, Part], tell: Callable[[str], None]) -> None:
        atexit.register(self._stop_at_exit)
        with edit_state(self.directory) as state:
            state.secrets = new_credentials(state.systems)
        plan = self.plan
        self.seconds = start_parts(plan, parts, tell)
        with edit_state(self.directory) as state:
            state.parts = {name: state.parts[name] for name, part in parts.items() if not part.once}
            state.variables = {"STACK_DIRECTORY": str(self.directory)}
            for part in parts_of(plan.systems).values():
                state.variables |= part.variables(plan)
            state.ready = True
            write_variables(self.directory, state)

    def _stop_at_exit(self) -> None:
        """At exit of the process that started it; a forked child that exits too must not stop it."""
        state = read_state(self.directory)
        if state is not None and state.owner.pid == os.getpid():
            self.stop()


def write_variables(directory: Path, state: StackState) -> None:
    """Write the variables as `export` lines for a shell."""
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in state.current_variables().items()]
    write_private(directory / "variables.sh", "".join(lines))


def _silent(line: str) -> None:
    """No progress wanted."""
