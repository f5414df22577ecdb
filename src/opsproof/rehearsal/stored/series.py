"""What the verification of dumps and that of base backups have in common: listing, catalogue, clock, and asking."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

from opsproof.errors import NoData, PreconditionMissing
from opsproof.probes.backup import Objects
from opsproof.profile.backups import Backups, Copies
from opsproof.profile.scalars import duration_text
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.stored.catalogue import Catalogue, Noted, read_catalogue
from opsproof.rehearsal.stored.names import named
from opsproof.stack.clusters import Programs

T = TypeVar("T")

CLOCKS = timedelta(minutes=5)
"""So much may two clocks differ."""

_SLOWEST = 2 << 20
_LEAST_SECONDS = 600.0
_SIDECAR = (".sha256", ".json", ".md5")
_VERSION = re.compile(r"(\d+)(?:\.\d+)*")


@dataclass(frozen=True)
class Copy:
    """
    A backup as the store lists it.

    Attributes:
        name: Of the object, or of the folder without the slash at its end.
        size: Bytes.
        written: When the store took it; of a folder, its newest file.
    """

    name: str
    size: int
    written: datetime


class Series:
    """
    Verifies what is stored, and changes nothing there.

    Args:
        backups: What must be true.
        objects: The store.
        catalogue: Where the notes are; None if the profile names none, and then much cannot be proven.
        asking: Keeps the answers.
        programs: PostgreSQL's programs.
        scratch: Folder for copies, which the user that PostgreSQL runs as can reach.
        now: The clock.
    """

    def __init__(
        self,
        backups: Backups,
        objects: Objects,
        catalogue: Objects | None,
        asking: Asking,
        programs: Programs,
        scratch: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.backups = backups
        self.objects = objects
        self.catalogue = catalogue
        self.asking = asking
        self.programs = programs
        self.scratch = scratch
        self._clock = now
        self._once: dict[object, Any] = {}
        self._lock = threading.RLock()

    async def _now(self) -> datetime:
        return datetime.fromisoformat(await self.asking.ask("the clock", "date -u", lambda: self._clock().isoformat()))

    async def _noted(self, prefix: str) -> Catalogue:
        """
        What the catalogue says of a series, without the hashes of single files.

        Raises:
            PreconditionMissing: There is no catalogue.
        """
        catalogue = self.catalogue
        if catalogue is None or catalogue.target.url == self.objects.target.url:
            what = (
                "there is no catalogue in a place of its own"
                if catalogue is None
                else "the catalogue is no other place"
            )
            raise PreconditionMissing(
                what,
                where=self.objects.where(f"{prefix}*"),
                next_step="Note name, SHA-256, size, times and rows of each backup in another store when it is made, "
                "and name that store in `backups.catalogue`.",
            )

        def call() -> dict[str, Any]:
            found = self._kept(("catalogue", prefix), lambda: read_catalogue(catalogue, prefix))
            entries = {name: one.model_dump(mode="json", exclude={"files"}) for name, one in found.entries.items()}
            return {"entries": entries, "problems": dict(found.problems)}

        answer = await self.asking.ask(f"catalogue of {prefix}*", _listing(catalogue, prefix), call)
        entries = {name: Noted.model_validate(one) for name, one in answer["entries"].items()}
        return Catalogue(entries, answer["problems"])

    async def _tools(self) -> int | None:
        """Major version of the programs here."""
        run = self.programs.run
        text = await self.asking.ask(
            "version of the tools", "pg_restore --version", lambda: run("pg_restore", "--version").out.strip()
        )
        return major(text.rpartition(") ")[2])

    async def _listed(self, prefix: str) -> list[Copy]:
        """Every object of a prefix, but for notes that lie beside it."""

        def call() -> list[list[Any]]:
            found = [one for one in self.objects.names(prefix) if not one.name.endswith(_SIDECAR)]
            return [[one.name, one.size, one.written.isoformat()] for one in found]

        answer = await self.asking.ask(f"list {prefix}*", _listing(self.objects, prefix), call)
        return [Copy(name, size, datetime.fromisoformat(written)) for name, size, written in answer]

    def _kept(self, key: object, make: Callable[[], T]) -> T:
        """What was made of that key before, or is made now; two threads never make it twice."""
        with self._lock:
            if key not in self._once:
                self._once[key] = make()
            kept: T = self._once[key]
            return kept

    def _none(self, what: str, prefix: str) -> NoData:
        next_step = "See why none is made: the job, its last log, the credentials with which it writes."
        return NoData(f"there is no {what}", where=self.objects.where(f"LIST {prefix}*"), next_step=next_step)

    async def _age(self, newest: Copy, series: Copies) -> list[str]:
        """Why the newest of a series is too old: by its name, by its file, by the catalogue."""
        now, noted = await self._now(), await self._noted(series.prefix)
        entry = noted.entries.get(newest.name)
        found = []
        times = {"file": newest.written, "catalogue": (entry.started or entry.finished) if entry else None}
        name = named(newest.name)
        times["name"] = name.latest if name else None
        for source, at in times.items():
            if at is None:
                found.append(f"{newest.name}: its {source} says nothing of its time")
            elif now - at > timedelta(seconds=series.freshness):
                limit = duration_text(series.freshness)
                found.append(f"{newest.name} is the newest and {span(now - at)} old by its {source}, limit {limit}")
        return found

    async def _gone(self, series: Copies, there: Sequence[Copy]) -> list[str]:
        noted = await self._noted(series.prefix)
        names = {one.name for one in there}
        known = sorted({*noted.entries, *noted.problems} - names)
        return [f"{name} is in the catalogue, and no longer in the store" for name in known]

    async def _misnamed(self, series: Copies, copies: Sequence[Copy]) -> list[str]:
        """Names that do not hold against the clock, the file and the catalogue."""
        now, noted = await self._now(), await self._noted(series.prefix)
        found = []
        for one in copies:
            name, entry = named(one.name), noted.entries.get(one.name)
            if name is None:
                found.append(f"{one.name} names no time")
                continue
            if name.earliest > now:
                found.append(f"{one.name} is of the future: it is {now:%Y-%m-%dT%H:%MZ} now")
            if one.written < name.earliest:
                found.append(f"{one.name} is older than its name: stored {one.written:%Y-%m-%dT%H:%MZ}")
            if entry and entry.started and not name.earliest <= entry.started <= name.latest:
                found.append(
                    f"{one.name} was begun {entry.started:%Y-%m-%dT%H:%MZ} by the catalogue, not as its name says"
                )
            if entry and entry.finished and entry.finished > now + CLOCKS:
                found.append(
                    f"{one.name} was finished in the future by the catalogue: {entry.finished:%Y-%m-%dT%H:%MZ}"
                )
            if entry and entry.started and one.written < entry.started - CLOCKS:
                found.append(
                    f"{one.name} was stored {one.written:%Y-%m-%dT%H:%MZ}, before it was begun by the catalogue"
                )
        return found


def seconds_for(size: int) -> float:
    """The most that reading so many bytes may take, in seconds: 2 MB/s, and ten minutes at the least."""
    return _LEAST_SECONDS + size / _SLOWEST


def by_time(copy: Copy) -> tuple[str, str]:
    """Key that sorts copies by the time in their names; those without one come first."""
    name = named(copy.name)
    return (name.latest.isoformat() if name else "", copy.name)


def minority(values: Mapping[str, str], what: str) -> list[str]:
    """Those that differ from what most are of."""
    usual = Counter(values.values()).most_common(1)
    return [
        f"{name} is of {what} {value}, the others are of {usual[0][0]}"
        for name, value in values.items()
        if value != usual[0][0]
    ]


def major(version: str | None) -> int | None:
    """The major version of `18.6 (Debian ...)`."""
    match = _VERSION.match(version or "")
    return int(match[1]) if match else None


def span(length: timedelta) -> str:
    """A stretch of time for people: `3d`, `26h`, `90s`."""
    seconds = max(0, round(length.total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds} s"


def _listing(objects: Objects, prefix: str) -> str:
    url = objects.target.url.rstrip("/")
    if url.startswith("local://"):
        return f"ls -la {quote(url.removeprefix('local://') + '/' + prefix)}*"
    return f"aws s3 ls --recursive {quote(f'{url}/{prefix}')}"
