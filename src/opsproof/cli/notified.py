"""What was told already: once for each incident, profile, priority and channel, also by two commands at once."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from opsproof.errors import OpsproofError

FILE = "notified.json"
"""In the folder that holds the runs."""


class State(StrEnum):
    """How a message stands."""

    NEW = "new"
    SENT = "sent"
    CUT_OFF = "sending"
    """A command was ended while it sent: the message may have arrived, or not."""


class Notified:
    """
    The messages that were sent. Use it through `notified`, which holds the lock.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._entries = _entries(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            self._entries = {}
        except (OSError, ValueError) as exc:
            raise OpsproofError(
                "what was told already cannot be read; nothing was sent",
                where=str(path),
                next_step="Put the file right, or move it away: then everything counts as not told.",
            ) from exc

    def state(self, key: str) -> State:
        """How the message stands."""
        return State(self._entries.get(key, {}).get("state", State.NEW))

    def at(self, key: str) -> str:
        """When it was sent, or begun."""
        return self._entries.get(key, {}).get("at", "")

    def claim(self, key: str) -> None:
        """Write down that it is being sent, before it is: a command that is ended meanwhile leaves that behind."""
        self._entries[key] = {"state": State.CUT_OFF, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        self._write()

    def settle(self, key: str, *, sent: bool) -> None:
        """Write down what came of it; what failed counts as never sent."""
        if sent:
            self._entries[key]["state"] = State.SENT
        else:
            del self._entries[key]
        self._write()

    def _write(self) -> None:
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        beside.write_text(json.dumps(self._entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(beside, self._path)


def _entries(known: Any) -> dict[str, dict[str, str]]:
    """The entries of the file, each with a state and a time; ValueError if it holds anything else."""
    entries = known.items() if isinstance(known, dict) else [("", known)]
    for key, entry in entries:
        if not (isinstance(entry, dict) and all(isinstance(entry.get(name), str) for name in ("state", "at"))):
            raise ValueError(f"no message: {key!r}")
        State(entry["state"])
    return dict(entries)


def read_notified(folder: Path) -> Notified:
    """
    The messages that were sent, to look at only.

    Args:
        folder: The folder that holds the runs.

    Raises:
        OpsproofError: The file cannot be read.
    """
    return Notified(folder / FILE)


@contextmanager
def notified(folder: Path) -> Iterator[Notified]:
    """
    The messages that were sent, for one command at a time; another one waits until this one has ended.

    Args:
        folder: The folder that holds the runs.

    Raises:
        OpsproofError: The folder cannot be written, or the file cannot be read.
    """
    try:
        lock = (folder / f".{FILE}.lock").open("w")
    except OSError as exc:
        raise OpsproofError(
            f"what is told cannot be written down: {exc.strerror}; nothing was sent",
            where=str(folder),
            next_step="Make the folder of the runs writable: it keeps people from being called twice.",
        ) from exc
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Notified(folder / FILE)
