"""Where stacks live: one folder a stack under <tempdir>/opsproof-<uid>, and what is done with abandoned ones."""

import contextlib
import os
import secrets
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from opsproof.errors import StackError
from opsproof.stack.process import Process, belonging_to, end
from opsproof.stack.state import StackState, locked, read_state, write_state

_OPEN_TO_PASS = 0o711  # PostgreSQL's user must reach its data folder through here, but list nothing
_NOT_STACKS = "bin-"
_ROUNDS = 5


def base_directory() -> Path:
    """
    The folder that holds all stacks of this user, made if need be.

    Raises:
        StackError: Somebody else owns it, or it is a link: nothing in it could be trusted.
    """
    base = Path(tempfile.gettempdir()).resolve() / f"opsproof-{os.getuid()}"
    base.mkdir(mode=_OPEN_TO_PASS, exist_ok=True)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise StackError(
            "the folder for stacks is a link, or belongs to another user",
            where=str(base),
            next_step="remove it, or set TMPDIR to a folder of your own",
        )
    base.chmod(_OPEN_TO_PASS)
    return base


def create(name: str | None, systems: list[str], port_names: list[str]) -> Path:
    """
    Make a stack's folder with its stack.json, owned by this process, with ports that no other stack has.

    Raises:
        StackError: A running stack has that name, or no port is free.
    """
    from opsproof.stack.ports import free_ports

    owner = Process.of(os.getpid())
    assert owner is not None
    with _alone() as base:
        directory = base / (name or f"run-{secrets.token_hex(4)}")
        try:
            directory.mkdir(mode=_OPEN_TO_PASS)
        except FileExistsError as exc:
            raise StackError(
                f"a stack named {directory.name} is running already",
                where=str(directory),
                next_step=f"use it, stop it (opsproof stack down --name {directory.name}), or choose another --name",
            ) from exc
        directory.chmod(_OPEN_TO_PASS)
        taken = {port for state in _states(base).values() if state for port in state.ports.values()}
        ports = free_ports(port_names, taken)
        write_state(directory, StackState(directory.name, systems, owner, ports, secrets={}))
    return directory


def running() -> list[Path]:
    """Folders of this user's stacks whose owner lives, ready or still starting."""
    base = base_directory()
    return [directory for directory, state in _states(base).items() if state is not None and state.owner.alive()]


def reap() -> list[Path]:
    """
    Clean up the stacks whose owner died (SIGKILL, power), also half-started ones.

    Returns:
        The folders that were removed.
    """
    with _alone() as base:
        left = [path for path, state in _states(base).items() if state is None or not state.owner.alive()]
        for directory in left:
            _remove(directory)
    return left


def remove(directory: Path) -> None:
    """
    End every process of a stack and remove its folder, if somebody has not removed it before.

    Raises:
        StackError: A process would not end, or the folder could not be removed.
    """
    with _alone():
        _remove(directory)


def _remove(directory: Path) -> None:
    signals: dict[Process, int] = {}
    with contextlib.suppress(StackError):  # damaged notes: the marks in the processes' environment remain
        if state := read_state(directory):
            signals = {part.process: part.stop_signal for part in state.parts.values()}
            signals |= {helper: signal.SIGTERM for note in state.faults.values() for helper in note.helpers}
    left = _end_all(directory, signals)
    if left:
        raise StackError(
            f"{len(left)} processes of the stack would not end",
            where=", ".join(f"pid {one.pid}" for one in left),
            next_step=f"end them by hand, then remove {directory}",
        )
    try:
        if directory.exists():
            shutil.rmtree(directory)
    except OSError as exc:
        raise StackError(
            f"the stack's folder could not be removed: {exc}", where=str(directory), next_step="remove it by hand"
        ) from exc


def _end_all(directory: Path, signals: Mapping[Process, int]) -> list[Process]:
    """End the recorded processes in order, then whatever else carries the stack's mark; those that would not end."""
    for one in belonging_to(directory):
        one.send(signal.SIGCONT)  # frozen children of PostgreSQL would outlive it
    end(signals.items())
    for _ in range(_ROUNDS):  # what is ended may just have started something
        found = belonging_to(directory)
        if not found:
            return []
        end((one, signal.SIGTERM) for one in found)
    return belonging_to(directory)


def _states(base: Path) -> dict[Path, StackState | None]:
    """Every stack's folder with its state; None where there is none, or a damaged one."""
    states: dict[Path, StackState | None] = {}
    for directory in sorted(path for path in base.iterdir() if path.is_dir() and not path.name.startswith(_NOT_STACKS)):
        states[directory] = None
        with contextlib.suppress(StackError):
            states[directory] = read_state(directory)
    return states


@contextlib.contextmanager
def _alone() -> Iterator[Path]:
    """Hold the lock on the folder of all stacks, so that nobody makes or removes one meanwhile."""
    base = base_directory()
    with locked(base / "lock"):
        yield base
