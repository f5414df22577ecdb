"""Whether the WAL archive can be recovered from, and the archiver does what it says."""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from opsproof.errors import NoData, PreconditionMissing
from opsproof.probes.backup import Objects
from opsproof.profile.backups import Backups, Wal
from opsproof.profile.scalars import duration_text
from opsproof.rehearsal.archive import archiver
from opsproof.rehearsal.archive.contents import Contents
from opsproof.rehearsal.archive.freshness import Newest, proposed
from opsproof.rehearsal.archive.histories import contradictions, unexplained
from opsproof.rehearsal.archive.judging import changed, misplaced, odd_objects, unlike
from opsproof.rehearsal.archive.look import Look, Looking
from opsproof.rehearsal.archive.names import lsn_text
from opsproof.rehearsal.archive.path import runs
from opsproof.rehearsal.archive.reach import Recoverable
from opsproof.rehearsal.archive.segments import Segments, segments
from opsproof.rehearsal.archive.targets import Point, Target, lint
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.node import Node
from opsproof.stack.clusters import Programs


def _now() -> datetime:
    return datetime.now(UTC)


class ArchiveVerification:
    """
    Reads the archive, its base backups, and the server that fills it; writes nothing but copies in the scratch folder.

    Each method returns what is wrong, a sentence for each; nothing means that all is well.

    Args:
        backups: What the profile says of them; with `wal`.
        objects: The store that holds archive and base backups.
        catalogue: Where it was noted when each was made.
        server: The server that archives.
        asking: Keeps the answers.
        programs: PostgreSQL's, of the version that wrote the WAL.
        scratch: A folder for copies of segments, some hundred megabytes at a time.
        now: The clock.
    """

    def __init__(
        self,
        backups: Backups,
        objects: Objects,
        catalogue: Objects | None,
        server: Node | None,
        asking: Asking,
        programs: Programs,
        scratch: Path,
        now: Callable[[], datetime] = _now,
    ) -> None:
        if backups.wal is None:
            raise ValueError("expected a profile with backups.wal")
        self._wal: Wal = backups.wal
        self._backups = backups
        self._objects = objects
        self._asking = asking
        self._server = server
        contents = Contents(backups, objects, catalogue, asking, now)
        reader = Segments(objects, self._wal.prefix, programs, scratch)
        self._looking = Looking(self._wal, contents, reader, server, asking, self._where)
        self._newest = Newest(objects, self._wal.prefix, programs, scratch, asking)

    async def every_object_of_the_archive_has_a_known_name(self) -> list[str]:
        """Nothing is there but segments of full size, and history files with something in them; none is a link."""
        return odd_objects(await self._looking.contents.listing(self._wal)) + await self._shared()

    async def every_segment_belongs_where_it_is(self) -> list[str]:
        """The head of each segment agrees with its name, and with the cluster that the backups are of."""
        look = await self._looking.look()
        systems = {base.system for base in look.bases if base.system}
        if self._server is not None:
            systems.add((await archiver.state(self._server)).system)
        return misplaced(look.listing, segments(await self._looking.read(look)), systems)

    async def the_archive_has_no_gap(self) -> list[str]:
        """From the start of every base backup to the newest segment nothing is missing, over all timelines."""
        look = await self._looking.look()
        said = []
        for base, way in zip(look.bases, look.ways, strict=True):
            if way.why:
                said.append(f"base backup {base.name}: {way.why}")
            elif way.missing:
                listed = ", ".join(runs(way.missing, look.listing.size))
                said.append(f"base backup {base.name} cannot be recovered beyond it: missing, or not whole: {listed}")
        return said

    async def every_record_of_the_archive_can_be_read(self) -> list[str]:
        """pg_waldump reads all that a recovery replays, record by record, with every checksum."""
        look = await self._looking.look()
        if look.longest.why:
            raise NoData(
                look.longest.why, where=self._where, next_step="Take a base backup of the server as it is now."
            )
        read = await self._looking.read(look)
        names = {step.start: step.name for step in look.longest.steps}
        size = look.listing.size
        return [
            f"{names.get(at - at % size, lsn_text(at))} cannot be read on from {lsn_text(at)}: {why}"
            for at, why in read["broken"]
        ]

    async def every_segment_is_what_was_archived(self) -> list[str]:
        """SHA-256 of each segment equals what was noted when it was archived, and none that was noted is gone."""
        look = await self._looking.look()
        noted = await self._looking.contents.noted(self._wal.prefix)
        now = await self._looking.contents.listing(self._wal, fresh=True)  # what came after the first look is no loss
        there = {file.path for file in now.files}
        return changed(look.listing, look.longest, segments(await self._looking.read(look)), noted, there)

    async def every_timeline_is_explained(self) -> list[str]:
        """Every history file can be read, agrees with the WAL, and comes of a promotion that is known."""
        look = await self._looking.look()
        histories, said = look.listing.histories()
        size = look.listing.size
        names = look.listing.segments().values()
        firsts: dict[int, int] = {}
        for one in names:
            firsts[one.timeline] = min(one.start(size), firsts.get(one.timeline, one.start(size)))
        begins: dict[int, list[int]] = {}
        for number, position in (await self._looking.read(look))["begins"]:
            begins.setdefault(number, []).append(position)
        said += contradictions(histories, firsts, begins, size)
        current = (await archiver.state(self._need_server())).timeline
        timelines = {file.name.timeline for file in look.listing.files if file.name}
        return said + unexplained(histories, timelines, current=current, known=self._wal.timelines)

    async def every_base_backup_has_its_history_file(self) -> list[str]:
        """The archive's backup history file of each base backup says the same as the backup."""
        look = await self._looking.look()
        labels, said = look.listing.labels()
        for base in look.all_bases:
            said += base.wrong
            if base.label is not None:
                said += unlike(base, base.label, labels, said, look.listing.size)
        return said

    async def no_wal_was_made_at_the_minimal_level(self) -> list[str]:
        """Nowhere on the way of a recovery was wal_level minimal."""
        look = await self._looking.look()
        if look.longest.why:
            raise NoData(
                look.longest.why, where=self._where, next_step="Take a base backup of the server as it is now."
            )
        found = (await self._looking.read(look))["minimal"]
        return [
            f"WAL was made with wal_level=minimal from {lsn_text(at)}: no backup recovers beyond it" for at in found[:3]
        ]

    async def the_archiver_is_set_up(self) -> list[str]:
        """archive_mode, archive_command and wal_level are such that WAL can come into the archive, in time."""
        server = self._need_server()
        state = await archiver.state(server)
        program = archiver.program(state.settings.get("archive_command", ""))
        there = await server.value(archiver.EXISTS, path=program) if program and state.reads_files else None
        said = archiver.objections(state.settings, self._wal.freshness, there)
        return said + [
            f"{name} is another one in the server's files, and from its next start on" for name in state.pending
        ]

    async def no_wal_waits_for_the_archiver(self) -> list[str]:
        """The archiver keeps up: few .ready files, no failure since its last success, the archive near the server."""
        server = self._need_server()
        listing = await self._looking.contents.listing(self._wal, fresh=True)
        state = await archiver.state(server)
        status = [str(row["name"]) for row in await server.rows(archiver.STATUS)]
        size = listing.size
        own = [one.start(size) + size for one in listing.segments().values() if one.timeline == state.timeline]
        said = archiver.waiting(state, status, max(own, default=None), size, self._wal.waiting)
        free = await self._free()
        if free is not None and free < (self._wal.waiting + 1) * size:
            said.append(f"the archive has room for {free} bytes, less than {self._wal.waiting + 1} segments")
        return said

    async def what_was_archived_is_in_the_archive(self) -> list[str]:
        """What the server holds for archived is there, and is what the server wrote."""
        server = self._need_server()
        state = await archiver.state(server)
        if not state.archiver.get("last_archived_wal"):
            next_step = "Call pg_switch_wal() after a write, and see whether the segment comes."
            raise NoData(
                "the server has archived nothing yet", where=f"{server.name}: pg_stat_archiver", next_step=next_step
            )
        status = [str(row["name"]) for row in await server.rows(archiver.STATUS)]
        look = await self._looking.look()
        kept = segments(await self._looking.read(look))
        start = look.longest.steps[0].start if look.longest.steps else 0
        now = await self._looking.contents.listing(self._wal, fresh=True)
        there = {file.path for file in now.files if file.bytes}
        said = archiver.vanished(state.archiver, status, there, start, look.listing.size)
        if said:
            return said
        if not state.reads_files:
            next_step = f"GRANT pg_read_server_files TO the role that asks {server.name}."
            raise PreconditionMissing(
                "the server's own segments cannot be compared with the archive's: we may not read its files",
                where=server.name,
                next_step=next_step,
            )
        own = await server.rows(archiver.OWN, seconds=60)
        return archiver.differing(own, {name: one.sha256 for name, one in kept.items()})

    async def the_newest_commit_is_in_the_archive(self) -> list[str]:
        """No commit of the server is older than the limit and not yet in the archive; a quiet server is not stale."""
        look = await self._looking.look()
        server = self._need_server()
        state = await archiver.state(server)
        newest = await self._points(look)
        missing = await self._newest.oldest_missing(server, state, newest, self._backups.heartbeat)
        limit = self._wal.freshness
        age = (look.listing.at - missing.since).total_seconds() if missing else 0.0
        if missing is None or age <= limit:
            return []
        newest_at = newest[-1].at.isoformat()
        return [
            f"commits of the last {duration_text(round(age))} are not in the archive (limit {duration_text(limit)}): "
            f"the newest that can be recovered is of {newest_at}; the age is that of {missing.how}"
        ]

    async def every_moment_can_be_recovered(self) -> list[str]:
        """From the oldest base backup on that is old enough, WAL is unbroken and can be read."""
        look = await self._looking.look()
        reach = self._wal.reach
        if reach is None:
            next_step = "Set backups.wal.reach to the stretch that must be recoverable."
            raise NoData(
                "nobody said how far back a recovery must reach", where="backups.wal.reach", next_step=next_step
            )
        broken = [at for at, _ in (await self._looking.read(look))["broken"]]
        size = look.listing.size
        whole = []
        for base, end in zip(look.bases, look.ends(), strict=True):
            way = look.ways[look.bases.index(base)]
            if way.unbroken and end is not None and all(at + size <= way.steps[0].start for at in broken):
                whole.append((end.at, base.name))
        if not whole:
            return ["no moment can be recovered: no base backup has WAL to the newest segment without a gap"]
        oldest, name = min(whole)
        wanted = look.listing.at.timestamp() - reach
        if oldest.timestamp() <= wanted:
            return []
        back = duration_text(round(look.listing.at.timestamp() - oldest.timestamp()))
        moment = f"the end of {name} ({oldest.isoformat()})"
        return [f"a recovery reaches back {back}, to {moment}; required are {duration_text(reach)}"]

    async def a_point_in_time_can_be_recovered(
        self, target: Target | None = None, before: Point | None = None, after: Point | None = None
    ) -> list[str]:
        """
        A target is such that a recovery ends there, and can be seen to.

        Args:
            target: As an operator gives it; None for one between the two newest commits in the archive.
            before: A commit that must be there afterwards; None for the last one before the target.
            after: A commit that must be gone; None for the first one behind it.
        """
        look = await self._looking.look()
        points = await self._points(look)
        proposal = proposed(points, target, look.timeline)
        return lint(
            proposal.target,
            [end for end in look.ends() if end],
            points[-1],
            before or proposal.before,
            after or proposal.after,
            place=proposal.place,
            timelines=sorted({one.timeline for one in look.listing.segments().values()}),
        )

    async def recoverable(self) -> Recoverable:
        """What a recovery can replay. Raises NotObserved; what a check of this sweep has read is not read again."""
        look = await self._looking.look()
        read = await self._looking.read(look)
        minimal = [(at, "it was made with wal_level=minimal") for at in read["minimal"]]
        return Recoverable(look, [*((at, why) for at, why in read["broken"]), *minimal])

    async def _points(self, look: Look) -> list[Point]:
        broken = (await self._looking.read(look))["broken"]
        return await self._newest.points(look.longest, broken, look.timeline, look.listing.size)

    async def _free(self) -> int | None:
        import shutil

        folder = self._objects.path(self._wal.prefix)

        def call() -> int | None:
            return shutil.disk_usage(folder).free if folder is not None and folder.is_dir() else None

        return await self._asking.ask(f"room in {self._where}", f"df {folder}", call) if folder else None

    async def _shared(self) -> list[str]:
        """Files with a second name, of an archive on this machine: what is written there changes the archive."""
        folder = self._objects.path(self._wal.prefix)

        def call() -> dict[str, int]:
            paths = sorted(folder.rglob("*")) if folder is not None else []
            links = {str(path.relative_to(str(folder))): path.lstat() for path in paths}
            return {name: one.st_nlink for name, one in links.items() if stat.S_ISREG(one.st_mode) and one.st_nlink > 1}

        by_hand = f"find {folder} -type f -links +1"
        found = await self._asking.ask(f"links in {self._where}", by_hand, call) if folder else {}
        return [
            f"{name} has {links} names: it is a hard link, no copy, and the server writes its segments anew; "
            "archive with cp, not with ln"
            for name, links in found.items()
        ]

    def _need_server(self) -> Node:
        if self._server is None:
            raise PreconditionMissing(
                "the server that archives is not known",
                where=f"backups.database: {self._backups.database}",
                next_step="Name the target of kind postgres that the archive is of.",
            )
        return self._server

    @property
    def _where(self) -> str:
        return self._objects.where(self._wal.prefix)
