"""What the scenarios share that restore a base backup: a scratch copy first, and then the service on it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from typing_extensions import override

from opsproof.errors import NoData, NotObserved, PreconditionMissing
from opsproof.rehearsal.archive.targets import Point
from opsproof.rehearsal.clock import ledger_table
from opsproof.rehearsal.clock.objectives import Scale
from opsproof.rehearsal.failover import asked
from opsproof.rehearsal.failover.detectors import everything
from opsproof.rehearsal.failover.promotion import TOKENS, first_write
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.procedure.common_steps import CommonSteps
from opsproof.rehearsal.procedure.recovery import said
from opsproof.rehearsal.restored.bases import restore_base
from opsproof.rehearsal.restored.isolation import listing
from opsproof.rehearsal.restored.markers import MARKERS, plant
from opsproof.rehearsal.restored.reference import Reference, reference_of
from opsproof.rehearsal.restored.restored import RecoveryTarget, Restored
from opsproof.rehearsal.restored.service import Service
from opsproof.rehearsal.restored.verification import Expectations, RestoredVerification
from opsproof.rehearsal.site.data import DataChecks
from opsproof.rehearsal.stored.catalogue import read_catalogue
from opsproof.stack.clusters import Cluster


class Restoring(CommonSteps):
    """Recovery of the database from base backup and archive."""

    restored: Restored | None = None
    reference: Reference | None = None
    _archive_before: Mapping[str, str] = {}

    restores, verifies = "", ""
    """Names of the step that makes the scratch copy, and of the last one that needs it in a real environment."""

    @override
    def own_primary(self) -> Cluster:
        return self._needed.cluster

    @override
    def remember(self, state: Mapping[str, Any]) -> None:
        super().remember(state)
        kept = self.kept_aside("reference")
        self.reference = Reference(**kept) if kept else None

    @override
    def again(self, noted: Mapping[str, str]) -> set[str]:
        """The scratch copy has ended with the rehearsal that made it: it is made anew, unless nobody needs it."""
        needed = noted.get(self.verifies) != "passed"
        return super().again(noted) | ({self.restores} if needed else set())

    @override
    async def the_copies_can_take_over(self) -> list[str]:
        home = self.at.home
        await self.writer.prepare()
        await plant(home, f"begin-{self.token}")
        await first_write(home, f"begin-{secrets.token_hex(4)}")
        self.reference = await reference_of(home)
        self.keep_aside("reference", asdict(self.reference))
        return await super().the_copies_can_take_over()

    @override
    async def the_disaster_is_declared(self) -> list[str]:
        """The service is closed from here on: the writer ends."""
        await asyncio.to_thread(self.close)
        return await super().the_disaster_is_declared()

    async def restore(self, name: str, base: str, target: RecoveryTarget | None) -> Restored:
        """Restore a base backup and the archive into a scratch server, which touches neither."""
        folders = {part: self._local(prefix) for part, prefix in (("base", f"{base}/"), ("wal", self._wal_prefix))}
        before = await self._listing(folders["wal"])
        begun = asyncio.get_running_loop().time()
        restored = await asyncio.to_thread(restore_base, self.at.grounds, folders["base"], folders["wal"], name, target)
        seconds = asyncio.get_running_loop().time() - begun
        words = restored.failed or f"{restored.bytes} bytes and {restored.wal_bytes} bytes of WAL in {seconds:.2f} s"
        await self.rehearsal.asking.ask(f"restore {base} to {target or 'the end of the archive'}", "", lambda: words)
        self._archive_before = before
        return restored

    def take(self, restored: Restored) -> None:
        """This one is to serve."""
        self.restored = restored
        copy, replay = restored.seconds.get("copy", 0.0), restored.seconds.get("replay", 0.0)
        full, wal = self.at.rehearsals.full_size, self.at.rehearsals.full_wal
        if full is not None or self.at.embedded is None:
            self.account.scale = Scale(restored.bytes, copy, full, restored.wal_bytes or 0, replay, wal)

    async def verified(self, restored: Restored, expected: Expectations) -> list[str]:
        """Everything of a restored copy."""
        if self.reference is None:
            next_step = "See why home could not be read before the failure."
            raise PreconditionMissing("what home held was not noted", where="home", next_step=next_step)
        after = await self._listing(self._local(self._wal_prefix))
        expected = replace(
            expected,
            archive=(self._archive_before, after),
            still_archives=await self._somebody_writes(),
            service=self._service(restored),
            changing=self.changing,
        )
        asking = self.rehearsal.asking
        verification = RestoredVerification(restored, self.reference, expected, asking, database=self.at.database_name)
        given = {
            "business_totals_agree": expected.totals,
            "other_stores_agree": expected.stores,
            "the_markers_are_right": expected.before,
            "the_service_can_work": expected.service,
        }
        copy = restored.node(asking, database=self.at.database_name)
        unlike = await self.unlike_totals(copy) if self._totals_are_known else []
        found = await everything(verification, "restored")
        return said({name: one for name, one in found.items() if given.get(name.partition(".")[2], True)}, unlike)

    async def _somebody_writes(self) -> bool:
        """Whether a site takes writes now: home, if only the data is wrong; dr, if an interruption came after it."""
        for node in (self.at.home, self.at.dr):
            try:
                if not await asked.recovers(node):
                    return True
            except NotObserved:  # lost
                continue
        return False

    async def unlike_totals(self, node: Node) -> list[str]:
        """
        Business totals that are not what they were before the failure.

        Args:
            node: A database of the service.
        """
        recovered, zero = self.at.rehearsals.recovered, self.watch.moments.t0
        if recovered is None or recovered.data is None or zero is None:
            next_step = "Write rehearsals.recovered.data.totals in the profile."
            raise PreconditionMissing("no business total is known", where=node.name, next_step=next_step)
        return await DataChecks(recovered.data, node, zero).totals(self.noted.reference)

    async def open_to_the_service(self, action: str) -> list[str]:
        """
        Let the service have what was verified: the copy itself, as a primary that listens by TCP and archives; or in a
        real environment the DR site's database, restored in the same way by whoever does it there.
        """
        site, cluster = self.at.embedded, self._needed.cluster
        if site is None:
            words = f"{action} the DR site's database to {self._needed.target or 'the end of the archive'}"
            if await self._dr_is_not_as_verified():  # one that was interrupted may have come so far
                await self.actor.act(action, words, seconds=self.seconds("database"))
            return await self.wait(self._dr_is_not_as_verified, "database")

        def call() -> str:
            cluster.stop()
            cluster.listen()
            cluster.configure(**site.databases.settings)
            cluster.start()
            return str(cluster.port)

        await self.rehearsal.asking.ask("restart the copy as the primary", "pg_ctl restart", call)
        url = site.databases.superuser_url(cluster)
        self.serving = Node("recovered", url, self.rehearsal.asking)
        return []

    async def the_old_site_is_fenced(self) -> list[str]:
        """Nobody goes on writing to what is given up: neither its service nor its database takes a write."""
        return await self.fence("service")

    async def _dr_is_not_as_verified(self) -> list[str]:
        if await asked.recovers(self.at.dr):
            return ["dr is still in recovery"]
        copy = self._needed.node(self.rehearsal.asking, database=self.at.database_name)
        newest = [await ledger_table.newest(node) for node in (copy, self.at.dr)]
        if newest[0] != newest[1]:
            told = f"the newest row of {ledger_table.TABLE} on dr is of {newest[1]}"
            return [f"{told}, on the copy that was verified of {newest[0]}"]
        return []

    @property
    def changing(self) -> tuple[str, ...]:
        """Tables that are written to all the time, by a rehearsal or by whoever writes heartbeats."""
        beats = self.at.backups.heartbeat.table
        own = [f"public.{name}" for name in (ledger_table.TABLE, TOKENS)]
        return *own, MARKERS, beats if "." in beats else f"public.{beats}"

    async def bases_ended(self) -> list[Point]:
        """When each base backup came to its end, by the catalogue."""
        bases, catalogue = self.at.backups.bases, self.at.catalogue
        if bases is None or catalogue is None:
            next_step = "Write backups.bases and backups.catalogue in the profile."
            raise PreconditionMissing("nobody notes when a base backup ended", where="backups", next_step=next_step)
        noted = await asyncio.to_thread(read_catalogue, catalogue, bases.prefix)
        points = [Point(one.name, one.finished, one.stop_lsn) for one in noted.entries.values() if one.finished]
        if not points:
            raise NoData("the catalogue knows of no base backup", where=bases.prefix, next_step="Take one.")
        return sorted(points, key=lambda one: one.at)

    async def _listing(self, folder: Path) -> Mapping[str, str]:
        return await asyncio.to_thread(listing, folder)

    @property
    def _totals_are_known(self) -> bool:
        recovered = self.at.rehearsals.recovered
        return bool(recovered and recovered.data and recovered.data.totals)

    @property
    def _needed(self) -> Restored:
        if self.restored is None:
            next_step = "See why nothing was restored."
            raise PreconditionMissing("there is no restored copy", where="the scratch server", next_step=next_step)
        return self.restored

    @property
    def _wal_prefix(self) -> str:
        if self.at.backups.wal is None:
            raise PreconditionMissing("the profile has no backups.wal", where="backups", next_step="Write it.")
        return self.at.backups.wal.prefix

    def _local(self, prefix: str) -> Path:
        """A folder of this machine with what is in the store below a prefix; fetched if it is elsewhere."""
        path = self.at.objects.path(prefix)
        if path is not None:
            return path
        folder = self.at.grounds.folder("fetched-" + prefix.strip("/").replace("/", "-"))
        self.at.objects.fetch(prefix, folder)
        return folder

    def _service(self, restored: Restored) -> Service | None:
        """The service as it logs in at the DR site; None where it does so without a password, which no copy can try."""
        from psycopg.conninfo import conninfo_to_dict

        told = conninfo_to_dict(self.at.service_conninfo("dr"))
        if not told.get("password"):
            return None
        conninfo = restored.cluster.conninfo(self.at.database_name, str(told["user"]))
        return Service(conninfo, str(told["password"]), self.at.rehearsals.statements)
