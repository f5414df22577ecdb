"""The ledger's file, as its one writer holds it: nothing is acted upon before it is on the disk."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from opsproof.errors import OpsproofError, Refused
from opsproof.rehearsal.clock.anchor import Anchor, ticks
from opsproof.rehearsal.clock.ledger import SCHEMA, Server, read_ledger

_TORN = b" torn\n"  # ends the line of a killed writer so that it is no JSON, even if only its end was missing


class LedgerFile:
    """
    The ledger's file, open for its one writer. Every line is on the disk before its method returns.

    Args:
        path: A file that is made, or one of an earlier writer that ended: it is continued, never overwritten.
        interval: Seconds between two writes.

    Raises:
        Refused: Another writer has it open.
        OpsproofError: It holds something else, or cannot be written; each method raises that too.
    """

    def __init__(self, path: Path, *, interval: float) -> None:
        self._path, where = path, str(path)
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            what = f"the ledger cannot be written: {exc.strerror}"
            raise OpsproofError(what, where=where, next_step="Give it a folder outside the database's disk.") from exc
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            os.close(self._file)
            next_step = "End that writer first (SIGTERM), or give this one a ledger of its own."
            raise Refused("another writer has the ledger open", where=where, next_step=next_step) from exc
        try:
            earlier = read_ledger(path) if os.fstat(self._file).st_size else None
        except OpsproofError:
            os.close(self._file)
            raise
        self.clock = Anchor.here()
        self.writer = earlier.writer if earlier else f"opsproof-{os.urandom(6).hex()}"
        self.last = earlier.entries[-1].id if earlier and earlier.entries else 0
        if earlier and earlier.torn and not _ends_whole(path):
            os.write(self._file, _TORN)
        begin = {"schema": SCHEMA, "writer": self.writer, "interval": interval, "clock": self.clock.to_json()}
        self._put("begin", begin)
        _sync_folder(path.parent)

    def sent(self, number: int, value: str) -> None:
        """Note a write that is about to be sent. Ids only grow."""
        if number <= self.last:
            raise ValueError(f"id {number} after {self.last}")
        self.last = number
        self._put("sent", {"id": number, "value": value})

    def acked(self, number: int, server: Server) -> None:
        """Note that it was acknowledged, by whom."""
        said = {"system": server.system, "timeline": server.timeline, "lsn": server.lsn, "sync": server.sync}
        self._put("acked", {"id": number, **said})

    def unacked(self, number: int, why: str) -> None:
        """Note that there will be no acknowledgement any more: it may be there all the same, now or later."""
        self._put("unacked", {"id": number, "why": why})

    def end(self) -> None:
        """Note that the writer ends because the rehearsal asked it to: nothing is missing after the last write."""
        self._put("end", {})

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, kind: str, said: Mapping[str, Any]) -> None:
        line = json.dumps({"kind": kind, "tick": ticks(), **said}, ensure_ascii=False, separators=(",", ":"))
        waiting = memoryview(line.encode() + b"\n")
        try:
            while waiting:
                waiting = waiting[os.write(self._file, waiting) :]
            os.fsync(self._file)
        except OSError as exc:
            what = f"the ledger cannot be written: {exc.strerror}"
            next_step = "Make room there; what was sent without a line in the ledger proves nothing."
            raise OpsproofError(what, where=str(self._path), next_step=next_step) from exc


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
