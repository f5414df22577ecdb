"""How much each copy would have lost at the failure, by the newest write or heartbeat that it can give back."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from opsproof.errors import NotObserved
from opsproof.profile.backups import Bases, Dumps
from opsproof.profile.scalars import duration_text
from opsproof.rehearsal.archive.reach import Reach
from opsproof.rehearsal.archive.verification import ArchiveVerification
from opsproof.rehearsal.clock import ledger_table
from opsproof.rehearsal.clock.anchor import Anchor
from opsproof.rehearsal.clock.exposure import Sample, copy_fact, newest_below, worst
from opsproof.rehearsal.clock.ledger import Ledger
from opsproof.rehearsal.facts import CopyFact
from opsproof.rehearsal.procedure.surroundings import Surroundings
from opsproof.rehearsal.stored.catalogue import read_catalogue

_LOOKS = 8
_LONGEST = 60.0
_STANDBY_SECONDS = 3.0
_ARCHIVE_TIMEOUT = "SELECT setting::int FROM pg_settings WHERE name = 'archive_timeout'"


class Copies:
    """
    Looks at standby and archive until the failure, and tells what dumps and base backups held then.

    A single look flatters: an archive is worst just before its next segment comes. So it is looked at for as long as a
    segment may take at most, or a minute, and once more just before the failure. The looks list names alone; what of
    them can be read is told once, by the check of the archive after the failure.

    Args:
        at: Has the stores and the servers.
        anchor: The stopwatch's scale of time.
        path: Where the samples are kept, for a rehearsal that is resumed after the failure.
    """

    def __init__(self, at: Surroundings, anchor: Anchor, path: Path) -> None:
        self._at = at
        self._anchor = anchor
        self._path = path
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self._timeout: int | None = kept.get("archive_timeout")
        self._came: dict[str, str] = kept.get("came", {})
        self._looks: list[list[str]] = kept.get("looks", [])
        self._samples = {name: [_sample(*one) for one in taken] for name, taken in kept.get("samples", {}).items()}

    async def watch(self) -> None:
        """Look again and again for as long as a segment may take. Raises NotObserved: home does not answer."""
        self._timeout = int(await self._at.home.value(_ARCHIVE_TIMEOUT))
        stretch = min(self._timeout or _LONGEST, _LONGEST)
        for _ in range(_LOOKS):
            await self.look()
            await asyncio.sleep(stretch / _LOOKS)

    async def look(self) -> None:
        """Take a sample of the standby, and note which segments are in the archive; what does not answer is unknown."""
        newest, why = await self._standby()
        self._samples.setdefault("standby", []).append(Sample(self._anchor.now(), newest, why))
        if self._at.backups.wal is not None:
            unseen = await self._archive(self._at.backups.wal.prefix)
            self._looks.append([self._now(), unseen])
        self._save()

    async def archive(self, ledger: Ledger, verification: ArchiveVerification, limit: float) -> list[str]:
        """
        What each look at the archive was worth, and whether it was ever worth too little.

        Args:
            ledger: The outside writer's.
            verification: Reads the archive, or has read it in this sweep.
            limit: Seconds that may be lost.

        Returns:
            What is wrong, with the next step.
        """
        if self._at.backups.wal is None:
            return []
        samples = self._samples["archive"] = await self._archive_samples(ledger, verification)
        self._save()
        one = worst(samples)
        next_step = f"lower archive_timeout ({self._timeout} s at home), or mend what keeps segments from the archive"
        allowed = f"the scenario allows {duration_text(limit)}"
        if one.exposure is None:
            return [f"what the archive alone would have lost is not known, {allowed}: {one.why}; {next_step}"]
        if one.exposure <= limit:
            return []
        told = f"the archive alone would have lost {one.exposure:.1f} s at {one.at.isoformat(timespec='seconds')}"
        return [f"{told}, {allowed}: {one.why}; {next_step}"]

    async def backups(self, failure: datetime) -> None:
        """Take a sample of the newest dump and base backup from before the failure. Raises NotObserved."""
        backups, catalogue = self._at.backups, self._at.catalogue
        series: tuple[tuple[str, Dumps | Bases | None], ...] = (("dump", backups.dumps), ("base backup", backups.bases))
        for name, copies in series:
            if copies is None or catalogue is None:
                continue
            noted = (await asyncio.to_thread(read_catalogue, catalogue, copies.prefix)).entries.values()
            before = [one for one in noted if one.finished and one.finished <= failure]
            last = max(before, key=lambda one: one.finished or failure, default=None)
            why = (
                f"newest heartbeat noted for {last.name}" if last else "the catalogue has none from before the failure"
            )
            self._samples[name] = [Sample(failure, last.heartbeat if last else None, why)]
        self._save()

    def facts(self) -> tuple[CopyFact, ...]:
        """The worst of each copy, as run.json keeps it."""
        return tuple(copy_fact(name, taken) for name, taken in self._samples.items() if taken)

    async def _standby(self) -> tuple[datetime | None, str]:
        dr, beats = self._at.dr, self._at.backups.heartbeat
        try:
            if (newest := await ledger_table.newest(dr, seconds=_STANDBY_SECONDS)) is not None:
                return newest, f"newest write of the outside writer on {dr.name}"
            if not await dr.value("SELECT to_regclass(%(name)s) IS NOT NULL", name=beats.table):
                return None, f"neither a write of the outside writer nor {beats.table} is on {dr.name}"
            sql = f"SELECT max({beats.at}) FROM {beats.table}"  # noqa: S608 - names that the profile's pattern allows
            beat = await dr.value(sql, seconds=_STANDBY_SECONDS)
        except NotObserved as exc:
            return None, f"{dr.name} does not answer: {exc.what}"
        where = f"{beats.table} on {dr.name}, which has no write of the outside writer"
        return (datetime.fromisoformat(beat), f"newest heartbeat of {where}") if beat else (None, f"no row of {where}")

    async def _archive(self, prefix: str) -> str:
        """Note what has come; why that is not known, or ""."""

        def call() -> list[str]:
            names = {one.name.removeprefix(prefix) for one in self._at.objects.names(prefix)}
            return sorted(names - set(self._came))

        try:
            came = await self._at.asking.ask(f"what has come into {prefix}*", f"obstore list {prefix}", call)
        except NotObserved as exc:
            return f"the archive was not seen: {exc.what}"
        self._came |= dict.fromkeys(came, self._now())
        return ""

    async def _archive_samples(self, ledger: Ledger, verification: ArchiveVerification) -> list[Sample]:
        if not self._looks:
            return [Sample(self._anchor.now(), None, "the archive was not looked at before the failure")]
        try:
            recoverable = await verification.recoverable()
        except NotObserved as exc:
            return [Sample(self._anchor.now(), None, exc.what)]
        timeline = recoverable.look.timeline
        samples = []
        for at, unseen in self._looks:
            there = {name for name, came in self._came.items() if came <= at}
            reach = Reach(None, unseen) if unseen else recoverable.reach(there)
            newest = newest_below(ledger, reach.end, timeline) if reach.end is not None else None
            found = "the newest" if newest else "no"
            words = f"{reach.why}; {found} write of the outside writer up to there"
            samples.append(Sample(datetime.fromisoformat(at), newest, words if reach.end is not None else reach.why))
        return samples

    def _now(self) -> str:
        return self._anchor.now().isoformat(timespec="microseconds")

    def _save(self) -> None:
        kept: dict[str, Any] = {"archive_timeout": self._timeout, "came": self._came, "looks": self._looks}
        kept["samples"] = {name: [_kept(one) for one in taken] for name, taken in self._samples.items()}
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        beside.write_text(json.dumps(kept), encoding="utf-8")
        beside.replace(self._path)


def _kept(sample: Sample) -> list[str | None]:
    return [sample.at.isoformat(), sample.newest.isoformat() if sample.newest else None, sample.why]


def _sample(at: str, newest: str | None, why: str) -> Sample:
    return Sample(datetime.fromisoformat(at), datetime.fromisoformat(newest) if newest else None, why)
