"""The database is damaged: base backup and archive give a new one, up to what was archived last."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from typing_extensions import override

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.procedure.restoring import Restoring
from opsproof.rehearsal.restored.dumps import restore_dump
from opsproof.rehearsal.restored.verification import Expectations


class DamagedDatabase(Restoring):
    """Restore to the end of the archive; and the dump too, into another scratch database."""

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

        def call() -> str:
            restored = restore_dump(grounds, found[-1], "from-dump", form=dumps.form, database=name, roles=roles)
            return restored.failed

        failed = await self.rehearsal.asking.ask(f"restore {found[-1].name}", "pg_restore --exit-on-error", call)
        return [failed] if failed else []
