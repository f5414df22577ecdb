"""Whether a standby could take over now; asked before a disaster, and nothing is changed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from opsproof.errors import NoData, NotObserved, PreconditionMissing
from opsproof.profile.backups import Heartbeat
from opsproof.rehearsal.failover import asked, link, parity
from opsproof.rehearsal.node import Node

_REPLAY = """
    SELECT pg_is_in_recovery() AS recovering,
           CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END AS pause
"""
_BEHIND = "SELECT pg_wal_lsn_diff(%(lsn)s::pg_lsn, pg_last_wal_replay_lsn())::bigint"
_EXTENSIONS = "SELECT extname AS name, extversion AS version FROM pg_extension ORDER BY 1"
_AVAILABLE = "SELECT name, version FROM pg_available_extension_versions"
_LIBRARIES = "SELECT DISTINCT probin AS library FROM pg_proc WHERE probin IS NOT NULL AND oid >= 16384 ORDER BY 1"
_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
_FILES = """
    SELECT 'postgresql.conf' AS kind, f.sourcefile AS file, f.sourceline AS line, f.error
    FROM pg_file_settings f LEFT JOIN pg_settings s ON s.name = lower(f.name) AND s.source = 'command line'
    WHERE f.error IS NOT NULL AND s.name IS NULL
    UNION ALL
    SELECT 'pg_hba.conf', current_setting('hba_file'), line_number, error FROM pg_hba_file_rules
    WHERE error IS NOT NULL
"""
_COLLATIONS = """
    SELECT 'database ' || datname AS name, datcollversion AS made, pg_database_collation_actual_version(oid) AS here
    FROM pg_database WHERE datallowconn
    UNION ALL
    SELECT 'collation ' || collname, collversion, pg_collation_actual_version(oid) FROM pg_collation
    WHERE collversion IS NOT NULL
"""
_INFORMATION = ("hot_standby_feedback", "max_standby_streaming_delay", "recovery_min_apply_delay", "restore_command")


@dataclass(frozen=True)
class StandbyLimits:
    """
    What a standby must hold.

    Attributes:
        exposure: Seconds that the newest heartbeat on the standby may be behind the primary's clock: the RPO.
        silence: Seconds between two messages; an idle link has one every 30 s (wal_receiver_timeout / 2).
        catch_up: Seconds within which the standby must have replayed what the primary has written by now.
        delay: Seconds of recovery_min_apply_delay that are wanted.
    """

    exposure: float
    silence: float = 60.0
    catch_up: float = 10.0
    delay: float = 0.0


@dataclass(frozen=True)
class Exposure:
    """
    How much would be lost with nothing but this copy.

    Attributes:
        newest: Time of the newest heartbeat on the standby.
        seconds: From there to the primary's now; at least 0.
    """

    newest: datetime
    seconds: float


class StandbyVerification:
    """
    A standby, seen from both sides; reads only.

    Args:
        primary: The server that writes; None if it cannot be reached, and then most is not proven.
        standby: The server that would be promoted.
        heartbeat: Table that something writes to all the time.
        limits: What must be held.
        upstream: The server that the standby streams from; None for the primary. A leaf of a cascade has another one.
    """

    def __init__(
        self,
        primary: Node | None,
        standby: Node,
        heartbeat: Heartbeat,
        limits: StandbyLimits,
        upstream: Node | None = None,
    ) -> None:
        self._primary = primary
        self._standby = standby
        self._heartbeat = heartbeat
        self._limits = limits
        self._upstream = upstream

    async def the_standby_replays(self) -> list[str]:
        """It is in recovery, and replay is not paused."""
        state = (await self._standby.rows(_REPLAY))[0]
        if not state["recovering"]:
            return [f"{self._standby.name} is not in recovery: it is no standby, and may take writes"]
        return [f"replay on {self._standby.name} is {state['pause']}"] if state["pause"] != "not paused" else []

    async def the_standby_streams(self) -> list[str]:
        """Its WAL receiver is there, streams, and heard from its sender lately."""
        receiver = await asked.wal_receiver(self._standby)
        return link.receiver_faults(self._standby.name, receiver, self._limits.silence)

    async def the_primary_sees_the_standby(self) -> list[str]:
        """The server that it streams from sends to it, and had a reply lately."""
        source = self._source()
        receiver = await asked.wal_receiver(self._standby)
        senders = await asked.wal_senders(source)
        return link.sender_faults(self._standby.name, receiver, senders, self._limits.silence, source.name)

    async def the_standby_replays_what_the_primary_wrote(self) -> list[str]:
        """What the primary has written when we ask is replayed within the limit; nothing else sees a frozen link."""
        lsn = await self._asked_primary().value("SELECT pg_current_wal_lsn()::text")

        async def behind() -> int | None:
            answer = await self._standby.value(_BEHIND, lsn=lsn)
            return None if answer is None else int(answer)

        left = await asked.until(behind, lambda n: n is not None and n <= 0, self._limits.catch_up)
        if left is None:
            return [f"{self._standby.name} has replayed nothing: pg_last_wal_replay_lsn() is NULL"]
        if left > 0:
            return [f"{self._standby.name} is {left} bytes short of {lsn} after {self._limits.catch_up:g} s"]
        return []

    async def the_newest_writes_are_on_the_standby(self) -> list[str]:
        """The newest heartbeat on the standby is no older than the RPO, by the primary's clock."""
        exposure = await self.exposure()
        if exposure.seconds <= self._limits.exposure:
            return []
        return [
            f"the newest heartbeat on {self._standby.name} is {exposure.seconds:.1f} s old ({exposure.newest}); "
            f"at most {self._limits.exposure:g} s"
        ]

    async def exposure(self) -> Exposure:
        """
        How old the newest heartbeat on the standby is.

        Raises:
            NoData: There is no heartbeat.
        """
        now = datetime.fromisoformat(await self._asked_primary().value("SELECT clock_timestamp()"))
        sql = f"SELECT max({self._heartbeat.at}) FROM {self._heartbeat.table}"  # noqa: S608 names are of a strict form
        newest = await self._standby.value(sql)
        if newest is None:
            where = f"{self._standby.name}: {self._heartbeat.table}"
            raise NoData("there is no heartbeat on the standby", where=where, next_step="See what should write it.")
        at = datetime.fromisoformat(newest)
        return Exposure(at, max(0.0, (now - at).total_seconds()))

    async def the_standby_is_a_copy_of_the_primary(self) -> list[str]:
        """System identifier and timeline are the same, and it holds nothing that the primary never wrote."""
        primary, standby = self._asked_primary(), self._standby
        ids = await asked.system_identifier(primary), await asked.system_identifier(standby)
        if ids[0] != ids[1]:
            return [f"{standby.name} is of another cluster: system identifier {ids[1]}, {primary.name} has {ids[0]}"]
        found = []
        replayed = await standby.value("SELECT pg_last_wal_replay_lsn()::text")
        ahead = await primary.value(
            "SELECT pg_wal_lsn_diff(%(lsn)s::pg_lsn, pg_current_wal_lsn())::bigint", lsn=replayed
        )
        if ahead is not None and ahead > 0:
            found.append(f"{standby.name} is {ahead} bytes ahead of {primary.name}: it followed another timeline")
        lines = await asked.timeline(primary), await asked.timeline(standby)
        if lines[0] != lines[1]:
            found.append(f"{standby.name} follows timeline {lines[1]}, {primary.name} writes {lines[0]}")
        return found

    async def the_slots_hold_what_the_standby_needs(self) -> list[str]:
        """The slots of its upstream are there, active and whole; logical ones would outlive a promotion."""
        source, standby = self._source(), self._standby
        receiver = await asked.wal_receiver(standby)
        if receiver is None:
            where = f"{standby.name}: pg_stat_wal_receiver"
            next_step = "Let the standby stream first."
            raise NoData("which slot it uses is not known: it does not stream", where=where, next_step=next_step)
        held, own = await asked.slots(source), await asked.settings(standby)
        kept = (await asked.settings(source))["wal_keep_size"] != "0" or bool(own["restore_command"])
        found = link.slot_faults(source.name, standby.name, held, receiver["slot_name"] or None, kept)
        if self._upstream is None:
            found += link.logical_slot_faults(held, await asked.slots(standby), standby.name)
        return found

    async def the_limits_of_the_standby_suffice(self) -> list[str]:
        """Connections, workers, senders, slots, prepared transactions and locks are at least those of the primary."""
        return await self._compared(parity.limit_faults)

    async def the_settings_of_both_agree(self) -> list[str]:
        """What decides how statements behave and what is kept is the same on both."""
        return await self._compared(parity.setting_faults)

    async def the_standby_applies_at_once(self) -> list[str]:
        """recovery_min_apply_delay is what was agreed; a delay is applied all at once by a promotion."""
        told = await self._standby.value("SELECT setting FROM pg_settings WHERE name = 'recovery_min_apply_delay'")
        delay = int(told) / 1000
        if delay == self._limits.delay:
            return []
        return [f"recovery_min_apply_delay of {self._standby.name} is {delay:g} s; agreed is {self._limits.delay:g} s"]

    async def both_could_be_rewound(self) -> list[str]:
        """pg_rewind would accept either: checksums or wal_log_hints, and full_page_writes."""
        found = []
        for node in (self._asked_primary(), self._standby):
            found += parity.rewind_faults(node.name, await asked.settings(node))
        return found

    async def no_commit_waits_for_a_standby_that_is_not_there(self) -> list[str]:
        """Whoever synchronous_standby_names names is connected: now, and after a promotion of the standby."""
        found = []
        for node in (self._asked_primary(), self._standby):
            names = await node.value("SELECT setting FROM pg_settings WHERE name = 'synchronous_standby_names'")
            found += link.synchronous_faults(node.name, names, await asked.wal_senders(node))
        return found

    async def the_standby_would_archive(self) -> list[str]:
        """Its archive is switched on, and its command does something; that it works is seen after the promotion."""
        return parity.archive_faults(self._standby.name, await asked.settings(self._standby))

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
        """No line of its files is wrong: a running server does not mind, and does not start again."""
        return [
            f"{row['kind']} of {self._standby.name}, {row['file']}:{row['line']}: {row['error']}"
            for row in await self._standby.rows(_FILES)
        ]

    async def the_collations_sort_as_on_the_primary(self) -> list[str]:
        """The libraries that sort texts are of the version that the indexes were built with."""
        return [
            f"{row['name']} was built with version {row['made']}, {self._standby.name} sorts by {row['here']}"
            for row in await self._standby.rows(_COLLATIONS)
            if row["made"] is not None and row["made"] != row["here"]
        ]

    async def information(self) -> dict[str, str]:
        """Settings of the standby that are neither right nor wrong, for the report."""
        own = await asked.settings(self._standby)
        return {name: own[name] for name in _INFORMATION}

    async def _compared(self, judge: Callable[[str, dict[str, str], dict[str, str]], list[str]]) -> list[str]:
        primary = await asked.settings(self._asked_primary())
        return judge(self._standby.name, await asked.settings(self._standby), primary)

    def _source(self) -> Node:
        return self._upstream or self._asked_primary()

    def _asked_primary(self) -> Node:
        if self._primary is None:
            where = f"the primary of {self._standby.name}"
            next_step = "Name the home site's database in `rehearsals.home`, and see that it can be reached."
            raise PreconditionMissing("the primary cannot be asked", where=where, next_step=next_step)
        return self._primary
