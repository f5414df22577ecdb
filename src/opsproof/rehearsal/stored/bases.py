"""Base backups: whether each is whole, is what was stored, and would recover as the cluster that it is of."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from shlex import quote
from typing import Any

from opsproof.errors import PreconditionMissing
from opsproof.profile.backups import Bases
from opsproof.profile.scalars import duration_text
from opsproof.rehearsal.stored.catalogue import Noted, read_catalogue
from opsproof.rehearsal.stored.label import Label, lsn
from opsproof.rehearsal.stored.manifest import Manifest
from opsproof.rehearsal.stored.names import named
from opsproof.rehearsal.stored.series import CLOCKS, Copy, Series, by_time, major, minority, seconds_for, span
from opsproof.rehearsal.stored.survey import Survey, copied, programs_for, survey


class BaseVerification(Series):
    """Every method returns what is wrong, one sentence each; nothing where all is well."""

    async def a_base_backup_is_fresh(self) -> list[str]:
        """The newest base backup by name, by its files, by the catalogue, and by the heartbeat noted there."""
        newest = (await self._bases())[-1]
        now, noted = await self._now(), await self._noted(self._base_series.prefix)
        found = await self._age(newest, self._base_series)
        entry, limit = noted.entries.get(newest.name), self._base_series.freshness
        at = entry.heartbeat if entry else None
        if at is None:
            return [*found, f"{newest.name}: the catalogue does not say how new its newest heartbeat is"]
        if at > now + CLOCKS:
            found.append(f"{newest.name}: its newest heartbeat is of the future: {at.isoformat()}")
        if now - at > timedelta(seconds=limit):
            found.append(f"{newest.name}: its newest heartbeat is {span(now - at)} old, limit {duration_text(limit)}")
        return found

    async def every_base_backup_is_whole(self) -> list[str]:
        """What pg_verifybackup objects to, WAL included; and what no server could have, though every hash is right."""
        surveys = await self._surveys()
        return [
            f"{one.name}: {words}"
            for one in surveys
            for words in ([one.manifest.problem] if one.manifest.problem else [])
            + ([] if one.manifest.checksums else ["its manifest has no checksums"])
            + one.verified
            + one.impossible
            + _unconfigured(one, surveys)
        ]

    async def every_base_backup_is_what_was_stored(self) -> list[str]:
        """SHA-256 of every file, also of those that pg_verifybackup leaves out, against the catalogue."""
        noted = await self._noted(self._base_series.prefix)
        found = [problem for _, problem in sorted(noted.problems.items())]
        return found + [f"{one.name}: {words}" for one in await self._surveys() for words in one.differences]

    async def no_base_backup_of_the_catalogue_is_gone(self) -> list[str]:
        """Whatever the catalogue knows is there."""
        return await self._gone(self._base_series, await self._bases())

    async def every_base_backup_says_where_it_begins(self) -> list[str]:
        """backup_label is there, and agrees with manifest, catalogue, name, and control file."""
        noted = await self._noted(self._base_series.prefix)
        found = []
        for one in await self._surveys():
            if one.label is None:
                found.append(f"{one.name}: {one.label_problem}")
            else:
                entry = noted.entries.get(one.name)
                found += [f"{one.name}: {words}" for words in _disagreeing(one, one.label, entry)]
        return found

    async def no_base_backup_brings_orders_along(self) -> list[str]:
        """No signal file, and no command or recovery target that the server did not have."""
        return [
            f"{one.name}: {words}"
            for one in await self._surveys()
            for words in [*(f"{signal} lies in it" for signal in one.signals), *one.commands]
        ]

    async def every_base_backup_is_of_this_cluster(self) -> list[str]:
        """System identifier and version by control file, manifest, catalogue, and the other backups."""
        noted = await self._noted(self._base_series.prefix)
        found, systems = [], {}
        for one in await self._surveys():
            entry, system = noted.entries.get(one.name), one.control.get("Database system identifier", "")
            if not system:
                found.append(f"{one.name}: pg_controldata cannot read its control file")
                continue
            systems[one.name] = system
            for source, said in (
                ("its manifest", one.manifest.system),
                ("the catalogue", entry and entry.system_identifier),
            ):
                if said and said != system:
                    found.append(f"{one.name} is of system {system}, {source} says {said}")
            if entry and not entry.system_identifier:
                found.append(f"{one.name}: the catalogue does not say which cluster it is of")
            if entry and entry.server_version and major(entry.server_version) != major(one.version):
                found.append(f"{one.name} is of PostgreSQL {one.version}, the catalogue says {entry.server_version}")
        return found + minority(systems, "system")

    async def page_checksums_are_on_and_hold(self) -> list[str]:
        """Data checksums are on: without them a damaged page is copied and nobody notices. Each one holds."""
        found = []
        for one in await self._surveys():
            if one.pages is None:
                found.append(
                    f"{one.name}: data checksums are off, or it cannot be told; turn them on (pg_checksums -e)"
                )
            else:
                found += [f"{one.name}: {words}" for words in one.pages]
        return found

    async def every_base_backup_is_self_contained(self) -> list[str]:
        """No link leads out of it, and tablespaces are where its map says."""
        return [f"{one.name}: {words}" for one in await self._surveys() for words in one.links + one.tablespaces]

    async def no_base_backup_is_open_to_others(self) -> list[str]:
        """Modes, where the store is on this machine: the server refuses a folder that others may enter."""
        return [f"{one.name}: {words}" for one in await self._surveys() for words in one.modes]

    async def the_chain_of_increments_is_whole(self) -> list[str]:
        """Every increment has the backup that it builds on, and pg_combinebackup would put them together."""
        surveys = {one.name: one for one in await self._surveys()}
        found = []
        for one in surveys.values():
            chain, broken = _chain(one, surveys.values())
            if broken:
                found.append(broken)
            elif len(chain) > 1:
                found += [f"{one.name}: {words}" for words in await self._combined(chain, one.version)]
        return found

    async def enough_whole_base_backups_are_kept(self) -> list[str]:
        """So many are whole, are what was stored, and know where they begin."""
        surveys = await self._surveys()
        whole = [
            one
            for one in surveys
            if not (one.verified or one.impossible or one.differences or one.manifest.problem) and one.label
        ]
        keep = self._base_series.keep
        if len(whole) >= keep:
            return []
        return [f"{len(whole)} of {len(surveys)} base backups are whole, {keep} are expected"]

    async def every_base_backup_is_named_by_its_time(self) -> list[str]:
        """Names, file times, labels and the catalogue tell the same time, and none is of the future."""
        found = await self._misnamed(self._base_series, await self._bases())
        for one in await self._surveys():
            name = named(one.name)
            at = datetime.fromisoformat(one.label.at) if one.label and one.label.at else None
            if name and at and not name.earliest <= at <= name.latest:
                found.append(f"{one.name} was begun {at:%Y-%m-%dT%H:%MZ} by its backup_label, not as its name says")
        return found

    @property
    def _base_series(self) -> Bases:
        if self.backups.bases is None:
            where, next_step = "backups.bases", "Describe them, if there are any."
            raise PreconditionMissing("the profile describes no base backups", where=where, next_step=next_step)
        return self.backups.bases

    async def _bases(self) -> list[Copy]:
        """The folders, the newest by its name last. Raises NoData if there is none."""
        prefix = self._base_series.prefix
        folders: dict[str, Copy] = {}
        for one in await self._listed(prefix):
            folder = prefix + one.name.removeprefix(prefix).partition("/")[0]
            known = folders.get(folder, Copy(folder, 0, one.written))
            folders[folder] = replace(known, size=known.size + one.size, written=max(known.written, one.written))
        if not folders:
            raise self._none("base backup", prefix)
        return sorted(folders.values(), key=by_time)

    async def _surveys(self) -> list[Survey]:
        return [await self._survey(base) for base in await self._bases()]

    async def _survey(self, base: Copy) -> Survey:
        prefix, catalogue = self._base_series.prefix, self.catalogue
        await self._noted(prefix)

        def entry() -> Noted | None:
            assert catalogue is not None
            noted = self._kept(("catalogue", prefix), lambda: read_catalogue(catalogue, prefix))
            return noted.entries.get(base.name)

        def call() -> dict[str, Any]:
            wal = self.backups.wal
            archive = wal.prefix if wal else None
            return asdict(
                self._kept(base, lambda: survey(self.objects, base.name, entry(), self.programs, self.scratch, archive))
            )

        by_hand = f"pg_verifybackup {quote(base.name)}; (cd {quote(base.name)} && find . -type f | xargs sha256sum)"
        seconds = 3 * seconds_for(base.size)
        answer = await self.asking.ask(f"look {base.name} through", by_hand, call, seconds=seconds)
        label, manifest = answer.pop("label"), answer.pop("manifest")
        return Survey(**answer, label=label and Label(**label), manifest=Manifest(**manifest))

    async def _combined(self, chain: list[str], version: str) -> list[str]:
        """What pg_combinebackup objects to, without writing anything."""

        def call() -> list[str]:
            tools = programs_for(version, self.programs)
            if tools is None:
                return [f"there are no programs of PostgreSQL {version} here"]
            with ExitStack() as stack:
                copies = [
                    stack.enter_context(copied(self.objects, name, self.programs, self.scratch)) for name in chain
                ]
                folders = [str(copy) for copy in copies]
                where = str(copies[-1].with_name("combined"))
                done = tools.run("pg_combinebackup", "--dry-run", *folders, "-o", where, seconds=24 * 3600)
                said = done.err.strip().splitlines()
                for name, folder in zip(chain, folders, strict=True):
                    said = [line.replace(folder, name) for line in said]
            return [] if done.ok and not said else said or [f"pg_combinebackup ended with status {done.status}"]

        by_hand = f"pg_combinebackup --dry-run {' '.join(map(quote, chain))} -o /tmp/combined"
        size = sum(one.size for one in await self._bases() if one.name in chain)
        return await self.asking.ask(f"combine {' + '.join(chain)}", by_hand, call, seconds=3 * seconds_for(size))


def _unconfigured(one: Survey, all_of_them: Iterable[Survey]) -> list[str]:
    """Configuration files that others of the same cluster have; a server may keep them elsewhere, and then all do."""
    system = one.control.get("Database system identifier")
    others = {
        path: other.name
        for other in all_of_them
        if other.control.get("Database system identifier") == system
        for path in other.configuration
    }
    return [f"{path} is not in it, and in {others[path]}" for path in sorted(others.keys() - set(one.configuration))]


def _disagreeing(one: Survey, label: Label, entry: Noted | None) -> list[str]:
    found = []
    if one.manifest.ranges:
        starts = [(timeline, lsn(start)) for timeline, start, _ in one.manifest.ranges]
        if (label.timeline, lsn(label.start)) not in starts:
            told = " and ".join(f"{start} of timeline {timeline}" for timeline, start, _ in one.manifest.ranges)
            found.append(f"backup_label begins at {label.start} of timeline {label.timeline}, the manifest at {told}")
    size = one.control.get("Bytes per WAL segment", "")
    if size.isdigit() and int(label.segment[8:16], 16) * (1 << 32) // int(size) + int(label.segment[16:], 16) != lsn(
        label.start
    ) // int(size):
        found.append(f"backup_label begins at {label.start}, which is not in segment {label.segment}")
    if entry is None:
        return found
    if entry.start_lsn and lsn(entry.start_lsn) != lsn(label.start):
        found.append(f"backup_label begins at {label.start}, the catalogue says {entry.start_lsn}")
    if entry.timeline is not None and entry.timeline != label.timeline:
        found.append(f"backup_label is of timeline {label.timeline}, the catalogue says {entry.timeline}")
    ends = [lsn(end) for _, _, end in one.manifest.ranges]
    if entry.stop_lsn and ends and lsn(entry.stop_lsn) != max(ends):
        found.append(f"the manifest ends at {one.manifest.ranges[-1][2]}, the catalogue says {entry.stop_lsn}")
    return found


def _chain(one: Survey, all_of_them: Iterable[Survey]) -> tuple[list[str], str]:
    """The backups that an increment rests on, from the full one on; or why there is no such chain."""
    chain, current = [one.name], one
    while current.label is not None and current.label.parent:
        label = current.label
        parents = [
            other
            for other in all_of_them
            if other.label
            and lsn(other.label.start) == lsn(label.parent)
            and other.label.timeline == label.parent_timeline
            and other.control.get("Database system identifier") == current.control.get("Database system identifier")
        ]
        if not parents or parents[0].name in chain:
            told = f"{label.parent} of timeline {label.parent_timeline}"
            return chain, f"{current.name} builds on the backup that begins at {told}, and that is not there"
        current = parents[0]
        chain.insert(0, current.name)
    if current.label is None:
        return chain, f"{current.name}: whether it is an increment cannot be told: {current.label_problem}"
    return chain, ""
