"""pg_waldump, and what is made of what it writes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.archive.names import lsn_text, read_lsn, segment_start
from opsproof.stack.clusters import Programs

UTC = {"TZ": "UTC"}
"""Its times are written in the zone of its environment."""

_RECORD = re.compile(r"lsn: ([0-9A-F]+/[0-9A-F]+), prev [0-9A-F/]+, desc: (.*)")
_BEGINS = re.compile(r"\btli (\d+); prev tli (\d+);")
_MINIMAL = re.compile(r"wal_level[= ]minimal\b")
_ERROR_AT = re.compile(r"(?:WAL record at|valid record after) ([0-9A-F]+/[0-9A-F]+)")
_MAJORS = {0xD106: 13, 0xD10D: 14, 0xD110: 15, 0xD113: 16, 0xD116: 17, 0xD118: 18}


@dataclass
class Reading:
    """
    What came of reading a stretch of WAL.

    Attributes:
        broken: Where it could not be read on, each with what pg_waldump said.
        minimal: Positions of records that say wal_level=minimal.
        begins: Timelines, each with the position of the record that begins it.
    """

    broken: list[tuple[int, str]] = field(default_factory=list)
    minimal: list[int] = field(default_factory=list)
    begins: list[tuple[int, int]] = field(default_factory=list)

    def add(self, output: str) -> None:
        """Take in the records of a piece of the stretch."""
        for line in output.splitlines():
            if (record := _RECORD.search(line)) is None:
                continue
            position = read_lsn(record[1])
            if _MINIMAL.search(record[2]):
                self.minimal.append(position)
            if (begin := _BEGINS.search(record[2])) and begin[1] != begin[2]:
                self.begins.append((int(begin[1]), position))


def read_stretch(
    programs: Programs, folder: Path, timeline: int, starts: Sequence[int], size: int, seconds: float = 600.0
) -> Reading:
    """
    Read segments record by record with every checksum; behind what is broken it begins anew.

    Args:
        programs: PostgreSQL's.
        folder: Holds the segments, all under names of one timeline.
        timeline: Of those names.
        starts: Positions of the segments, without a gap.
        size: Bytes of a segment.
        seconds: Limit of one run of pg_waldump.
    """
    reading = Reading()
    position, end = starts[0], starts[-1] + size
    while position < end:
        span = ["-p", str(folder), "-t", str(timeline), "-s", lsn_text(position), "-e", lsn_text(end)]
        done = programs.run("pg_waldump", *span, "--rmgr=XLOG", seconds=seconds, env=UTC)
        reading.add(done.out)
        if done.ok:
            break
        said = done.err.strip().removeprefix("pg_waldump: error: ") or f"pg_waldump ended with status {done.status}"
        found = _ERROR_AT.search(said)
        at = max(read_lsn(found[1]) if found else position, position)
        reading.broken.append((at, said))
        position = segment_start(at, size) + size
    return reading


def expect_version(programs: Programs, magic: int) -> None:
    """
    Raises:
        PreconditionMissing: This pg_waldump cannot read WAL of that format.
    """
    version = programs.run("pg_waldump", "--version").out.strip()
    found = re.search(r"(\d+)(?:\.\d+|devel|beta|rc)?", version)
    wanted = _MAJORS.get(magic)
    if wanted is not None and found and int(found[1]) != wanted:
        raise PreconditionMissing(
            f"{version} cannot read WAL of PostgreSQL {wanted}",
            where=str(programs.folder),
            next_step=f"Install the programs of PostgreSQL {wanted} here.",
        )


def plain(reading: Reading) -> dict[str, Any]:
    """A reading as evidence keeps it."""
    return {"broken": reading.broken, "minimal": reading.minimal, "begins": reading.begins}
