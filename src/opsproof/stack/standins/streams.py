"""The log files of a stack as Loki's streams."""

import json
import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from opsproof.stack.names import job_of

_MOST_LINES = 50_000
_COMPONENTS = ("api", "worker")
_NEVER = -1


class TooFarBack(LookupError):
    """Lines of that time were there and are forgotten: what is left would be taken for all."""


@dataclass
class Stream:
    """
    One log file.

    Attributes:
        labels: app and job (`shop-api`), system (`shop`), component (`api`).
        lines: The newest lines with their times in nanoseconds since 1970.
    """

    path: Path
    labels: dict[str, str]
    lines: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_MOST_LINES))
    _offset: int = 0
    _inode: int = 0
    _forgotten: int = _NEVER

    def read_on(self) -> None:
        """
        Take in what was written since the last call, whole lines only.

        A file that was cut or replaced is read from its beginning; what was written to the old one after the last call
        is lost. A file that is gone adds nothing.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            found = os.fstat(file.fileno())
            if found.st_ino != self._inode or found.st_size < self._offset:
                self._offset, self._inode = 0, found.st_ino
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self._add(line[:-1].decode(errors="replace"))

    def between(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        """
        The lines from `start` up to `end`, nanoseconds since 1970, `end` not included.

        Raises:
            TooFarBack: Lines of that stretch are forgotten.
        """
        if start <= self._forgotten:
            raise TooFarBack(f"{self.labels['job']}: only the newest {_MOST_LINES} lines are kept")
        return ((at, line) for at, line in self.lines if start <= at < end)

    def _add(self, line: str) -> None:
        if len(self.lines) == _MOST_LINES:
            self._forgotten = max(self._forgotten, self.lines[0][0])
        self.lines.append((_time(line), line))


class Streams:
    """All streams of a stack's folder. Not for several threads at once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._streams: dict[Path, Stream] = {}

    def now(self) -> list[Stream]:
        """The streams, with what was written up to now."""
        for component in _COMPONENTS:
            for path in self._directory.glob(f"*-{component}.log"):
                if path not in self._streams:
                    labels = {
                        "app": path.stem,
                        "job": job_of(path.stem),
                        "system": path.stem.removesuffix(f"-{component}"),
                        "component": component,
                    }
                    self._streams[path] = Stream(path, labels)
        for stream in self._streams.values():
            stream.read_on()
        return list(self._streams.values())


def _time(line: str) -> int:
    """When a line was written, by its field `ts`; a line without one is from now."""
    try:
        return int(datetime.fromisoformat(json.loads(line)["ts"]).timestamp() * 1e9)
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return time.time_ns()
