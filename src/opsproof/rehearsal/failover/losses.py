"""What the lost transactions did, by the WAL of the old timeline: tables that they wrote, rows that they deleted."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from opsproof.rehearsal.failover.divergence import Record

Place = tuple[int, int]
"""Of a row in its table: block, and number there."""

_FILE = re.compile(r"blkref #0: rel (\d+/\d+/\d+)(?: fork \w+)? blk (\d+)")
_SECOND = re.compile(r"blkref #1: rel \S+(?: fork \w+)? blk (\d+)")
_AT = re.compile(r"\b(?:off|old_off):? (\d+)")
_TO = re.compile(r"\bnew[_ ]off:? (\d+)")
_MANY = re.compile(r"ntuples: (\d+)|^(?:\+INIT )?(\d+) tuples")
_LISTED = re.compile(r"offsets: \[([\d, ]*)\]")
_FLAGS = re.compile(r"\bflags:? 0x([0-9A-F]+)")
_TRUNCATED = re.compile(r"\brelids:? \[?([\d, ]+)")
_REMOVED = re.compile(r"; rels: ([^;]*)")
_TEMPORARY = re.compile(r"/t\d+_")
_NEVER_WAS = 0x08
"""DELETE takes back an insert of its own transaction (ON CONFLICT)."""


@dataclass
class Written:
    """
    What was done to one table, or to one of the catalogue.

    Attributes:
        xids: Transactions that wrote rows.
        superseded: Whether any of these rows, or of those before, was updated or deleted.
        deleted: Places that the deleted rows had at the fork; rows that came and went after it are not counted.
    """

    xids: set[int] = field(default_factory=set)
    superseded: bool = False
    deleted: set[Place] = field(default_factory=set)


@dataclass
class Losses:
    """
    What was lost.

    Attributes:
        files: By file of a table (tablespace/database/number) what was done to it.
        truncated: Tables that were emptied, each with its database, where the WAL tells (wal_level = logical).
        removed: Files of tables and indexes that were removed: emptied, dropped or rewritten.
        messages: Logical messages.
    """

    files: dict[str, Written] = field(default_factory=dict)
    truncated: set[int] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    messages: int = 0


def losses(found: Iterable[Record], xids: Collection[int]) -> Losses:
    """
    What some transactions did.

    Args:
        found: The WAL after the fork.
        xids: Those that are lost, sub-transactions included.
    """
    lost = Losses()
    origins: dict[str, dict[Place, Place | None]] = {}
    for record in found:
        if record.manager == "Transaction" and record.kind.startswith("COMMIT"):
            if removed := _REMOVED.search(record.rest):
                lost.removed |= {name for name in removed[1].split() if not _TEMPORARY.search(name)}
        elif record.xid not in xids:
            continue
        elif record.manager == "LogicalMessage":
            lost.messages += 1
        elif record.manager == "Heap" and record.kind == "TRUNCATE":
            told = _TRUNCATED.search(record.rest)
            lost.truncated |= {int(one) for one in re.findall(r"\d+", told[1])} if told else set()
        elif record.manager in ("Heap", "Heap2") and (file := _FILE.search(record.rest)):
            places = origins.setdefault(file[1], {})
            _row(lost.files.setdefault(file[1], Written()), record, int(file[2]), places)
    lost.files = {name: one for name, one in lost.files.items() if one.xids or one.superseded}
    return lost


def _row(written: Written, record: Record, block: int, origins: dict[Place, Place | None]) -> None:
    """Take in a record; `origins` tells of every place that was filled since the fork where its row was before it."""
    at, flags = _AT.search(record.rest), _FLAGS.search(record.rest)
    if record.kind == "MULTI_INSERT":
        written.xids.add(record.xid)
        origins.update(((block, number), None) for number in _numbers(record.rest))
    elif record.kind == "INSERT" and at:
        written.xids.add(record.xid)
        origins[block, int(at[1])] = None
    elif record.kind in ("UPDATE", "HOT_UPDATE") and at and (to := _TO.search(record.rest)):
        second = _SECOND.search(record.rest)
        old = (int(second[1]) if second else block, int(at[1]))
        written.xids.add(record.xid)
        written.superseded = True
        origins[block, int(to[1])] = origins.get(old, old)
    elif record.kind == "DELETE" and at:
        place = (block, int(at[1]))
        if flags and int(flags[1], 16) & _NEVER_WAS:
            return
        written.superseded = True
        if (origin := origins.get(place, place)) is not None:
            written.deleted.add(origin)


def _numbers(rest: str) -> Iterable[int]:
    if listed := _LISTED.search(rest):
        return map(int, re.findall(r"\d+", listed[1]))
    many = _MANY.search(rest)
    return range(1, int(many[1] or many[2]) + 1) if many and "+INIT" in rest else ()
