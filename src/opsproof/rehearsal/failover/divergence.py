"""What the old primary committed after the new one had left its timeline: counted from its WAL."""

import json
import re
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from opsproof.errors import BadAnswer, NoData
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.node import Node
from opsproof.stack.clusters import Programs

_RECORD = re.compile(r"tx:\s+(\d+), lsn: ([0-9A-F]+/[0-9A-F]+), .*?desc: (\w+)\s*(.*)$")
_AT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC")
_SUBXACTS = re.compile(r"subxacts: ([\d ]+)")
_PAGE = 8192
_HEADER = struct.Struct("=HHIQI")
_CONTINUES = 0x0001
_OWN_XID = re.compile(r"^(\d+):")
_GID = re.compile(r"^gid (.*?): \d{4}-")
_END = ("invalid record length", "expected at least", "invalid magic number", "unexpected pageaddr")


@dataclass(frozen=True)
class Fork:
    """
    Where a timeline left its parent.

    Attributes:
        parent: Timeline of the old primary.
        timeline: Of the new one.
        lsn: Up to here both have the same WAL.
    """

    parent: int
    timeline: int
    lsn: str


class Record(NamedTuple):
    """A record of WAL: its resource manager, its transaction (0 without one), its position, its kind, and the rest."""

    manager: str
    xid: int
    lsn: str
    kind: str
    rest: str


@dataclass(frozen=True)
class LostCommit:
    """A transaction that only the old timeline has; `at` by the old primary's clock."""

    xid: int
    at: datetime
    lsn: str


@dataclass(frozen=True)
class Divergence:
    """
    All that the old timeline has after the fork.

    Attributes:
        commits: Its commits, in order.
        xids: Their transactions, sub-transactions included: what their rows carry as xmin.
        prepared: Names of the transactions that were prepared after the fork and not decided.
        end: Up to here the WAL was read.
        whole: Whether it was read up to the last checkpoint of the control file, and no readable page follows the end.
    """

    commits: tuple[LostCommit, ...]
    xids: tuple[int, ...]
    prepared: tuple[str, ...]
    end: str
    whole: bool


async def fork_of(primary: Node, timeline: int) -> Fork:
    """
    Where the new primary's timeline left the old one, by its history file.

    Raises:
        NoData: The file is not there or names no parent.
    """
    name = f"pg_wal/{timeline:08X}.history"
    text = await primary.value("SELECT pg_read_file(%(name)s, true)", name=name)
    lines = [line.split() for line in (text or "").splitlines() if line.strip() and not line.startswith("#")]
    if not lines or len(lines[-1]) < 2:
        where = f"{primary.name}: {name}"
        next_step = "Read the file of that name in the WAL archive."
        raise NoData("the history of the timeline is not there", where=where, next_step=next_step)
    return Fork(int(lines[-1][0]), timeline, lines[-1][1])


async def divergence(asking: Asking, programs: Programs, data: Path, fork: Fork) -> Divergence:
    """
    Read what a stopped server's WAL holds after the fork.

    Args:
        data: Its data folder; only read.

    Raises:
        NoData: There is no WAL of the old timeline at the fork.
        BadAnswer: The WAL cannot be read although more of it follows.
    """

    def call() -> dict[str, Any]:
        told = asdict(_read(programs, data, fork))
        return json.loads(json.dumps(told, default=datetime.isoformat))  # type: ignore[no-any-return]

    by_hand = f"pg_waldump -p {data}/pg_wal -t {fork.parent} -s {fork.lsn}"
    told = await asking.ask(f"WAL of timeline {fork.parent} after {fork.lsn} in {data.name}", by_hand, call)
    commits = tuple(LostCommit(one["xid"], datetime.fromisoformat(one["at"]), one["lsn"]) for one in told["commits"])
    return Divergence(commits, tuple(told["xids"]), tuple(told["prepared"]), told["end"], told["whole"])


def records(programs: Programs, data: Path, fork: Fork) -> tuple[list[Record], str]:
    """
    The records of a stopped server's WAL after the fork.

    Returns:
        They, in their order, and what pg_waldump said when it could read no further; "" at status 0.
    """
    where = [f"--path={data / 'pg_wal'}", f"--timeline={fork.parent}", f"--start={fork.lsn}"]
    done = programs.run("pg_waldump", *where, env={"TZ": "UTC"}, seconds=540)
    found = []
    for line in done.out.splitlines():
        if record := _RECORD.search(line):
            manager = line.removeprefix("rmgr: ").split()[0]
            found.append(Record(manager, int(record[1]), record[2], record[3], record[4]))
    said = done.err.strip().splitlines()[-1] if done.err.strip() else f"pg_waldump ended with status {done.status}"
    return found, "" if done.ok else said


def _read(programs: Programs, data: Path, fork: Fork) -> Divergence:
    found, said = records(programs, data, fork)
    end = _number(fork.lsn)
    commits, xids = [], set()
    prepared: dict[int, str] = {}
    for manager, xid, lsn, kind, rest in found:
        end = max(end, _number(lsn))
        if manager != "Transaction":
            continue
        if kind == "PREPARE":
            gid = _GID.match(rest)
            prepared[xid] = gid[1] if gid else str(xid)
        elif kind in ("COMMIT", "COMMIT_PREPARED"):
            decided = _decided(xid, rest)
            prepared.pop(decided, None)
            xids |= {decided, *_subxacts(rest)}
            commits.append(LostCommit(decided, _time(rest), lsn))
        elif kind == "ABORT_PREPARED":
            prepared.pop(_decided(xid, rest), None)
    reached_checkpoint = end >= _number(_last_checkpoint(programs, data))
    if said and not any(sign in said for sign in _END) and not reached_checkpoint:
        next_step = "Fetch the missing segments from the archive into a copy of the folder, then read again."
        raise BadAnswer(f"WAL after the fork cannot be read: {said}", where=str(data / "pg_wal"), next_step=next_step)
    return Divergence(
        tuple(commits),
        tuple(sorted(xids)),
        tuple(prepared.values()),
        f"{end >> 32:X}/{end & 0xFFFFFFFF:X}",
        reached_checkpoint and not _written_beyond(data / "pg_wal", fork.parent, end),
    )


def _written_beyond(folder: Path, timeline: int, end: int) -> bool:
    """
    Whether a page after the last record that could be read is in its place, and a record ends on it.

    That record cannot be the torn one of a crash. Pages of a recycled segment carry an older address.
    """
    for segment in sorted(folder.glob(f"{timeline:08X}{'[0-9A-F]' * 16}")):
        size = segment.stat().st_size
        start = int(segment.name[8:16], 16) << 32 | int(segment.name[16:], 16) * size
        with segment.open("rb") as file:
            for offset in range(max(0, (end // _PAGE + 1) * _PAGE - start), size, _PAGE):
                file.seek(offset)
                _, flags, line, address, left = _HEADER.unpack(file.read(_HEADER.size))
                if line == timeline and address == start + offset and not (flags & _CONTINUES and left > _PAGE):
                    return True
    return False


def _decided(xid: int, rest: str) -> int:
    own = _OWN_XID.match(rest)
    return int(own[1]) if own else xid


def _subxacts(rest: str) -> Iterator[int]:
    listed = _SUBXACTS.search(rest)
    return map(int, listed[1].split()) if listed else iter(())


def _time(rest: str) -> datetime:
    at = _AT.search(rest)
    return datetime.fromisoformat(at[1]).replace(tzinfo=UTC) if at else datetime.min.replace(tzinfo=UTC)


def _last_checkpoint(programs: Programs, data: Path) -> str:
    done = programs.run("pg_controldata", "-D", str(data))
    for line in done.out.splitlines():
        label, _, value = line.partition(":")
        if label == "Latest checkpoint location":
            return value.strip()
    where = f"pg_controldata -D {data}"
    next_step = "See whether this is a data folder, and of this version."
    raise NoData(f"no control file can be read: {done.err.strip()}", where=where, next_step=next_step)


def _number(lsn: str) -> int:
    high, low = lsn.split("/")
    return (int(high, 16) << 32) | int(low, 16)
