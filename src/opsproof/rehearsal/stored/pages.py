"""Page checksums of a base backup."""

import re
from pathlib import Path

from opsproof.rehearsal.stored.label import Label, lsn
from opsproof.rehearsal.stored.manifest import Manifest
from opsproof.stack.clusters import Programs

_FAILED = re.compile(r'checksum verification failed in file "(?P<file>.+)", block (?P<block>\d+)')
_PAGE = 8192
_AT_MOST = 20

EMPTY = ("pg_tblspc", "pg_wal/archive_status", "pg_wal/summaries")
"""Folders that may hold nothing, and without which PostgreSQL's programs do not work."""


def damaged_pages(tools: Programs, copy: Path, label: Label | None, manifest: Manifest) -> list[str]:
    """
    Check every page of a copy, which is of no other use afterwards: its control file is reset to say "shut down".

    A page that was written while the backup ran may be torn, and recovery replaces it; it is not counted.

    Args:
        tools: Programs of the backup's version.
        copy: A copy that may be changed.
        label: Where the backup began.
        manifest: Where it ended.
    """
    for one in EMPTY:
        (copy / one).mkdir(mode=0o700, parents=True, exist_ok=True)
    tools.own(copy)
    reset = tools.run("pg_resetwal", "-f", "-D", str(copy), seconds=600)
    if not reset.ok:
        return [f"pg_checksums could not be tried, for pg_resetwal said: {reset.err.strip()}"]
    done = tools.run("pg_checksums", "-c", "-D", str(copy), seconds=24 * 3600)
    failed = list(_FAILED.finditer(done.err))
    found = [
        f"{match['file'].removeprefix(f'{copy}/')}: the checksum of block {match['block']} does not hold"
        for match in failed
        if not _replaced(Path(match["file"]), int(match["block"]), label, manifest)
    ]
    if done.status != 0 and not failed:
        found.append(f"pg_checksums ended with status {done.status}: {done.err.strip()}")
    return found[:_AT_MOST]


def _replaced(file: Path, block: int, label: Label | None, manifest: Manifest) -> bool:
    """Whether a page was written between the begin and the end of the backup, by its own LSN."""
    if label is None or not manifest.ranges or manifest.problem:
        return False
    with file.open("rb") as content:
        content.seek(block * _PAGE)
        head = content.read(8)
    at = (int.from_bytes(head[:4], "little") << 32) + int.from_bytes(head[4:], "little")
    return lsn(label.start) <= at <= max(lsn(end) for _, _, end in manifest.ranges)
