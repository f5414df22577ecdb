"""The newest commits that can be recovered from an archive, and the oldest that cannot."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from opsproof.errors import NoData
from opsproof.probes.backup import Objects
from opsproof.profile.backups import Heartbeat
from opsproof.rehearsal.archive.archiver import State
from opsproof.rehearsal.archive.commits import commits
from opsproof.rehearsal.archive.names import lsn_text, read_lsn, segment_name
from opsproof.rehearsal.archive.path import Step, Way
from opsproof.rehearsal.archive.segments import Folder, fetched
from opsproof.rehearsal.archive.targets import Point, Target, parse_time
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.node import Node
from opsproof.stack.clusters import Programs

_MOST_SEGMENTS = 64
_OVER_THE_EDGE = 2 * 8192
_MOST_XIDS = 10_000
_XIDS = 1 << 32


@dataclass(frozen=True, slots=True)
class Missing:
    """
    What of the server's commits is not in the archive.

    Attributes:
        since: When the oldest of them was committed, or the earliest that it can have been.
        how: How that is known.
    """

    since: datetime
    how: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A target with a marker on each side, and where in the archive it is."""

    target: Target
    before: Point | None
    after: Point | None
    place: Point | None


class Newest:
    """
    Looks for the newest commits, from the end of what can be read backwards.

    Args:
        objects: The store.
        prefix: The archive's.
        programs: PostgreSQL's.
        scratch: A folder for copies.
        asking: Keeps the answers.
    """

    def __init__(self, objects: Objects, prefix: str, programs: Programs, scratch: Path, asking: Asking) -> None:
        self._objects = objects
        self._prefix = prefix
        self._programs = programs
        self._scratch = scratch
        self._asking = asking

    async def points(self, way: Way, broken: Sequence[tuple[int, str]], timeline: int, size: int) -> list[Point]:
        """
        The newest commits that can be recovered, at least two of them if there are, in the order of their records.

        Args:
            way: The way of a recovery.
            broken: Where it could not be read on.
            timeline: The one that it ends on.
            size: Bytes of a segment.

        Raises:
            NoData: There is none.
            NotObserved: There is no answer.
        """
        cut = min([at for at, _ in broken] + [step.start for step in way.missing], default=None)
        steps = [step for step in way.steps if cut is None or step.start < cut]

        def call() -> list[dict[str, Any]]:
            return [asdict(one) for one in self._backwards(steps, cut, timeline, size)]

        end = lsn_text(cut if cut is not None else steps[-1].start + size) if steps else "nothing"
        where = self._objects.where(self._prefix)
        text = f"newest commits before {end} in {where}"
        kept = await self._asking.ask(text, f"pg_waldump --rmgr=Transaction -e {end}", call, fresh=False)
        if not kept:
            next_step = "Write a heartbeat at least every tenth of the freshness; see backups.heartbeat."
            what = f"no commit in the last {min(len(steps), _MOST_SEGMENTS)} segments that can be recovered"
            raise NoData(what, where=where, next_step=next_step)
        return [Point(**{**one, "at": datetime.fromisoformat(one["at"])}) for one in kept]

    def _backwards(self, steps: Sequence[Step], cut: int | None, timeline: int, size: int) -> list[Any]:
        found: dict[int, _Kept] = {}
        with Folder(self._programs, self._scratch) as folder:
            for step in itertools.islice(reversed(steps), _MOST_SEGMENTS):
                target = folder / segment_name(timeline, step.start, size)
                for _ in fetched(self._objects.stream(f"{self._prefix}{step.name}"), target):
                    pass
                self._programs.own(folder)
                edge = step.start + size + (0 if step is steps[-1] else _OVER_THE_EDGE)
                end = lsn_text(edge if cut is None else min(cut, edge))
                for one in commits(self._programs, folder, lsn_text(step.start), end, timeline):
                    kept = _Kept("commit", one.at.isoformat(), one.lsn, one.xid, timeline)
                    found.setdefault(read_lsn(one.lsn), kept)
                if len({one.at for one in found.values()}) > 1:
                    break
        return [found[position] for position in sorted(found)]

    async def oldest_missing(
        self, server: Node, state: State, newest: Sequence[Point], heartbeat: Heartbeat
    ) -> Missing | None:
        """
        When the oldest commit was made that the server has and the archive has not; None if there is no such commit.

        Args:
            server: The server that archives.
            state: Its state.
            newest: The newest commits that can be recovered.
            heartbeat: Where it writes one.

        Raises:
            NotObserved: There is no answer.
        """
        last = newest[-1]
        known = max(one.xid or 0 for one in newest)
        ahead = (state.next_xid - 1 - known) % _XIDS
        if ahead == 0 or ahead > _XIDS // 2:
            return None
        if await server.value("SELECT to_regclass(%(name)s) IS NOT NULL", name=heartbeat.table):
            sql = f"SELECT min({heartbeat.at}) FROM {heartbeat.table} WHERE {heartbeat.at} > %(at)s::timestamptz"  # noqa: S608 - names that the profile's pattern allows
            if (beat := await server.value(sql, at=last.at.isoformat())) is not None:
                return Missing(datetime.fromisoformat(beat), f"the oldest heartbeat behind it in {heartbeat.table}")
        if state.settings.get("track_commit_timestamp") == "on" and ahead <= _MOST_XIDS:
            sql = (
                "SELECT min(at) FROM (SELECT pg_xact_commit_timestamp(mod(x, 4294967296)::text::xid) AS at "
                "FROM generate_series(%(first)s::bigint, %(last)s::bigint) x) c"
            )
            at = await server.value(sql, first=state.next_xid - ahead, last=state.next_xid - 1)
            return Missing(datetime.fromisoformat(at), "its commit timestamp") if at else None
        return Missing(last.at, f"the server ended {ahead} transactions since, and has no heartbeat that says when")


@dataclass(frozen=True, slots=True)
class _Kept:
    name: str
    at: str
    lsn: str
    xid: int
    timeline: int


def proposed(points: Sequence[Point], target: Target | None, timeline: int) -> Proposal:
    """
    A target with the commits next to it as its markers.

    Args:
        points: Commits in the archive, in the order of their records.
        target: As an operator gives it; None for one between the two newest commits.
        timeline: The one that a recovery follows.

    Raises:
        NoData: There are no two commits that a target could be between.
    """
    if target is None:
        last = max(points, key=lambda one: one.at)
        earlier = [one for one in points if one.at < last.at]
        if not earlier:
            raise NoData(
                "fewer than two commits at different times can be recovered",
                where="the newest segments of the archive",
                next_step="Write a heartbeat at least every tenth of the freshness; see backups.heartbeat.",
            )
        before = max(earlier, key=lambda one: one.at)
        middle = before.at + (last.at - before.at) / 2
        target = Target(time=middle.isoformat(), inclusive=True, timeline=timeline, action="promote")
        return Proposal(target, before, last, None)
    place = next((one for one in points if target.xid is not None and one.xid == int(target.xid)), None)
    try:
        if target.time is not None:
            place = Point("target", parse_time(target.time))
        elif target.lsn is not None:
            place = Point("target", points[-1].at, lsn_text(read_lsn(target.lsn)))
    except ValueError:
        return Proposal(target, None, None, None)
    if place is None:
        return Proposal(target, None, None, None)
    by_lsn = place.lsn is not None
    keys = [read_lsn(one.lsn or "0/0") if by_lsn else one.at.timestamp() for one in points]
    own = read_lsn(place.lsn or "0/0") if by_lsn else place.at.timestamp()
    before_it = [one for one, key in zip(points, keys, strict=True) if key < own]
    behind_it = [one for one, key in zip(points, keys, strict=True) if key > own]
    return Proposal(
        target,
        before_it[-1] if before_it else None,
        behind_it[0] if behind_it else None,
        place if target.xid is not None else None,
    )
