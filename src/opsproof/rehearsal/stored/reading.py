"""Read a dump whole, once: hash, unpack, and follow what it would restore, in bounded memory."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from opsproof.errors import BadAnswer, NoData, PreconditionMissing, StackError, TimedOut
from opsproof.probes.backup import Objects
from opsproof.profile.backups import Backups, Dumps
from opsproof.rehearsal.stored.gunzip import Gunzip
from opsproof.rehearsal.stored.header import LENGTH, foreign, header
from opsproof.rehearsal.stored.sql import SqlScan
from opsproof.stack.clusters import Programs

_PIPE = 1 << 20
_END_SECONDS = 60.0
_PAUSE = 0.005


@dataclass
class DumpReading:
    """
    What came of reading a dump from its first byte to its last.

    Attributes:
        name: Of the object.
        bytes: As they are stored.
        sha256: Of them.
        problems: Why it cannot be restored as it is.
        database: Its database; "" where a plain dump does not say.
        server: Version of the server that it is of.
        tool: Version of the pg_dump that wrote it.
        tables: Rows by `schema.table`, those of partitions counted for their parents too.
        parents: Tables that have partitions.
        kinds: How many objects of each kind it would make.
        heartbeat: Time of the newest heartbeat in it.
    """

    name: str
    bytes: int = 0
    sha256: str = ""
    problems: list[str] = field(default_factory=list)
    database: str = ""
    server: str = ""
    tool: str = ""
    tables: dict[str, int] = field(default_factory=dict)
    parents: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    heartbeat: datetime | None = None


def read_dump(
    objects: Objects, name: str, dumps: Dumps, backups: Backups, programs: Programs, seconds: float
) -> DumpReading:
    """
    Read one dump.

    Args:
        objects: The store.
        name: Of the object.
        dumps: Its form.
        backups: The heartbeat's table and column.
        programs: pg_restore reads the custom form.
        seconds: Limit of the whole.

    Raises:
        TimedOut: It took longer.
        NotObserved: The store gives no answer.
    """
    reading = DumpReading(name)
    scan = SqlScan(backups.heartbeat.table, backups.heartbeat.at, columns=dumps.form == "plain")
    content = _Content(objects, name, reading, time.monotonic() + seconds)
    pieces = content.pieces()
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= LENGTH:
            break
    if not start and not reading.problems:
        reading.problems.append("it is empty: 0 bytes")
    elif dumps.form == "custom":
        _custom(reading, start, pieces, scan, programs)
    else:
        _plain(reading, start, pieces, scan)
    for _ in pieces:
        pass
    reading.tables, reading.parents, reading.heartbeat = scan.tables, scan.parents, scan.newest
    reading.kinds = scan.kinds
    reading.server = reading.server or scan.server
    reading.tool = reading.tool or scan.tool
    reading.database = reading.database or scan.database
    return reading


class _Content:
    """An object's content, unpacked where its name ends with .gz; what is read is hashed."""

    def __init__(self, objects: Objects, name: str, reading: DumpReading, end: float) -> None:
        self._objects, self._name, self._reading, self._end = objects, name, reading, end

    def pieces(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        packed = Gunzip() if self._name.endswith(".gz") else None
        stream = self._objects.stream(self._name)
        while True:
            try:
                piece = next(stream, None)
            except (PreconditionMissing, BadAnswer, NoData) as exc:
                self._reading.problems.append(f"it cannot be read: {exc.what}")
                return
            if piece is None:
                break
            if time.monotonic() > self._end:
                where = self._objects.where(f"GET {self._name}")
                next_step = "See how fast the store is; read it by hand."
                raise TimedOut(
                    f"not read to its end: {self._reading.bytes} bytes so far", where=where, next_step=next_step
                )
            digest.update(piece)
            if packed is None:
                yield piece
            else:
                if not self._reading.bytes and not piece.startswith(b"\x1f\x8b"):
                    self._reading.problems.append(f"it is no gzip file, as its name says: {foreign(piece[:64])}")
                yield from packed.feed(piece)
            self._reading.bytes += len(piece)
        self._reading.sha256 = digest.hexdigest()
        if packed is not None:
            packed.finish()
            if packed.problem and self._reading.bytes:
                self._reading.problems.append(packed.problem)


def _plain(reading: DumpReading, start: bytes, pieces: Iterator[bytes], scan: SqlScan) -> None:
    if not start.lstrip().startswith((b"--", b"\\", b"SET")):
        reading.problems.append(f"it is no plain dump: {foreign(start)}")
    scan.feed(start)
    for piece in pieces:
        scan.feed(piece)
    scan.finish()
    reading.problems += scan.problems


def _custom(reading: DumpReading, start: bytes, pieces: Iterator[bytes], scan: SqlScan, programs: Programs) -> None:
    try:
        head = header(start)
    except ValueError as exc:
        reading.problems.append(str(exc))
        return
    reading.database, reading.server, reading.tool = head.database, head.server, head.tool
    restore = _Restore(programs, scan)
    with restore:
        unread = restore.write(start)
        for piece in pieces:
            unread += restore.write(piece)
        more, status, said = restore.end()
    if status != 0:
        reading.problems.append(f"pg_restore cannot read it: {said or f'it ended with status {status}'}")
        return
    scan.finish()
    if said:
        reading.problems.append(f"pg_restore warns: {said}")
    if unread + more:
        reading.problems.append(f"{unread + more} bytes stand behind the end of the archive")
    reading.problems += scan.problems


class _Restore:
    """`pg_restore -f -` fed by its stdin; a thread follows the SQL that it writes."""

    def __init__(self, programs: Programs, scan: SqlScan) -> None:
        self._scan = scan
        self._said = b""
        try:
            self._process = subprocess.Popen(
                [str(programs.folder / "pg_restore"), "-f", "-"],
                cwd="/",
                env={"PATH": f"{programs.folder}:{os.defpath}", "LC_ALL": "C"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                user=programs.user and programs.user[0],
                group=programs.user and programs.user[1],
                extra_groups=programs.user and [],
            )
        except FileNotFoundError as exc:
            next_step = "install postgresql"
            raise StackError("pg_restore is not there", where=str(programs.folder), next_step=next_step) from exc
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._in: IO[bytes] = self._process.stdin
        for pipe in (self._in, self._process.stdout):
            _widen(pipe)
        self._readers = [
            threading.Thread(target=self._follow, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def write(self, piece: bytes) -> int:
        """Feed a piece; the bytes of it that pg_restore no longer wants."""
        view = memoryview(piece)
        while view:
            try:
                view = view[self._in.write(view) :]
            except BrokenPipeError:
                break
        return len(view)

    def end(self) -> tuple[int, int | None, str]:
        """Nothing more comes: bytes that it left in the pipe, its exit status, and the first line of what it said."""
        while _left_in(self._in) and self._process.poll() is None:
            time.sleep(_PAUSE)
        left = _left_in(self._in)  # it may have read the rest just before it ended
        with contextlib.suppress(BrokenPipeError):
            self._in.close()
        for reader in self._readers:
            reader.join()
        try:
            status = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            return left, None, "it does not end"
        lines = self._said.decode(errors="replace").strip().splitlines()
        return left, status, lines[0] if lines else ""

    def _follow(self, pipe: IO[bytes]) -> None:
        buffer = memoryview(bytearray(_PIPE))
        filled = 0
        while read := os.readv(pipe.fileno(), [buffer[filled:]]):
            filled += read
            if filled == _PIPE:
                self._scan.feed(bytes(buffer))
                filled = 0
        self._scan.feed(bytes(buffer[:filled]))

    def _listen(self, pipe: IO[bytes]) -> None:
        while piece := pipe.read(4096):
            self._said += piece[: max(0, 4096 - len(self._said))]

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for pipe in (self._in, self._process.stdout, self._process.stderr):
            with contextlib.suppress(BrokenPipeError):
                if pipe:
                    pipe.close()


def _left_in(pipe: IO[bytes]) -> int:
    """Bytes that were written into a pipe and not read yet; 0 where the system does not tell."""
    left = bytearray(4)
    with contextlib.suppress(OSError):
        fcntl.ioctl(pipe.fileno(), termios.FIONREAD, left)
    return int.from_bytes(left, sys.byteorder)


def _widen(pipe: IO[bytes]) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)
