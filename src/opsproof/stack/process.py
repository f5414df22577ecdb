"""Processes of the stack: known by pid *and* start time, so that a reused pid is never touched."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsproof.stack.logs import open_log

MARK = "OPSPROOF_STACK"
"""Environment variable that every process of a stack carries; its value is the stack's directory."""

_TITLED = ("postgres", "valkey-server", "redis-server", "nginx")
_POLL = 0.005
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Process:
    """
    One process, for good: the pid alone may belong to somebody else tomorrow.

    Args:
        pid: Process id.
        started: Start time in clock ticks since boot (field 22 of /proc/PID/stat).
        boot: Boot id of the machine; after a reboot both numbers mean nothing.
    """

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """The process that has this pid now; None if there is none or it is a zombie."""
        fields = _stat(pid)
        return None if fields is None else cls(pid, int(fields[19]), boot_id())

    def state(self) -> str:
        """One letter of proc(5): R, S, D, T (frozen) ...; "" when it is dead, a zombie or another process."""
        child = _children.get(self.pid)
        if child is not None and child.poll() is not None:
            _children.pop(self.pid, None)
        fields = _stat(self.pid)
        if fields is None or int(fields[19]) != self.started or self.boot != boot_id():
            return ""
        return fields[0]

    def alive(self) -> bool:
        """Whether this very process still runs; frozen counts, a zombie does not."""
        return self.state() != ""

    def send(self, number: int) -> None:
        """Send a signal, if this very process still runs."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def boot_id() -> str:
    """Boot id of this machine, from /proc/sys/kernel/random/boot_id."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def spawn(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, user: tuple[int, int] | None = None
) -> Process:
    """
    Start a process in its own session, with stdout and stderr appended to `log`.

    Args:
        user: (uid, gid) to run as; None keeps the caller's.
    Raises:
        OSError: The program is not there or may not be run.
    """
    with open_log(log) as output:
        child = subprocess.Popen(
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user and user[0],
            group=user and user[1],
            extra_groups=user and [],
        )
    process = Process.of(child.pid) or Process(child.pid, 0, boot_id())
    _children[child.pid] = child
    return process


def exit_status(process: Process) -> int | None:
    """Exit status of a process that this very process has started; None while it runs or if it is not ours."""
    child = _children.get(process.pid)
    return None if child is None else child.poll()


def collect_ended() -> None:
    """Take note of own children that ended, so that none stays as a zombie."""
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            _children.pop(pid, None)


def descendants(process: Process) -> list[Process]:
    """Children, their children and so on, alive at this moment."""
    parents: dict[int, list[int]] = {}
    for pid in _pids():
        if fields := _stat(pid):
            parents.setdefault(int(fields[1]), []).append(pid)
    found: list[Process] = []
    waiting = [process.pid] if process.alive() else []
    while waiting:
        for pid in parents.get(waiting.pop(), []):
            if child := Process.of(pid):
                found.append(child)
                waiting.append(pid)
    return found


def belonging_to(directory: Path) -> list[Process]:
    """
    Processes that a stack has started, recorded or not: those that carry its mark in their environment, and servers
    that overwrite their environment with a title, known by their working folder.
    """
    mark = f"{MARK}={directory}".encode()
    found = []
    for pid in _pids():
        if pid != os.getpid() and (_has_mark(pid, mark) or _is_server_in(pid, directory)) and (one := Process.of(pid)):
            found.append(one)
    return found


def told_of(words: str) -> list[Process]:
    """Processes that have some words in their environment, as they are or as JSON: a path that only they were given."""
    wanted = {words.encode(), json.dumps(words)[1:-1].encode()}
    found = []
    for pid in _pids():
        if pid != os.getpid() and any(one in _environment(pid) for one in wanted) and (one := Process.of(pid)):
            found.append(one)
    return found


def wait_for(condition: Callable[[], bool], seconds: float, pause: float = _POLL) -> bool:
    """Whether the condition came true within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(pause)
    return True


def end(processes: Iterable[tuple[Process, int]], *, grace: float = 3.0) -> list[Process]:
    """
    End processes: thaw, ask with the given signal, after `grace` seconds kill.

    Args:
        processes: Each with the signal that asks it to end (SIGTERM for most, SIGINT for PostgreSQL).
    Returns:
        Those that are still there even so (never seen yet; a process in uninterruptible sleep).
    """
    asked = [(one, number) for one, number in processes if one.alive()]
    for one, number in asked:
        one.send(signal.SIGCONT)
        one.send(number)
    if not wait_for(lambda: not any(one.alive() for one, _ in asked), grace):
        for one, _ in asked:
            one.send(signal.SIGKILL)
        wait_for(lambda: not any(one.alive() for one, _ in asked), grace)
    return [one for one, _ in asked if one.alive()]


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state on; None for no process or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if not fields or fields[0] in "ZX" else fields


def _has_mark(pid: int, mark: bytes) -> bool:
    return mark in _environment(pid).split(b"\0")


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # gone meanwhile, or another user's: then it is not ours
        return b""


def _is_server_in(pid: int, directory: Path) -> bool:
    try:
        program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
        folder = os.readlink(f"/proc/{pid}/cwd").removesuffix(" (deleted)")
        return program in _TITLED and Path(folder).is_relative_to(directory)
    except OSError:  # gone meanwhile, or another user's: then it is not ours
        return False
