"""What came into an archive while scratch copies of its backups ran, and whose it is."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsproof.errors import NotObserved
from opsproof.probes.backup import Objects
from opsproof.rehearsal.archive.archiver import OWN
from opsproof.rehearsal.archive.histories import read_history
from opsproof.rehearsal.archive.names import Kind, lsn_text, parse, read_lsn
from opsproof.rehearsal.node import Node

_WRITES = """
    SELECT pg_current_wal_lsn()::text AS position, pg_walfile_name(pg_current_wal_lsn()) AS file,
           (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') AS size
    WHERE NOT pg_is_in_recovery()
"""
_HISTORY = "SELECT pg_read_file('pg_wal/' || %(name)s, true)"


@dataclass(frozen=True)
class Writer:
    """
    A server that writes WAL now.

    Attributes:
        node: The server.
        timeline: On which it writes.
        position: Where.
        size: Bytes of a segment.
        history: Its own history file; "" on timeline 1, and where it has none.
        comes_from: Its timelines, the present one included.
    """

    node: Node
    timeline: int
    position: int
    size: int
    history: str
    comes_from: frozenset[int]


async def additions(
    before: Mapping[str, int],
    now: Mapping[str, int],
    servers: Sequence[Node],
    known: Collection[int],
    objects: Objects,
    prefix: str,
) -> list[str]:
    """
    What was added to an archive, or changed there, by nobody who archives there.

    Retention may remove the oldest files, and the environment's own servers add segments and the history of their
    promotions. A file of a timeline that none of them comes from is somebody else's, and so is one that is another one
    than the server's own, or lies ahead of where it writes.

    Args:
        before: Bytes of each file before, by its name in the archive.
        now: The same afterwards.
        servers: Those that may have archived; one that does not answer, or is in recovery, vouches for nothing.
        known: Timelines that were there before.
        objects: The store of the archive.
        prefix: Of the archive in it.

    Returns:
        A sentence for each file, with its name.

    Raises:
        NotObserved: The store gives no answer.
    """
    writers = [writer for node in servers if (writer := await _writer(node))]
    removing = f"move it out of {objects.where(prefix)}, for a recovery would follow it"
    oldest = min(filter(_is_segment, now), default="")
    whole = {max(before.values(), default=0)}
    said = [f"{name} is gone from the archive" for name in sorted(before.keys() - now.keys()) if name >= oldest]
    said += [
        f"{name} was changed in the archive: {now[name]} bytes, it had {size}"
        for name, size in sorted(before.items())
        if now.get(name, size) < size or (size in whole and now.get(name, size) != size)  # what grew came to its end
    ]
    for name in sorted(now.keys() - before.keys()):
        if why := await _foreign(name, writers, known, objects, prefix):
            said.append(f"{name} came into the archive, {why}: {removing}")
    return said + await _differing(now.keys() - before.keys(), writers, objects, prefix)


async def _writer(node: Node) -> Writer | None:
    try:
        found = await node.rows(_WRITES)
        if not found:
            return None
        timeline = int(found[0]["file"][:8], 16)
        text = str(await node.value(_HISTORY, name=f"{timeline:08X}.history") or "")
    except NotObserved:
        return None
    try:
        ancestors = {number for number, _ in read_history(timeline, text).switches} if text else set()
    except ValueError:
        ancestors = set()
    position, size = read_lsn(found[0]["position"]), int(found[0]["size"])
    return Writer(node, timeline, position, size, text, frozenset({timeline, *ancestors}))


async def _foreign(name: str, writers: Sequence[Writer], known: Collection[int], objects: Objects, prefix: str) -> str:
    """Why a new file is of nobody who archives there; "" if it may be a server's own."""
    parts = parse(name)
    if parts is None:
        return ""  # the checks of the archive judge names; a draft that is being written has one of its own
    own = [one for one in writers if parts.timeline in one.comes_from]
    if not own and parts.timeline not in known:
        asked = ", ".join(f"{one.node.name} writes timeline {one.timeline}" for one in writers) or "no primary answers"
        return f"and nobody of this environment is on timeline {parts.timeline} ({asked})"
    writing = [one for one in own if one.timeline == parts.timeline]
    if parts.kind is Kind.HISTORY and writing and not any(one.history for one in writing):
        return f"and {writing[0].node.name}, which is on that timeline, has no such history"
    if parts.kind is Kind.HISTORY and writing:
        text = (await asyncio.to_thread(objects.read, prefix + name)).decode(errors="replace")
        return "" if text in {one.history for one in writing} else f"and is not the one of {writing[0].node.name}"
    if writing and parts.kind is Kind.SEGMENT and all(parts.start(one.size) > one.position for one in writing):
        return f"and {writing[0].node.name} has only come to {lsn_text(writing[0].position)}"
    return ""


async def _differing(names: Iterable[str], writers: Sequence[Writer], objects: Objects, prefix: str) -> list[str]:
    """New segments that are others than those which the server still has."""
    there, said = set(names), []
    for writer in writers:
        try:
            own = await writer.node.rows(OWN, seconds=60)
        except NotObserved:  # it lets us not read its files; the checks of the archive say so
            continue
        for name, sha256 in ((str(row["name"]), row["sha256"]) for row in own if row["name"] in there):
            if await asyncio.to_thread(sha256_of, objects, prefix + name) != sha256:
                said.append(f"{name} in the archive is not what {writer.node.name} wrote: somebody else archived it")
    return said


def sha256_of(objects: Objects, name: str) -> str:
    """SHA-256 of an object, as hexadecimal digits. Raises NotObserved: the store gives no answer."""
    digest = hashlib.sha256()
    for piece in objects.stream(name):
        digest.update(piece)
    return digest.hexdigest()


def _is_segment(name: str) -> bool:
    parts = parse(name)
    return parts is not None and parts.kind is Kind.SEGMENT
