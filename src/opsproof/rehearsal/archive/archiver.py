"""What the server that archives says of itself, and what that is worth."""

import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.archive.names import Kind, lsn_text, parse, read_lsn
from opsproof.rehearsal.node import Node

STATE = """
SELECT pg_is_in_recovery() AS standby, now() AS at,
       (SELECT system_identifier::text FROM pg_control_system()) AS system,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn()::text END AS position,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_lsn()) END AS file,
       pg_snapshot_xmax(pg_current_snapshot())::text AS next_xid,
       (SELECT json_object_agg(name, setting) FROM pg_settings WHERE name IN ('archive_mode', 'archive_command',
        'archive_library', 'archive_timeout', 'wal_level', 'wal_segment_size', 'track_commit_timestamp')) AS settings,
       (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM pg_settings WHERE pending_restart
        AND name IN ('archive_mode', 'wal_level', 'max_wal_senders')) AS pending,
       (SELECT row_to_json(pg_stat_archiver) FROM pg_stat_archiver) AS archiver,
       pg_has_role(current_user, 'pg_read_server_files', 'usage') AS reads_files
"""
STATUS = "SELECT name FROM pg_ls_archive_statusdir() ORDER BY name"
EXISTS = "SELECT (pg_stat_file(%(path)s, true)).size IS NOT NULL"
OWN = """
SELECT w.name, encode(sha256(pg_read_binary_file('pg_wal/' || w.name)), 'hex') AS sha256
FROM pg_ls_waldir() w JOIN pg_ls_archive_statusdir() s ON s.name = w.name || '.done'
WHERE w.name ~ '^[0-9A-F]{24}$' ORDER BY w.name DESC LIMIT 4
"""

_NOTHING = re.compile(
    r"^(?:/\S*/)?(?:true|false|:)(?:\s|$)|[;|&]\s*(?:/\S*/)?(?:true|:|exit\s+0)\s*(?:$|[;|&#])|%p\S*\s+>?\s*/dev/\w+"
)


@dataclass(frozen=True)
class State:
    """
    The server, at one moment.

    Attributes:
        at: Its clock.
        system: Identifier of its cluster.
        position: Where it writes WAL now.
        timeline: On which one.
        next_xid: The transaction that is next to begin.
        settings: Those that archiving depends on, in their base units.
        pending: Those of them that are other ones in its files, and from its next start on.
        archiver: The row of pg_stat_archiver.
        reads_files: Whether we may read its files.
    """

    at: datetime
    system: str
    position: int
    timeline: int
    next_xid: int
    settings: Mapping[str, str]
    pending: tuple[str, ...]
    archiver: Mapping[str, Any]
    reads_files: bool


async def state(server: Node) -> State:
    """
    Ask the server.

    Raises:
        PreconditionMissing: It is a standby, which archives nothing of its own.
        NotObserved: There is no answer.
    """
    row = (await server.rows(STATE))[0]
    if row["standby"]:
        raise PreconditionMissing(
            f"{server.name} is in recovery: it makes no WAL that could be archived",
            where=server.name,
            next_step="Ask the primary; see whether there is one.",
        )
    return State(
        at=datetime.fromisoformat(row["at"]),
        system=row["system"],
        position=read_lsn(row["position"]),
        timeline=int(row["file"][:8], 16),
        next_xid=int(row["next_xid"]),
        settings=row["settings"],
        pending=tuple(row["pending"]),
        archiver=row["archiver"],
        reads_files=row["reads_files"],
    )


def program(command: str) -> str:
    """The program that archive_command begins with, where it is one by its full path; else ""."""
    try:
        first = next(iter(shlex.split(command)), "")
    except ValueError:
        return ""
    return first if first.startswith("/") and "%" not in first else ""


def objections(settings: Mapping[str, str], freshness: float, there: bool | None) -> list[str]:
    """
    What is wrong with how the archiver is set up.

    Args:
        settings: Of the server, in their base units.
        freshness: Seconds that the newest commit in the archive may be old.
        there: Whether the program of archive_command exists; None if that is not known.
    """
    said = []
    command, library = settings.get("archive_command", "").strip(), settings.get("archive_library", "").strip()
    if settings.get("archive_mode") not in ("on", "always"):
        said.append(f"archive_mode is {settings.get('archive_mode')}: no WAL is archived")
    elif command == "(disabled)" and not library:
        said.append("archive_command is not in force")
    elif not command and not library:
        said.append("archive_command and archive_library are empty: WAL piles up on the server, and nothing fails")
    if command and not library and command != "(disabled)":
        if _NOTHING.search(command):
            said.append(f"archive_command is {command!r}: its exit status says nothing of whether WAL was kept")
        elif "%p" not in command:
            said.append(f"archive_command is {command!r}: without %p it cannot take the segment")
        if there is False:
            said.append(f"archive_command begins with {program(command)}, which is not on the server")
    if settings.get("wal_level") not in ("replica", "logical"):
        said.append(f"wal_level is {settings.get('wal_level')}: what is written now cannot be replayed from a backup")
    timeout = int(settings.get("archive_timeout", "0"))
    if timeout == 0:
        said.append("archive_timeout is 0: on a quiet server a commit may wait for the archive without limit")
    elif timeout > freshness:
        said.append(f"archive_timeout is {timeout} s, and a commit may be {freshness:g} s old in the archive")
    return said


def waiting(state: State, status: Collection[str], newest_end: int | None, size: int, most: int) -> list[str]:
    """
    Whether WAL waits for the archiver.

    Args:
        state: The server.
        status: Names in pg_wal/archive_status.
        newest_end: End of the newest segment of the server's timeline in the archive; None if there is none.
        size: Bytes of a segment.
        most: Segments that may wait.
    """
    said = []
    ready = sorted(name.removesuffix(".ready") for name in status if name.endswith(".ready"))
    if len(ready) > most:
        said.append(f"{len(ready)} files wait for the archiver, at most {most} may; the oldest is {ready[0]}")
    failed, archived = (_time(state.archiver.get(key)) for key in ("last_failed_time", "last_archived_time"))
    if failed and (archived is None or failed > archived):
        count = state.archiver.get("failed_count")
        said.append(
            f"archiving fails: {state.archiver.get('last_failed_wal')}, last at {failed:%H:%M:%S %Z}, {count} times"
        )
    behind = state.position - (newest_end or 0)
    if newest_end is None:
        said.append(f"the server writes timeline {state.timeline}, of which the archive has no segment")
    elif behind > (most + 1) * size:
        said.append(
            f"the archive ends at {lsn_text(newest_end)} and the server writes at {lsn_text(state.position)}: "
            f"{behind} bytes are not in it, at most {(most + 1) * size} may"
        )
    elif behind < -size:
        said.append(
            f"the archive goes to {lsn_text(newest_end)}, and the server has only come to {lsn_text(state.position)}: "
            "somebody else writes there, or this server lost WAL"
        )
    return said


def vanished(
    archiver: Mapping[str, Any], status: Collection[str], there: Collection[str], needed_from: int, size: int
) -> list[str]:
    """
    What the server believes to be archived and is not in the archive.

    Args:
        archiver: The row of pg_stat_archiver.
        status: Names in pg_wal/archive_status.
        there: Names in the archive.
        needed_from: Position from which WAL is needed; what is older may have been removed.
        size: Bytes of a segment.
    """
    believed = {name.removesuffix(".done") for name in status if name.endswith(".done")}
    last = archiver.get("last_archived_wal")
    said = []
    if last and last not in there:
        said.append(f"pg_stat_archiver says that {last} was archived last, and it is not in the archive")
    gone = sorted(name for name in believed - set(there) - {last} if _needed(name, needed_from, size))
    if gone:
        listed = ", ".join(gone[:3]) + (", ..." if len(gone) > 3 else "")
        said.append(f"the server took {len(gone)} files for archived that are not in the archive: {listed}")
    return said


def differing(own: Collection[Mapping[str, Any]], archived: Mapping[str, str]) -> list[str]:
    """Segments that the server still has, with another content than the archive: somebody else archived them."""
    return [
        f"{one['name']} in the archive is not what the server wrote: SHA-256 {archived[one['name']][:12]}..., "
        f"on the server {one['sha256'][:12]}...: a second server archives there, or it was damaged"
        for one in own
        if archived.get(one["name"]) and archived[one["name"]] != one["sha256"]
    ]


def _needed(name: str, needed_from: int, size: int) -> bool:
    parts = parse(name)
    return parts is not None and (parts.kind is Kind.HISTORY or parts.start(size) + size > needed_from)


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
