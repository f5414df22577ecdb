"""What a standby needs to do the primary's work: settings, access, libraries, folders; compared with the primary's."""

from collections.abc import Callable

from opsproof.errors import NotObserved, PreconditionMissing
from opsproof.rehearsal.failover import asked, parity
from opsproof.rehearsal.failover.next_start import next_start_faults
from opsproof.rehearsal.node import Node

_EXTENSIONS = "SELECT extname AS name, extversion AS version FROM pg_extension ORDER BY 1"
_AVAILABLE = "SELECT name, version FROM pg_available_extension_versions"
_LIBRARIES = "SELECT DISTINCT probin AS library FROM pg_proc WHERE probin IS NOT NULL AND oid >= 16384 ORDER BY 1"
_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
_COLLATIONS = """
    SELECT 'database ' || datname AS name, datcollversion AS made, pg_database_collation_actual_version(oid) AS here
    FROM pg_database WHERE datallowconn
    UNION ALL
    SELECT 'collation ' || collname, collversion, pg_collation_actual_version(oid) FROM pg_collation
    WHERE collversion IS NOT NULL
"""
_ACCESS = """
    SELECT type, array_to_string(database, ',') AS databases, array_to_string(user_name, ',') AS roles, auth_method,
           address, netmask
    FROM pg_hba_file_rules WHERE error IS NULL ORDER BY line_number
"""
_BROKEN_PAGES = """
    SELECT coalesce(datname, 'shared objects') AS name, checksum_failures AS pages, checksum_last_failure::text AS at
    FROM pg_stat_database WHERE checksum_failures > 0
"""


class StandbyEquipment:
    """
    What the standby has, beside the primary.

    Args:
        primary: The server that writes; None if it cannot be reached, and then most is not proven.
        standby: The server that would be promoted.
    """

    def __init__(self, primary: Node | None, standby: Node) -> None:
        self._primary = primary
        self._standby = standby

    async def the_limits_of_the_standby_suffice(self) -> list[str]:
        """Connections, workers, senders, slots, prepared transactions and locks are at least those of the primary."""
        return await self._compared(parity.limit_faults)

    async def the_settings_of_both_agree(self) -> list[str]:
        """All settings are the same on both, but for those of the machine, and of the part that a server plays."""
        return await self._compared(parity.setting_faults)

    async def the_standby_would_archive(self) -> list[str]:
        """Its archive is switched on, and its command does something; that it works is seen after the promotion."""
        return parity.archive_faults(self._standby.name, await asked.settings(self._standby))

    async def both_could_be_rewound(self) -> list[str]:
        """pg_rewind would accept either: checksums or wal_log_hints, and full_page_writes."""
        found = []
        for node in (self._asked_primary(), self._standby):
            found += parity.rewind_faults(node.name, await asked.settings(node))
        return found

    async def the_extensions_are_installed_on_the_standby(self) -> list[str]:
        """Every extension of the primary's database has its version there, and every library can be loaded."""
        installed = await self._asked_primary().rows(_EXTENSIONS)
        found = parity.extension_faults(self._standby.name, installed, await self._standby.rows(_AVAILABLE))
        libraries = await self._standby.rows(_LIBRARIES)
        if libraries and not await self._standby.value(_SUPERUSER):
            next_step = "Ask as a superuser, or load them by hand."
            raise PreconditionMissing("only a superuser may LOAD", where=self._standby.name, next_step=next_step)
        for row in libraries:
            library = str(row["library"]).replace("'", "''")
            try:
                await self._standby.rows(f"LOAD '{library}'")
            except NotObserved as exc:
                await self._standby.value("SELECT 1")  # it answers: what failed is the library
                found.append(f"the library {row['library']} cannot be loaded on {self._standby.name}: {exc.what}")
        return found

    async def the_tablespaces_are_on_the_standby(self) -> list[str]:
        """Every tablespace leads to a folder there."""
        return await asked.tablespace_faults(self._standby)

    async def the_configuration_files_of_the_standby_can_be_read(self) -> list[str]:
        """No line of its files is wrong, or waits for a restart; a running server does not mind."""
        return await next_start_faults(self._standby)

    async def the_collations_sort_as_on_the_primary(self) -> list[str]:
        """The libraries that sort texts are of the version that the indexes were built with."""
        return [
            f"{row['name']} was built with version {row['made']}, {self._standby.name} sorts by {row['here']}"
            for row in await self._standby.rows(_COLLATIONS)
            if row["made"] is not None and row["made"] != row["here"]
        ]

    async def the_standby_lets_in_whom_the_primary_lets_in(self) -> list[str]:
        """Every rule of the primary's pg_hba.conf is there, addresses aside, and none rejects, or lets in, more."""
        primary = await self._asked_primary().rows(_ACCESS)
        return parity.access_faults(self._standby.name, await self._standby.rows(_ACCESS), primary)

    async def no_page_of_the_standby_is_known_to_be_broken(self) -> list[str]:
        """No page that was read there failed its checksum."""
        return [
            f"{row['pages']} pages of {row['name']} on {self._standby.name} failed their checksum, last {row['at']}"
            for row in await self._standby.rows(_BROKEN_PAGES)
        ]

    async def _compared(self, judge: Callable[[str, dict[str, str], dict[str, str]], list[str]]) -> list[str]:
        primary = await asked.settings(self._asked_primary())
        return judge(self._standby.name, await asked.settings(self._standby), primary)

    def _asked_primary(self) -> Node:
        if self._primary is None:
            where = f"the primary of {self._standby.name}"
            next_step = "Name the home site's database in `rehearsals.home`, and see that it can be reached."
            raise PreconditionMissing("the primary cannot be asked", where=where, next_step=next_step)
        return self._primary
