"""The database is damaged: base backup and archive give a new one, up to what was archived last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from typing_extensions import override

from opsproof.errors import NoData, PreconditionMissing
from opsproof.rehearsal.procedure.restoring import Restoring
from opsproof.rehearsal.restored.content import content_hashes, row_counts
from opsproof.rehearsal.restored.dumps import restore_dump
from opsproof.rehearsal.restored.parity import contents, rows
from opsproof.rehearsal.restored.restored import Restored
from opsproof.rehearsal.restored.verification import Expectations
from opsproof.rehearsal.stored.catalogue import read_catalogue

_PARTITIONED = """
    SELECT format('%I.%I', nspname, relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'p'
"""


class DamagedDatabase(Restoring):
    """Restore to the end of the archive; and the dump too, into another scratch database."""

    restores, verifies = "the_database_is_restored", "the_restored_database_is_whole"

    @override
    def own_actions(self) -> Mapping[str, Callable[[], object]]:
        site = self.at.embedded
        if site is None:
            return {}
        return {
            **super().own_actions(),
            "break": lambda: ", ".join(site.damage_home()),
            "fence": lambda: site.deactivate("home"),
            "attach-standby": lambda: site.attach_standby(self.own_primary(), "second").name,
        }

    async def the_database_is_damaged(self) -> list[str]:
        """Files are destroyed, on a database that is in use."""
        return await self.break_it("destroy files of the rehearsal's database, so that it cannot be repaired in place")

    async def the_database_is_restored(self) -> list[str]:
        """To the end of the archive."""
        newest = (await self.bases_ended())[-1]
        restored = await self.restore("restored", newest.name, None)
        self.take(restored)
        return [restored.failed] if restored.failed else []

    async def the_restored_database_is_whole(self) -> list[str]:
        """Everything of it, while it can still reach nothing; then the service may come."""
        wrong = await self.verified(self._needed, Expectations())
        return wrong or await self.open_to_the_service("restore")

    async def the_dump_can_be_restored_too(self) -> list[str]:
        """The newest dump, as the monthly rehearsal does it."""
        dumps = self.at.backups.dumps
        if dumps is None:
            raise PreconditionMissing("the profile has no backups.dumps", where="backups", next_step="Write it.")
        folder = self._local(dumps.prefix)
        found = sorted(path for path in folder.iterdir() if path.name != dumps.latest)
        if not found:
            return [f"there is no dump below {dumps.prefix}"]
        grounds, name = self.at.grounds, self.at.database_name
        roles = self._local(dumps.roles) if dumps.roles else None

        newest, made = found[-1], list[Restored]()

        def call() -> str:
            made.append(restore_dump(grounds, newest, "from-dump", form=dumps.form, database=name, roles=roles))
            return made[0].failed

        failed = await self.rehearsal.asking.ask(f"restore {newest.name}", "pg_restore --exit-on-error", call)
        return [failed] if failed else await self._unlike_what_was_noted(made[0], f"{dumps.prefix}{newest.name}")

    async def _unlike_what_was_noted(self, restored: Restored, dump: str) -> list[str]:
        """Rows of every table against the catalogue; where nobody else writes, their content too."""
        node = restored.node(self.rehearsal.asking, database=self.at.database_name)
        catalogue = self.at.catalogue
        noted = (await asyncio.to_thread(read_catalogue, catalogue, dump)).entries.get(dump) if catalogue else None
        if noted is None or not noted.tables:
            next_step = "Note the rows of each table when a dump is made: docs/disaster-recovery.md."
            raise NoData("nobody noted how many rows its tables have", where=dump, next_step=next_step)
        above = {row["name"] for row in await node.rows(_PARTITIONED)}  # their rows are those of their partitions
        wrong = rows({name: n for name, n in noted.tables.items() if name not in above}, await row_counts(node))
        if self.at.embedded and self.reference:
            still = {name: one for name, one in self.reference.contents.items() if name not in self.changing}
            wrong += contents(still, await content_hashes(node, still))
        return wrong
