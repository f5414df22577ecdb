"""Copies of somebody's own backups, archive and standbys, to be damaged in place of the lab's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from opsproof.errors import NoData, PreconditionMissing
from opsproof.probes.backup import Objects
from opsproof.profile.backups import Backups
from opsproof.rehearsal.archive import archiver
from opsproof.rehearsal.damage.archive import AREA as ARCHIVE
from opsproof.rehearsal.damage.archive import usual as looked
from opsproof.rehearsal.damage.archive.lab import Lab
from opsproof.rehearsal.damage.damage import Area, Damage, NotApplicable
from opsproof.rehearsal.damage.failover import AREAS as FAILOVER
from opsproof.rehearsal.damage.failover.own import own_pairs
from opsproof.rehearsal.damage.stored import bases, dumps, plain
from opsproof.rehearsal.damage.stored.lab import Form, StoredLab
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.stored.label import read_label
from opsproof.stack.clusters import Grounds

GROUPS = ("stored", "archive", "failover")
"""What of somebody's own is copied and damaged: backups, archive, and standbys that are restored from both."""

_LSN = re.compile(r"^([0-9A-F]+)/([0-9A-F]+)$")
L = TypeVar("L")


class RememberingNode(Node):
    """A server of which every question is asked once: copies are compared with it as it was when they were made."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.name, node.conninfo, node.asking)
        self._answers: dict[str, list[dict[str, Any]]] = {}

    async def rows(self, sql: str, *, seconds: float = 20.0, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a statement, as they were when it was first asked."""
        key = f"{sql} {parameters}"
        if key not in self._answers:
            self._answers[key] = await super().rows(sql, seconds=seconds, **parameters)
        return self._answers[key]


@dataclass(frozen=True)
class Own:
    """
    Copies of what a profile's backup store and its catalogue hold.

    Attributes:
        place: Folder with `store` and `catalogue`.
        said: What the profile says of them.
        at: When they were copied; ages are judged as of then.
        server: The server that archives, as it was then; None where it is not known.
    """

    place: Path
    said: Backups
    at: datetime
    server: Node | None


def sizes(said: Backups, store: Objects) -> dict[str, int]:
    """
    Bytes of each series, by its prefix.

    Raises:
        NotObserved: The store gives no answer.
        NoData: There is nothing in it.
    """
    found = {series.prefix: sum(one.size for one in store.names(series.prefix)) for series in _series(said)}
    if not any(found.values()):
        next_step = "See that the profile names the right store and prefixes: opsproof profile show."
        raise NoData("there are no backups to copy", where=store.where(", ".join(found)), next_step=next_step)
    return found


def fetch(
    said: Backups, store: Objects, catalogue: Objects | None, server: Node | None, grounds: Grounds, most: int
) -> Own:
    """
    Copy all of it onto the grounds; nothing is changed where it is.

    Args:
        said: What the profile says of the backups.
        store: Where they are.
        catalogue: Where it was noted when each was made.
        server: The server that archives, read only.
        grounds: For the copies.
        most: Bytes at most.

    Raises:
        PreconditionMissing: It is more than that, or more than there is room for.
        NotObserved: The store or the server gives no answer.
    """
    found = sizes(said, store)
    whole = sum(found.values())
    told = ", ".join(f"{prefix} {size:,} bytes" for prefix, size in found.items())
    free = shutil.disk_usage(grounds.directory).free
    if whole > most:
        next_step = "Allow more with --most-bytes, or copy some of the backups to a store of their own and name that."
        what = f"{whole:,} bytes would be copied, {most:,} are allowed"
        raise PreconditionMissing(what, where=told, next_step=next_step)
    if whole * 3 > free:
        next_step = "Make room, or set TMPDIR to a larger disk: damaging takes three times the size."
        raise PreconditionMissing(f"no room for copies: {free:,} bytes are free", where=told, next_step=next_step)
    asked = RememberingNode(server) if server else None
    if asked:
        asyncio.run(_remember(asked))  # before the archive is copied: what comes later is no loss
    place = grounds.folder("own")
    at = datetime.now(UTC)
    for name, objects in (("store", store), ("catalogue", catalogue)):
        (place / name).mkdir()
        for prefix in found if objects else ():
            assert objects is not None
            _copy(objects, prefix, place / name)
    grounds.programs.own(place)
    return Own(place, said, at, asked)


def own_areas(own: Own, wanted: Collection[str]) -> tuple[list[Area[Any]], list[tuple[Area[Any], str]]]:
    """
    The faults, done to copies of the copies.

    Args:
        own: The copies.
        wanted: Names of groups or areas; none for all.

    Returns:
        The areas; and those that cannot be tried with what there is, each with why.
    """
    said, areas, left_out = own.said, list[tuple[str, Area[Any]]](), list[tuple[str, Area[Any], str]]()
    if said.dumps is None:
        left_out.append(("stored", dumps.AREA, "the profile has no backups.dumps"))
    elif said.dumps.form == "custom":
        areas.append(("stored", _stored(own, dumps.AREA, "custom")))
    else:
        areas.append(("stored", _stored(own, plain.AREA, "plain")))
    if said.bases is None:
        why = "the profile has no backups.bases"
        left_out += [("stored", bases.AREA, why), ("archive", ARCHIVE, why)]
        left_out += [("failover", area, why) for area in FAILOVER]
    else:
        areas.append(("stored", _stored(own, bases.AREA, "bases")))
        areas += [("failover", area) for area in _pairs(own, said.bases.prefix)]
        if said.wal is None:
            left_out.append(("archive", ARCHIVE, "the profile has no backups.wal"))
        else:
            damages = tuple(replace(_guarded(one), usual=looked.listing) for one in ARCHIVE.damages)
            lab = partial(_archive_lab, own)
            areas.append(("archive", replace(ARCHIVE, lab=lab, damages=damages)))

    def is_wanted(group: str, area: Area[Any]) -> bool:
        return not wanted or group in wanted or area.name in wanted

    areas.sort(key=lambda one: GROUPS.index(one[0]))
    return (
        [area for group, area in areas if is_wanted(group, area)],
        [(area, why) for group, area, why in left_out if is_wanted(group, area)],
    )


def _pairs(own: Own, prefix: str) -> list[Area[Any]]:
    """Servers that are restored from the newest base backup; what they need is looked for when they are made."""
    from psycopg.conninfo import conninfo_to_dict

    folders = sorted(path for path in (own.place / "store" / prefix).glob("*") if path.is_dir())
    base = folders[-1] if folders else own.place / "store" / prefix
    wal = own.place / "store" / own.said.wal.prefix if own.said.wal else None
    named = conninfo_to_dict(own.server.conninfo).get("dbname") if own.server else None
    return own_pairs(base, wal, str(named or "postgres"))


def _stored(own: Own, area: Area[StoredLab], form: Form) -> Area[StoredLab]:
    damages = tuple(_guarded(one) for one in area.damages)
    return replace(area, lab=lambda grounds: _stored_lab(own, grounds, form), damages=damages)


def _guarded(damage: Damage[L]) -> Damage[L]:
    """The same fault for copies that may have nothing that it could be done to."""

    def inject(lab: L) -> None:
        place = lab.home if isinstance(lab, Lab) else lab.store.parent  # type: ignore[attr-defined]
        before = _state(place)
        try:
            damage.inject(lab)
        except (LookupError, ValueError, StopIteration, FileNotFoundError, AssertionError) as exc:
            raise NotApplicable("there is nothing in your copies that it could be done to") from exc
        if _state(place) == before and not lab.later:  # type: ignore[attr-defined]
            raise NotApplicable("it changes nothing in your copies")

    return replace(damage, inject=inject)


def _state(place: Path) -> dict[str, tuple[int, int, int, int]]:
    found = {}
    for path in place.rglob("*"):
        stat = path.lstat()
        found[str(path)] = (stat.st_size, stat.st_mtime_ns, stat.st_mode, stat.st_ino)
    return found


@contextlib.contextmanager
def _stored_lab(own: Own, grounds: Grounds, form: Form) -> Iterator[StoredLab]:
    place = grounds.folder("own-lab")
    shutil.rmtree(place)
    written = str(own.place / "store" / own.said.dumps.prefix) if own.said.dumps else ""

    def copy(source: str, target: str) -> str:
        if form != "bases" and source.startswith(written):  # a dump is written where it is, a base's file replaced
            return shutil.copy2(source, target, follow_symlinks=False)
        os.link(source, target, follow_symlinks=False)
        return target

    shutil.copytree(own.place, place, symlinks=True, copy_function=copy)
    try:
        yield StoredLab(grounds, form, place / "store", place / "catalogue", own.said, clock=lambda: own.at, own=True)
    finally:
        shutil.rmtree(place)


@contextlib.contextmanager
def _archive_lab(own: Own, grounds: Grounds) -> Iterator[Lab]:
    assert own.said.bases is not None
    assert own.said.wal is not None
    home = grounds.folder("own-archive")
    subprocess.run(["cp", "-a", "--reflink=auto", f"{own.place}/.", str(home)], check=True)
    try:
        folders = sorted(path for path in (home / "store" / own.said.bases.prefix).iterdir() if path.is_dir())
        if not folders:
            next_step = "Take a base backup: without one no archive is of any use."
            raise NoData("there is no base backup", where=own.said.bases.prefix, next_step=next_step)
        made = Lab(home, grounds, None, folders[0], folders[-1], own.said, asked=own.server, clock=lambda: own.at)
        label, _ = read_label(folders[-1] / "backup_label")
        whole = [path for path in made.archive.glob("*") if len(path.name) == 24]
        if not whole:
            next_step = "See why nothing was archived: archive_command, the server's log."
            raise NoData("there is no segment in the archive", where=own.said.wal.prefix, next_step=next_step)
        made.timeline = max(int(path.name[:8], 16) for path in whole)
        if label is not None:
            made.needed = f"{made.timeline:08X}{label.segment[8:]}"
        yield made
    finally:
        shutil.rmtree(home)


async def _remember(server: RememberingNode) -> None:
    await archiver.state(server)
    await server.rows(archiver.STATUS)


def _series(said: Backups) -> list[Any]:
    return [series for series in (said.dumps, said.bases, said.wal) if series is not None]


def _copy(objects: Objects, prefix: str, folder: Path) -> None:
    origin = objects.path(prefix)
    if origin is not None and origin.is_dir():
        shutil.copytree(origin, folder / prefix, symlinks=True)
        return
    objects.fetch(prefix, folder / prefix)
    for one in objects.names(prefix):
        at = one.written.timestamp()
        path = folder / one.name
        path.chmod(0o600)
        os.utime(path, (at, at))
    for path in (folder / prefix).rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
