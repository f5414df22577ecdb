"""What a stack knows about itself, in one file that several processes may change: stack.json."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from opsproof.errors import StackError
from opsproof.stack.process import Process

STATE_FILE = "stack.json"


@dataclass
class PartRecord:
    """
    One running part, with all that is needed to start it again just so.

    Args:
        env: Environment as first started; what a fault changes is kept in the fault's note.
        user: (uid, gid) it runs as; None for the owner of the stack.
        stop_signal: What asks it to end.
        address: Where it listens, for people; "" when it does not.
    """

    name: str
    argv: list[str]
    env: dict[str, str]
    cwd: str
    user: tuple[int, int] | None
    stop_signal: int
    log: str
    address: str
    process: Process


@dataclass
class FaultNote:
    """
    A fault that is injected (or being injected), with all that healing it needs.

    Args:
        env: Environment changes by part; None takes a variable away.
        variables: Values that stand in front of the stack's variables.
        defects: What the fault adds to the defects file.
        memory: What the fault has to remember in order to heal.
        helpers: Processes that hold the fault in force (a lock, connections).
    """

    name: str
    injected_at: str
    env: dict[str, dict[str, str | None]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    defects: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)
    helpers: list[Process] = field(default_factory=list)


@dataclass
class StackState:
    """Everything in stack.json."""

    name: str
    systems: list[str]
    owner: Process
    ports: dict[str, int]
    secrets: dict[str, str]
    ready: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    parts: dict[str, PartRecord] = field(default_factory=dict)
    faults: dict[str, FaultNote] = field(default_factory=dict)

    def environment_of(self, part: str) -> dict[str, str]:
        """Environment of a part with the changes of every fault that is injected."""
        env: dict[str, str | None] = dict(self.parts[part].env)
        for note in self.faults.values():
            env |= note.env.get(part, {})
        return {name: value for name, value in env.items() if value is not None}

    def current_variables(self) -> dict[str, str]:
        """The stack's variables with the changes of every fault that is injected."""
        variables = dict(self.variables)
        for note in self.faults.values():
            variables |= note.variables
        return variables

    def current_defects(self) -> dict[str, Any]:
        """The defects of every injected fault in one: lists are joined, other values replaced."""
        defects: dict[str, Any] = {}
        for note in self.faults.values():
            for key, value in note.defects.items():
                defects[key] = [*defects.get(key, []), *value] if isinstance(value, list) else value
        return defects


def read_state(directory: Path) -> StackState | None:
    """
    The state of the stack in a directory; None when there is no stack.json.

    Raises:
        StackError: The file is damaged.
    """
    path = directory / STATE_FILE
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return _from_json(raw)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise StackError(
            "the stack's own notes are damaged", where=str(path), next_step="stop the stack: opsproof stack down"
        ) from exc


@contextlib.contextmanager
def edit_state(directory: Path) -> Iterator[StackState]:
    """
    Change stack.json alone (under a file lock) and whole (written aside, then renamed).

    Raises:
        StackError: The stack is gone, or its file is damaged.
    """
    if not directory.is_dir():
        raise _gone(directory)
    with locked(directory / "stack.lock"):
        state = read_state(directory)
        if state is None:
            raise _gone(directory)
        yield state
        write_state(directory, state)


def write_state(directory: Path, state: StackState) -> None:
    """Write stack.json whole: only the owner may read it, nobody ever sees half of it."""
    write_private(directory / STATE_FILE, json.dumps(asdict(state), indent=1))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read (0600), atomically."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process at the latest."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _gone(directory: Path) -> StackError:
    return StackError("the stack is gone", where=str(directory), next_step="start one: opsproof stack up")


def _from_json(raw: dict[str, Any]) -> StackState:
    parts = {
        name: PartRecord(
            **(part | {"process": Process(**part["process"]), "user": tuple(part["user"]) if part["user"] else None})
        )
        for name, part in raw["parts"].items()
    }
    faults = {
        name: FaultNote(**(note | {"helpers": [Process(**helper) for helper in note["helpers"]]}))
        for name, note in raw["faults"].items()
    }
    return StackState(**(raw | {"owner": Process(**raw["owner"]), "parts": parts, "faults": faults}))
