"""Run a command to its end: how long it took as a whole, and how much memory it and its children had."""

import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOOK_EVERY = 0.1
_PROC = Path("/proc")


@dataclass(frozen=True)
class Ran:
    """
    A command that ran.

    Attributes:
        started: When, in seconds of `time.monotonic`.
        wall: Seconds from start to end, interpreter start and end included.
        peak: Bytes; the sum of what each process of the tree had at its peak, which the tree as a whole never exceeds.
            A child that lives less than a tenth of a second may be missed. None where the system has no `/proc`.
        status: Exit status.
        output: What it printed.
    """

    started: float
    wall: float
    peak: int | None
    status: int
    output: str


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Ran:
    """
    Run a command to its end.

    Args:
        command: Program and arguments.
        folder: Where it runs.
        environment: Its whole environment.

    Raises:
        OSError: There is no such program.
    """
    log = folder / "output.txt"
    with log.open("wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        tree = _Tree(process.pid)
        tree.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        tree.stop()
    own = usage.ru_maxrss * 1024 if sys.platform == "linux" else None
    return Ran(started, wall, own and tree.peak(own), process.returncode, log.read_text(errors="replace"))


class _Tree(threading.Thread):
    """Looks at the children of a process ten times a second; each keeps its own peak."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self._root = root
        self._over = threading.Event()
        self._peaks: dict[int, int] = {}

    def run(self) -> None:
        while not self._over.wait(_LOOK_EVERY):
            for pid in _descendants(self._root):
                self._peaks[pid] = max(self._peaks.get(pid, 0), _peak_of(pid))

    def stop(self) -> None:
        self._over.set()
        self.join()

    def peak(self, own: int) -> int:
        """The peak of the tree, given the root's own."""
        return own + sum(self._peaks.values())


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for folder in _PROC.glob("[0-9]*"):
        fields = _read(folder / "stat").rpartition(")")[2].split()
        if fields:
            children[int(fields[1])].append(int(folder.name))
    found: list[int] = []
    parents = [root]
    while parents:
        parents = [child for parent in parents for child in children[parent]]
        found += parents
    return found


def _peak_of(pid: int) -> int:
    for line in _read(_PROC / str(pid) / "status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(path: Path) -> str:
    """A file of a process; empty if the process has just ended."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
