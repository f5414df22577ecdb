"""Whether a standby could take over now; asked before a disaster, and nothing is changed."""

from dataclasses import dataclass
from datetime import datetime

from opsproof.errors import NoData
from opsproof.profile.backups import Heartbeat
from opsproof.rehearsal.failover import asked, link
from opsproof.rehearsal.failover.equipment import StandbyEquipment
from opsproof.rehearsal.failover.pages import MOST_BYTES, page_faults, row_faults
from opsproof.rehearsal.node import Node

_REPLAY = """
    SELECT pg_is_in_recovery() AS recovering,
           CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END AS pause
"""
_BEHIND = "SELECT pg_wal_lsn_diff(%(lsn)s::pg_lsn, pg_last_wal_replay_lsn())::bigint"
_CLOCK_SECONDS = 5.0
_TARGETS = """
    SELECT name, setting FROM pg_settings
    WHERE name LIKE 'recovery\\_target%' AND name NOT IN ('recovery_target_action', 'recovery_target_inclusive')
"""
_UNLOGGED = """
    SELECT format('%I.%I', n.nspname, c.relname) AS name, pg_relation_size(c.oid) AS bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relpersistence = 'u' AND c.relkind = 'r' ORDER BY 1
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
        full_read: Bytes of a database up to which every page of it is read.
        unlogged: Unlogged tables (`schema.table`) that may be empty after a promotion.
    """

    exposure: float
    silence: float = 60.0
    catch_up: float = 10.0
    delay: float = 0.0
    full_read: int = MOST_BYTES
    unlogged: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Exposure:
    """
    How much would be lost with nothing but this copy.

    Attributes:
        newest: Time of the newest heartbeat on the standby.
        seconds: From there to the primary's now; at least 0.
        ahead: Seconds that it is after the primary's now, when its writer's clock is wrong; else 0.
    """

    newest: datetime
    seconds: float
    ahead: float


class StandbyVerification(StandbyEquipment):
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
        super().__init__(primary, standby)
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
        if exposure.ahead > _CLOCK_SECONDS:
            return [
                f"the newest heartbeat on {self._standby.name} is {exposure.ahead:.1f} s in the future "
                f"({exposure.newest}): it hides how old the rest is"
            ]
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
        age = (now - at).total_seconds()
        return Exposure(at, max(0.0, age), max(0.0, -age))

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
        found += await self._only_on_the_standby(primary)
        try:
            lines = await asked.timeline(primary), await asked.timeline(standby)
        except NoData as exc:
            if found:
                return [*found, exc.what]
            raise
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

    async def every_page_of_the_standby_can_be_read(self) -> list[str]:
        """Every page of every table is read there: one that is rotten shows on the day that somebody needs it."""
        return await page_faults(self._standby, self._limits.full_read)

    async def tables_at_rest_have_the_same_rows_on_both(self) -> list[str]:
        """Rows of tables that nobody writes to meanwhile are the primary's, byte for byte."""
        limits = self._limits
        return await row_faults(self._asked_primary(), self._standby, limits.full_read, limits.catch_up)

    async def the_standby_applies_at_once(self) -> list[str]:
        """recovery_min_apply_delay is what was agreed; a delay is applied all at once by a promotion."""
        told = await self._standby.value("SELECT setting FROM pg_settings WHERE name = 'recovery_min_apply_delay'")
        delay = int(told) / 1000
        if delay == self._limits.delay:
            return []
        return [f"recovery_min_apply_delay of {self._standby.name} is {delay:g} s; agreed is {self._limits.delay:g} s"]

    async def nothing_ends_its_recovery_by_itself(self) -> list[str]:
        """No recovery target is left in its settings, and it follows its upstream to a new timeline."""
        targets = {row["name"]: row["setting"] for row in await self._standby.rows(_TARGETS)}
        line = targets.pop("recovery_target_timeline")
        found = [f"{name} of {self._standby.name} is '{value}'" for name, value in sorted(targets.items()) if value]
        if line != "latest":
            found.append(f"recovery_target_timeline of {self._standby.name} is '{line}': it follows no promotion")
        return found

    async def no_table_is_left_behind(self) -> list[str]:
        """Unlogged tables are empty after a promotion: those that hold something must be known as a loss."""
        return [
            f"unlogged table {row['name']} ({row['bytes']} bytes) is empty after a promotion of {self._standby.name}"
            for row in await self._asked_primary().rows(_UNLOGGED)
            if row["bytes"] and row["name"] not in self._limits.unlogged
        ]

    async def no_commit_waits_for_a_standby_that_is_not_there(self) -> list[str]:
        """Whoever synchronous_standby_names names is connected: now, and after a promotion of the standby."""
        found = []
        for node in (self._asked_primary(), self._standby):
            names = await node.value("SELECT setting FROM pg_settings WHERE name = 'synchronous_standby_names'")
            found += link.synchronous_faults(node.name, names, await asked.wal_senders(node))
        return found

    async def information(self) -> dict[str, str]:
        """Settings of the standby that are neither right nor wrong, for the report."""
        own = await asked.settings(self._standby)
        return {name: own[name] for name in _INFORMATION}

    async def _only_on_the_standby(self, primary: Node) -> list[str]:
        at, table = self._heartbeat.at, self._heartbeat.table
        newest = f"SELECT {at} AS at FROM {table} ORDER BY {at} DESC LIMIT 50"  # noqa: S608 names are of a strict form
        there = {row["at"] for row in await self._standby.rows(newest)}
        same = f"SELECT {at} AS at FROM {table} WHERE {at} = ANY(%(times)s::timestamptz[])"  # noqa: S608
        missing = sorted(there - {row["at"] for row in await primary.rows(same, times=sorted(there))})
        if not missing:
            return []
        return [
            f"{len(missing)} of the newest {len(there)} heartbeats on {self._standby.name} are not on {primary.name}, "
            f"from {missing[0]} on: it followed another timeline"
        ]

    def _source(self) -> Node:
        return self._upstream or self._asked_primary()
