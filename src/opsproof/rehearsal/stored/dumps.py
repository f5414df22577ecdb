"""Dumps: whether each is whole, is what was stored, and is worth restoring."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import pairwise
from shlex import quote
from typing import Any

from opsproof.errors import PreconditionMissing
from opsproof.profile.backups import Dumps
from opsproof.profile.scalars import duration_text
from opsproof.rehearsal.stored.catalogue import Noted
from opsproof.rehearsal.stored.names import named
from opsproof.rehearsal.stored.reading import DumpReading, read_dump
from opsproof.rehearsal.stored.series import CLOCKS, Copy, Series, by_time, major, minority, seconds_for, span


class DumpVerification(Series):
    """Every method returns what is wrong, one sentence each; nothing where all is well."""

    async def a_dump_is_fresh(self) -> list[str]:
        """The newest dump by name, by file time and by the catalogue."""
        dumps = await self._dumps()
        return await self._age(dumps[-1], self._series)

    async def the_newest_dump_holds_fresh_rows(self) -> list[str]:
        """The newest heartbeat in the newest dump."""
        now, newest = await self._now(), (await self._dumps())[-1]
        at = (await self._reading(newest)).heartbeat
        limit = self._series.freshness
        if at is None:
            return [f"{newest.name} holds no row of {self.backups.heartbeat.table}"]
        if at > now + CLOCKS:
            return [f"the newest heartbeat in {newest.name} is of the future: {at:%Y-%m-%dT%H:%M:%SZ}"]
        if now - at > timedelta(seconds=limit):
            return [f"the newest heartbeat in {newest.name} is {span(now - at)} old, limit {duration_text(limit)}"]
        return []

    async def every_dump_holds_the_rows_of_its_time(self) -> list[str]:
        """The newest heartbeat of each dump against its name, the catalogue, and the dump before it."""
        noted, before = await self._noted(self._series.prefix), None
        found = []
        for dump in await self._dumps():
            at, entry = (await self._reading(dump)).heartbeat, noted.entries.get(dump.name)
            if at is None:
                found.append(f"{dump.name} holds no row of {self.backups.heartbeat.table}")
                continue
            found += _of_its_time(dump, at, entry, timedelta(seconds=self._series.freshness))
            if before is not None and at <= before[1]:
                found.append(
                    f"{dump.name} holds nothing newer than {before[0]}: its newest heartbeat is {at.isoformat()}"
                )
            before = dump.name, at
        return found

    async def latest_is_the_newest_dump(self) -> list[str]:
        """The object that is always the newest has the bytes of the newest one."""
        newest, latest = (await self._dumps())[-1], self._latest()
        if latest is None:
            where, next_step = "backups.dumps.latest", "Name it, if there is one."
            raise PreconditionMissing("the profile names no latest dump", where=where, next_step=next_step)
        there = [one for one in await self._listed(latest) if one.name == latest]
        if not there:
            return [f"{latest} is gone"]
        one, other = await self._reading(there[0]), await self._reading(newest)
        if one.sha256 == other.sha256 and one.bytes == other.bytes and one.sha256:
            return one.problems
        return [
            f"{latest} is not {newest.name}: it has {one.bytes} bytes and SHA-256 {one.sha256[:12]}..., "
            f"that has {other.bytes} bytes and {other.sha256[:12]}..."
        ]

    async def every_dump_is_what_was_stored(self) -> list[str]:
        """SHA-256 and size of each dump against the catalogue; what is not noted there cannot be proven."""
        noted = await self._noted(self._series.prefix)
        found = []
        for dump in await self._dumps():
            if problem := noted.problems.get(dump.name):
                found.append(problem)
            if entry := noted.entries.get(dump.name):
                found += _other_than_noted(await self._reading(dump), entry)
            elif not problem:
                found.append(f"{dump.name} is not in the catalogue: nobody can say what its SHA-256 should be")
        return found

    async def no_dump_of_the_catalogue_is_gone(self) -> list[str]:
        """Whatever the catalogue knows is there."""
        latest = self._latest()
        there = await self._dumps()
        return await self._gone(self._series, [*there, *([Copy(latest, 0, there[0].written)] if latest else [])])

    async def every_dump_reads_to_its_end(self) -> list[str]:
        """Every byte is unpacked and read as what restores it would."""
        found = []
        for dump in await self._dumps():
            found += [f"{dump.name}: {problem}" for problem in (await self._reading(dump)).problems]
        return found

    async def every_table_is_in_its_dump(self) -> list[str]:
        """Rows of each table against the catalogue, the profile's least, and the dump before."""
        noted, dumps = await self._noted(self._series.prefix), await self._dumps()
        found = []
        for dump in dumps:
            reading, entry = await self._reading(dump), noted.entries.get(dump.name)
            if not any(reading.tables.values()):
                found.append(f"{dump.name} holds no row of any table")
            if entry and entry.tables is not None:
                found += _other_rows(reading, entry.tables)
            elif entry:
                found.append(f"{dump.name}: the catalogue does not say how many rows it has")
        newest = await self._reading(dumps[-1])
        before = (await self._reading(dumps[-2])).tables if len(dumps) > 1 else {}
        return found + _too_few(newest, before, self._series)

    async def every_dump_defines_what_it_holds(self) -> list[str]:
        """
        Tables are defined where there are rows, and no kind of object is gone since the dump before.

        Of the newest every single one is told: a constraint less with as many tables is a release's doing, or damage.
        """
        found: list[str] = []
        before = None
        dumps = await self._dumps()
        for dump in dumps:
            reading = await self._reading(dump)
            if any(reading.tables.values()) and not reading.kinds.get("table"):
                found.append(f"{dump.name} holds rows, and defines no table: it is of data alone")
            if before is not None:
                lost = _undefined(before, reading, self._series.shrink)
                found += lost or (_undefined(before, reading, 1) if dump == dumps[-1] else [])
            before = reading
        return found

    async def no_dump_is_too_small(self) -> list[str]:
        """Size of each against the profile's floor, and of the newest against the one before."""
        dumps, least, share = await self._dumps(), self._series.least_bytes, self._series.shrink
        found = [f"{one.name} has {one.size} bytes, at least {least} are expected" for one in dumps if one.size < least]
        for one, other in pairwise(dumps[-2:]):
            if other.size < share * one.size:
                found.append(f"{other.name} has {other.size} bytes, {one.name} before it had {one.size}")
        return found

    async def enough_whole_dumps_are_kept(self) -> list[str]:
        """So many different dumps are whole, and what was stored."""
        noted, dumps = await self._noted(self._series.prefix), await self._dumps()
        whole = set()
        for dump in dumps:
            reading, entry = await self._reading(dump), noted.entries.get(dump.name)
            if entry and not reading.problems and not _other_than_noted(reading, entry):
                whole.add(reading.sha256)
        keep = self._series.keep
        return [] if len(whole) >= keep else [f"{len(whole)} of {len(dumps)} dumps are whole, {keep} are expected"]

    async def every_dump_is_of_a_fitting_version(self) -> list[str]:
        """pg_dump was no older than the server, the catalogue agrees, and the tools here can restore it."""
        noted = await self._noted(self._series.prefix)
        here = await self._tools()
        found = []
        for dump in await self._dumps():
            reading, entry = await self._reading(dump), noted.entries.get(dump.name)
            found += [f"{dump.name}: {words}" for words in _unfitting(reading, entry, here)]
        return found

    async def every_dump_is_named_by_its_time(self) -> list[str]:
        """Names, file times and the catalogue tell the same time, and none is of the future."""
        return await self._misnamed(self._series, await self._dumps())

    async def no_two_dumps_are_the_same(self) -> list[str]:
        """No dump is a copy of another under a newer name."""
        by_hash: dict[str, list[str]] = {}
        for dump in await self._dumps():
            by_hash.setdefault((await self._reading(dump)).sha256, []).append(dump.name)
        return [f"{' and '.join(names)} are the same, byte by byte" for names in by_hash.values() if len(names) > 1]

    async def all_dumps_are_of_one_database(self) -> list[str]:
        """Database and system identifier of all dumps agree, with each other, the catalogue and the base backups."""
        noted, dumps = await self._noted(self._series.prefix), await self._dumps()
        bases = (await self._noted(self.backups.bases.prefix)).entries if self.backups.bases else {}
        found, names = [], {}
        systems = {name: entry.system_identifier for name, entry in bases.items() if entry.system_identifier}
        for dump in dumps:
            reading, entry = await self._reading(dump), noted.entries.get(dump.name)
            if entry and entry.database and reading.database and entry.database != reading.database:
                found.append(f"{dump.name} is of database {reading.database}, the catalogue says {entry.database}")
            if reading.database:
                names[dump.name] = reading.database
            if entry and entry.system_identifier:
                systems[dump.name] = entry.system_identifier
        return found + minority(names, "database") + minority(systems, "system identifier")

    @property
    def _series(self) -> Dumps:
        if self.backups.dumps is None:
            where, next_step = "backups.dumps", "Describe them, if there are any."
            raise PreconditionMissing("the profile describes no dumps", where=where, next_step=next_step)
        return self.backups.dumps

    def _latest(self) -> str | None:
        folder, slash, _ = self._series.prefix.rpartition("/")
        return f"{folder}{slash}{self._series.latest}" if self._series.latest else None

    async def _dumps(self) -> list[Copy]:
        """All dumps but the latest, the newest by its name last. Raises NoData if there is none."""
        latest = self._latest()
        found = [one for one in await self._listed(self._series.prefix) if one.name != latest]
        if not found:
            raise self._none("dump", self._series.prefix)
        return sorted(found, key=by_time)

    async def _reading(self, dump: Copy) -> DumpReading:
        seconds = seconds_for(dump.size)

        def call() -> dict[str, Any]:
            reading = self._kept(
                dump, lambda: read_dump(self.objects, dump.name, self._series, self.backups, self.programs, seconds)
            )
            at = reading.heartbeat
            return asdict(reading) | {"heartbeat": at.isoformat() if at else None}

        restore = "pg_restore -f /dev/null" if self._series.form == "custom" else "tail"
        name = quote(dump.name)
        by_hand = f"sha256sum {name}; {'gunzip -c' if name.endswith('.gz') else 'cat'} {name} | {restore}"
        answer = await self.asking.ask(f"read {dump.name} to its end", by_hand, call, seconds=seconds + 60)
        at = answer["heartbeat"]
        return DumpReading(**answer | {"heartbeat": at and datetime.fromisoformat(at)})


def _of_its_time(dump: Copy, at: datetime, entry: Noted | None, freshness: timedelta) -> list[str]:
    found, name = [], named(dump.name)
    took = entry.finished - entry.started if entry and entry.finished and entry.started else timedelta(0)
    if name and at > name.latest + took:
        found.append(f"{dump.name} holds a heartbeat that is newer than its name: {at.isoformat()}")
    if name and at < name.earliest - freshness:
        found.append(f"{dump.name} was old when it was made: its newest heartbeat is {at.isoformat()}")
    if entry and entry.heartbeat and abs(at - entry.heartbeat) > max(took, timedelta(minutes=1)):
        found.append(
            f"the newest heartbeat in {dump.name} is {at.isoformat()}, the catalogue says {entry.heartbeat.isoformat()}"
        )
    return found


def _other_than_noted(reading: DumpReading, entry: Noted) -> list[str]:
    found = []
    if reading.sha256 != entry.sha256:
        told = reading.sha256[:12] or "not to be had"
        found.append(f"{reading.name}: its SHA-256 is {told}..., the catalogue says {entry.sha256[:12]}...")
    if entry.bytes is not None and reading.bytes != entry.bytes:
        found.append(f"{reading.name}: it has {reading.bytes} bytes, the catalogue says {entry.bytes}")
    return found


def _other_rows(reading: DumpReading, noted: Mapping[str, int]) -> list[str]:
    there = reading.tables
    found = [
        f"{reading.name}: {table} has {there[table]} rows, the catalogue says {rows}"
        if table in there
        else f"{reading.name}: {table} is not in it, the catalogue says {rows} rows"
        for table, rows in noted.items()
        if there.get(table) != rows
    ]
    more = [table for table, rows in there.items() if rows and table not in noted and table not in reading.parents]
    return found + [f"{reading.name}: {table} has {there[table]} rows, and is not in the catalogue" for table in more]


def _too_few(newest: DumpReading, before: Mapping[str, int], series: Dumps) -> list[str]:
    found = []
    for wanted, least in series.tables.items():
        rows = _rows(newest.tables, wanted)
        if rows is None:
            found.append(f"{newest.name}: table {wanted} is not in it")
        elif rows < max(1, least):
            found.append(f"{newest.name}: {wanted} has {rows} rows, at least {max(1, least)} are expected")
        elif rows < series.shrink * (_rows(before, wanted) or 0):
            found.append(f"{newest.name}: {wanted} has {rows} rows, the dump before it had {_rows(before, wanted)}")
    return found


def _undefined(before: DumpReading, reading: DumpReading, share: float) -> list[str]:
    """What is defined no more; with the share 1 also what is lost while no table was dropped, which explains much."""
    if share == 1 and reading.kinds.get("table", 0) < before.kinds.get("table", 0):
        return []
    return [
        f"{reading.name} makes {reading.kinds.get(kind, 0)} ({kind}), {before.name} before it makes {number}"
        for kind, number in before.kinds.items()
        if reading.kinds.get(kind, 0) < share * number
    ]


def _rows(tables: Mapping[str, int], wanted: str) -> int | None:
    named = [rows for table, rows in tables.items() if wanted in (table, table.rpartition(".")[2])]
    return sum(named) if named else None


def _unfitting(reading: DumpReading, entry: Noted | None, here: int | None) -> list[str]:
    server, tool = major(reading.server), major(reading.tool)
    if server is None or tool is None:
        return ["it does not say which server and which pg_dump it is of"]
    found = []
    if tool < server:
        found.append(f"pg_dump {reading.tool} is older than its server {reading.server}")
    if here is None or here < tool:
        found.append(f"pg_restore {here} here is older than the pg_dump {reading.tool} that wrote it")
    for what, said, noted in (
        ("server", reading.server, entry and entry.server_version),
        ("pg_dump", reading.tool, entry and entry.tool_version),
    ):
        if noted and major(noted) != major(said):
            found.append(f"it is of {what} {said}, the catalogue says {noted}")
    return found
