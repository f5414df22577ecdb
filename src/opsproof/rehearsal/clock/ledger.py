"""The ledger: what was written from outside, and what was acknowledged, on a disk that is not the database's."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from opsproof.errors import OpsproofError
from opsproof.rehearsal.clock.anchor import Anchor

SCHEMA = 1
"""Version of the file's form."""


@dataclass(frozen=True)
class Server:
    """
    Who acknowledged a write, as the very statement that wrote it was told.

    Attributes:
        system: System identifier; "" where the service's own path does not tell.
        timeline: By the name of the WAL file that is written (the control file's is late); 0 where it is not told.
        lsn: Position in the WAL before the commit.
        sync: Its synchronous_commit.
    """

    system: str = ""
    timeline: int = 0
    lsn: str = ""
    sync: str = ""


@dataclass(frozen=True)
class Entry:
    """
    One write.

    Attributes:
        id: Never used twice, whatever became of it.
        value: A token that no other write has.
        sent: Before it was sent.
        acked: After the acknowledgement; None without one.
        server: Who acknowledged it.
        why: Why there is no acknowledgement; "" if there is one, or if the writer ended before it knew.
    """

    id: int
    value: str
    sent: datetime
    acked: datetime | None = None
    server: Server = Server()
    why: str = ""


@dataclass(frozen=True)
class Ledger:
    """
    A ledger that was read.

    Attributes:
        writer: Who wrote; its rows carry that name.
        interval: Seconds between two writes that the writer aimed at.
        entries: In the order of their ids, which is that of their times.
        torn: Lines that a killed writer left unfinished; what they would have said was not acted upon.
        closed: Whether the writer ended because the rehearsal asked it to. One that died, or gave up, has no such line,
            and nobody knows what would have been acknowledged after its last write.
        sha256: Of the file.
        uncertainty: Why its times and the stopwatch's may lie apart; "" if they are of one clock.
    """

    writer: str
    interval: float
    entries: tuple[Entry, ...]
    torn: int
    closed: bool
    sha256: str
    uncertainty: str = ""

    @property
    def acknowledged(self) -> tuple[Entry, ...]:
        """The entries with an acknowledgement."""
        return tuple(entry for entry in self.entries if entry.acked is not None)


def read_ledger(path: Path, clock: Anchor | None = None) -> Ledger:
    """
    Read a ledger, and refuse one that cannot be true. A writer may be at it meanwhile.

    Args:
        path: Its file.
        clock: The stopwatch's anchor: times are given on its scale where both count the same ticks.

    Raises:
        OpsproofError: It is not there, is of another schema, or contradicts itself; says in which line.
    """
    try:
        content = path.read_bytes()
    except OSError as exc:
        next_step = "See whether the writer was started, with this path."
        raise OpsproofError(f"the ledger cannot be read: {exc.strerror}", where=str(path), next_step=next_step) from exc
    reading = _Reading(path, clock)
    lines = content.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if line:
            reading.take(number, line, whole=number < len(lines))
    return reading.ledger(hashlib.sha256(content).hexdigest())


class _Reading:
    def __init__(self, path: Path, clock: Anchor | None) -> None:
        self._path = path
        self._clock = clock
        self._anchor: Anchor | None = None
        self._writer = ""
        self._interval = 0.0
        self._entries: dict[int, Entry] = {}
        self._last = 0
        self._torn: list[int] = []
        self._torn_open = 0
        self._closed = False
        self._uncertainty = ""

    def take(self, number: int, line: bytes, *, whole: bool) -> None:
        try:
            said = json.loads(line) if whole else None
        except ValueError:
            said = None
        if not isinstance(said, dict):
            if self._torn_open:
                raise self._wrong(self._torn_open, "is not a line of a ledger, and others follow")
            self._torn.append(number)
            self._torn_open = number
            return
        try:
            self._understand(number, said)
        except (KeyError, TypeError, ValueError) as exc:
            raise self._wrong(number, f"is not of the ledger's form ({type(exc).__name__}: {exc})") from exc

    def _understand(self, number: int, said: dict[str, Any]) -> None:
        kind = said["kind"]
        if kind == "begin":
            self._begin(number, said)
            return
        if self._anchor is None:
            raise self._wrong(number, f"says {kind!r} before any writer began")
        if self._torn_open:
            raise self._wrong(self._torn_open, "is not a line of a ledger, and others of the same writer follow")
        if self._closed:
            raise self._wrong(number, "follows the writer's end")
        at = self._anchor.at(float(said["tick"]))
        if kind == "end":
            self._closed = True
        elif kind == "sent":
            self._sent(number, int(said["id"]), str(said["value"]), at)
        elif kind in ("acked", "unacked"):
            self._answered(number, said, at)
        else:
            raise self._wrong(number, f"says {kind!r}, which this version does not know")

    def _begin(self, number: int, said: dict[str, Any]) -> None:
        if said["schema"] != SCHEMA:
            raise self._wrong(number, f"is of schema {said['schema']}, and this version reads {SCHEMA}")
        if self._writer and said["writer"] != self._writer:
            raise self._wrong(number, f"is of another writer: {said['writer']}, and the ledger is {self._writer}'s")
        self._writer, self._interval = str(said["writer"]), float(said["interval"])
        self._torn_open, self._closed = 0, False
        own, shared = Anchor.from_json(said["clock"]), self._clock or self._anchor
        if shared is not None and own.boot and shared.boot == own.boot:
            self._anchor = shared
        else:
            self._anchor = own
            if shared is not None:
                self._uncertainty = "its times are by the wall clock of another machine, or of an earlier start of it"

    def _sent(self, number: int, one: int, value: str, at: datetime) -> None:
        if one in self._entries:
            raise self._wrong(number, f"sends id {one} a second time")
        if one <= self._last:
            raise self._wrong(number, f"sends id {one} after {self._last}: ids only grow")
        self._last = one
        self._entries[one] = Entry(one, value, at)

    def _answered(self, number: int, said: dict[str, Any], at: datetime) -> None:
        entry = self._entries.get(int(said["id"]))
        if entry is None:
            raise self._wrong(number, f"answers id {said['id']}, which this writer never sent")
        if entry.acked is not None or entry.why:
            raise self._wrong(number, f"answers id {entry.id} a second time")
        if at < entry.sent:
            raise self._wrong(number, f"answers id {entry.id} before it was sent")
        if said["kind"] == "acked":
            server = Server(str(said["system"]), int(said["timeline"]), str(said["lsn"]), str(said["sync"]))
            self._entries[entry.id] = replace(entry, acked=at, server=server)
        else:
            self._entries[entry.id] = replace(entry, why=str(said["why"]) or "no reason was given")

    def ledger(self, sha256: str) -> Ledger:
        if self._anchor is None:
            raise self._wrong(1, "does not begin a ledger")
        entries = tuple(self._entries.values())
        told = (self._writer, self._interval, entries, len(self._torn), self._closed, sha256, self._uncertainty)
        return Ledger(*told)

    def _wrong(self, number: int, what: str) -> OpsproofError:
        return OpsproofError(
            f"the ledger cannot be trusted: line {number} {what}",
            where=f"{self._path}:{number}",
            next_step="Nothing can be said of lost writes: rehearse again with a new ledger, and keep this one.",
        )
