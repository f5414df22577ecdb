"""The commits between two positions of WAL."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from opsproof.errors import BadAnswer, StackError
from opsproof.rehearsal.archive.names import lsn_text, read_lsn
from opsproof.stack.clusters import Programs

_COMMIT = re.compile(
    r"tx:\s+(?P<tx>\d+), lsn: (?P<lsn>\S+), prev \S+ desc: COMMIT(?:_PREPARED)? (?:(?P<two>\d+): )?"
    r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC"
)
_END = ("invalid record length", "could not find file", "invalid magic number 0000", "unexpected pageaddr")


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """
    A commit in WAL.

    Attributes:
        xid: The transaction, without its epoch.
        at: When it was committed, by the server's clock.
        lsn: Where its record begins.
    """

    xid: int
    at: datetime
    lsn: str


def commits(
    programs: Programs, wal_folder: Path, start: str, end: str | None = None, timeline: int = 1
) -> Iterator[CommitRecord]:
    """
    The commits in a stretch of WAL, in the order of their records, while pg_waldump reads it.

    Args:
        programs: PostgreSQL's, of the version that wrote the WAL.
        wal_folder: A folder of segments, of an archive or a server's pg_wal, that PostgreSQL's user can read.
        start: Position of a record, or any before the first of interest.
        end: Position to stop at; None for the end of what can be read (a server's pg_wal ends in the middle of a
            segment).
        timeline: Whose segments are read.

    Raises:
        BadAnswer: WAL cannot be read on before `end`; or, without an end, for another reason than that it ends there.
        StackError: There is no pg_waldump.
    """
    program = programs.folder / "pg_waldump"
    span = ["-p", str(wal_folder), "-t", str(timeline), "-s", start, *(("-e", end) if end else ())]
    user = programs.user
    try:
        process = subprocess.Popen(
            [str(program), "--rmgr=Transaction", *span],
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            user=user and user[0],
            group=user and user[1],
            extra_groups=user and [],
        )
    except FileNotFoundError as exc:
        raise StackError(
            "PostgreSQL's program pg_waldump is not there", where=str(program), next_step="install postgresql"
        ) from exc
    with process:
        try:
            for line in process.stdout or ():
                if found := _COMMIT.search(line):
                    at = datetime.fromisoformat(found["at"]).replace(tzinfo=UTC)
                    yield CommitRecord(
                        int(found["two"] or found["tx"]), at, lsn_text(read_lsn(found["lsn"].rstrip(",")))
                    )
            said = process.stderr.read().strip() if process.stderr else ""
            status = process.wait()
        finally:
            process.kill()
    ended = end is None and any(words in said for words in _END)
    if status != 0 and not ended:
        raise BadAnswer(
            f"the WAL cannot be read to its end: {said.removeprefix('pg_waldump: error: ') or f'status {status}'}",
            where=f"pg_waldump --rmgr=Transaction {' '.join(span)}",
            next_step="Compare the segment that it names with another copy (the server's pg_wal, a standby's).",
        )
