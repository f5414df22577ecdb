"""Whether a promoted server does all that the primary did."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opsproof.errors import NoData
from opsproof.rehearsal.failover import asked, link, parity
from opsproof.rehearsal.failover.next_start import next_start_faults
from opsproof.rehearsal.failover.pages import MOST_BYTES, page_faults
from opsproof.rehearsal.failover.promotion import Promotion, first_write, new_token
from opsproof.rehearsal.node import Node


@dataclass(frozen=True)
class Archive:
    """
    The archive that a server fills.

    Attributes:
        listing: Bytes of its files now, by name.
        sha256: Of a file of that name, read back.
    """

    listing: Callable[[], Awaitable[Mapping[str, int]]]
    sha256: Callable[[str], Awaitable[str]]


_READ_ONLY = """
    SELECT 'the server' AS who FROM pg_settings
    WHERE name IN ('default_transaction_read_only', 'transaction_read_only') AND reset_val = 'on'
    UNION
    SELECT concat_ws(' in ', 'role ' || r.rolname, 'database ' || d.datname)
    FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
    WHERE 'default_transaction_read_only=on' = ANY (s.setconfig)
"""
_LAUNCHER = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum launcher'"
_PREPARED = "SELECT gid, database, owner, prepared::text AS prepared FROM pg_prepared_xacts ORDER BY prepared"
_SEQUENCES = """
    SELECT format('%I.%I', sn.nspname, s.relname) AS sequence, format('%I.%I', tn.nspname, t.relname) AS relation,
           quote_ident(a.attname) AS field,
           coalesce(pg_sequence_last_value(s.oid), 0) AS last, q.seqincrement AS step
    FROM pg_class s JOIN pg_namespace sn ON sn.oid = s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid
    JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.deptype IN ('a', 'i')
    JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE s.relkind = 'S' AND q.seqincrement > 0 ORDER BY 1
"""
_SUBSCRIPTIONS = """
    SELECT s.subname AS name, s.subenabled AS enabled, count(w.pid) AS workers
    FROM pg_subscription s LEFT JOIN pg_stat_subscription w ON w.subid = s.oid
    WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY 1, 2 ORDER BY 1
"""
_OWN = "SELECT encode(sha256(pg_read_binary_file('pg_wal/' || %(name)s)), 'hex')"
_SIGNALS = """
    SELECT name FROM unnest(ARRAY['standby.signal', 'recovery.signal']) AS name
    WHERE (pg_stat_file(name, true)).size IS NOT NULL
"""

_LOGINS = """
    SELECT 'role ' || rolname AS name, concat_ws(', ',
           CASE WHEN rolcanlogin THEN 'may log in' ELSE 'may not log in' END,
           CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolreplication THEN 'may replicate' END,
           'connections ' || rolconnlimit, 'valid until ' || rolvaliduntil) AS said, rolvaliduntil < now() AS over
    FROM pg_roles WHERE rolname !~ '^pg_'
    UNION ALL
    SELECT 'database ' || datname,
           CASE WHEN datallowconn THEN 'lets in' ELSE 'lets nobody in' END || ', connections ' || datconnlimit, false
    FROM pg_database
    ORDER BY 1
"""
_UNUSABLE = """
    SELECT indexrelid::regclass::text AS name FROM pg_index
    WHERE NOT (indisvalid AND indisready AND indislive) ORDER BY 1
"""


@dataclass(frozen=True)
class Inventory:
    """
    What the primary was, noted while it was well.

    Attributes:
        system_identifier: Of the cluster.
        timeline: On which it wrote.
        slots: As `asked.slots` gives them.
        settings: As `asked.settings` gives them.
        logins: By role and by database who may log in, in words.
    """

    system_identifier: int
    timeline: int
    slots: list[dict[str, Any]]
    settings: dict[str, str]
    logins: dict[str, str] = field(default_factory=dict)


async def inventory(primary: Node) -> Inventory:
    """Note what a server has, to compare its successor with. Raises NotObserved where it cannot be asked."""
    return Inventory(
        await asked.system_identifier(primary),
        await asked.timeline(primary),
        await asked.slots(primary),
        await asked.settings(primary),
        {row["name"]: row["said"] for row in await primary.rows(_LOGINS)},
    )


class PromotedVerification:
    """
    A server after its promotion.

    Args:
        node: The new primary.
        before: What the old one was.
        archive: That the new one fills; None where there is none to be listed.
        promotion: What came of the promotion; None if it was not seen.
        expected: Names of slots that must be there; None for all that the old one had.
        write: Seconds within which a write must be acknowledged.
        archived: Seconds within which a segment that was switched must be in the archive.
        full_read: Bytes of a database up to which every page of it is read.
    """

    def __init__(
        self,
        node: Node,
        before: Inventory,
        archive: Archive | None,
        *,
        promotion: Promotion | None = None,
        expected: frozenset[str] | None = None,
        write: float = 5.0,
        archived: float = 30.0,
        full_read: int = MOST_BYTES,
    ) -> None:
        self._node = node
        self._before = before
        self._archive = archive
        self._promotion = promotion
        self._expected = expected
        self._write = write
        self._archived = archived
        self._full_read = full_read

    async def the_promotion_was_confirmed(self) -> list[str]:
        """pg_promote returned true; after false the request stays, and the server may promote itself at any time."""
        if self._promotion is None:
            where, next_step = f"{self._node.name}: pg_promote", "Promote by the rehearsal, or attest what it returned."
            raise NoData("what the promotion returned is not known", where=where, next_step=next_step)
        if self._promotion.returned:
            return []
        later = "it promoted itself later" if self._promotion.finished else "the request is pending"
        return [f"pg_promote of {self._node.name} returned false after {self._promotion.seconds:.1f} s, and {later}"]

    async def it_has_left_recovery(self) -> list[str]:
        """It is the primary, and nothing on its disk makes it a standby again at the next start."""
        if await asked.recovers(self._node):
            return [f"{self._node.name} is still in recovery"]
        return [
            f"{row['name']} is in the data folder of {self._node.name}: it starts as a standby the next time"
            for row in await self._node.rows(_SIGNALS)
        ]

    async def a_write_is_committed_and_read_back(self) -> list[str]:
        """A write is acknowledged within the limit, by our own clock, and a second connection sees it."""
        written = await first_write(self._node, await new_token(self._node.asking, "promoted"), seconds=self._write)
        if not written.commit.acknowledged:
            return [f"{self._node.name} acknowledges no write: {written.commit.why}"]
        return [] if written.read_back else [f"{self._node.name} acknowledged a write that no second connection sees"]

    async def the_timeline_is_the_next_one(self) -> list[str]:
        """By the WAL file's name it is exactly one above the old primary's, in the same cluster."""
        found = []
        own = await asked.system_identifier(self._node)
        if own != self._before.system_identifier:
            found.append(f"{self._node.name} has system identifier {own}, not {self._before.system_identifier}")
        now = await asked.timeline(self._node)
        if now != self._before.timeline + 1:
            found.append(f"{self._node.name} writes timeline {now}; after {self._before.timeline} comes one more, once")
        return found

    async def no_commit_waits_for_a_standby_that_is_not_there(self) -> list[str]:
        """Whoever its synchronous_standby_names names is connected."""
        names = (await asked.settings(self._node))["synchronous_standby_names"]
        return link.synchronous_faults(self._node.name, names, await asked.wal_senders(self._node))

    async def a_segment_arrives_in_the_archive(self) -> list[str]:
        """After a switch of the segment that very file is in the archive, byte for byte; the timeline's history too."""
        settings = await asked.settings(self._node)
        found = parity.archive_faults(self._node.name, settings)
        if self._archive is None:
            where = f"the archive of {self._node.name}"
            raise NoData("no archive can be listed", where=where, next_step="Name it in `backups.wal`.")
        await self._node.value("SELECT pg_logical_emit_message(false, 'opsproof', 'archive')::text")
        segment = await self._node.value("SELECT pg_walfile_name(pg_switch_wal())")
        line = int(segment[:8], 16)
        wanted = {segment} | ({f"{line:08X}.history"} if line > 1 else set())
        size = int(settings["wal_segment_size"])
        own = {name: await self._node.value(_OWN, name=name) for name in sorted(wanted)}  # it may recycle them later

        def whole(there: Mapping[str, int]) -> bool:
            return wanted <= set(there) and there[segment] == size

        there = await asked.until(self._archive.listing, whole, self._archived)
        found += [f"{name} is not in the archive after {self._archived:g} s" for name in sorted(wanted - set(there))]
        if there.get(segment, size) != size:
            found.append(f"{segment} has {there[segment]} bytes in the archive, and {size} on {self._node.name}")
        for name in sorted(wanted & set(there)):
            if await self._archive.sha256(name) != own[name]:
                found.append(f"{name} in the archive is not what {self._node.name} wrote: its sha256 differs")
        return found

    async def the_slots_of_the_old_primary_are_there(self) -> list[str]:
        """Slots do not follow a promotion by themselves: those that must be there have been made, and hold."""
        now = {slot["slot_name"]: slot for slot in await asked.slots(self._node)}
        old = {slot["slot_name"]: slot for slot in self._before.slots}
        wanted = self._expected if self._expected is not None else frozenset(old)
        found = []
        for name in sorted(wanted):
            kind = f"{old[name]['slot_type']} slot" if name in old else "slot"
            if name not in now:
                found.append(f"{kind} {name} is not on {self._node.name}: its consumer loses what is written now")
            elif now[name].get("wal_status") in ("lost", "unreserved") or now[name].get("invalidation_reason"):
                found.append(f"{kind} {name} of {self._node.name} holds its WAL no more: {now[name]['wal_status']}")
        return found

    async def its_limits_are_those_of_the_old_primary(self) -> list[str]:
        """No limit is lower than before."""
        return parity.limit_faults(self._node.name, await asked.settings(self._node), self._before.settings)

    async def its_settings_are_those_of_the_old_primary(self) -> list[str]:
        """All settings are as before, but for those of the machine, and of the part that a server plays."""
        return parity.setting_faults(self._node.name, await asked.settings(self._node), self._before.settings)

    async def its_next_start_is_like_this_one(self) -> list[str]:
        """No line of its files is wrong, and none waits for a restart or a reload."""
        return await next_start_faults(self._node)

    async def transactions_may_write(self) -> list[str]:
        """Neither the server nor a role or database has transactions read-only by default."""
        return [f"transactions of {row['who']} are read-only by default" for row in await self._node.rows(_READ_ONLY)]

    async def who_may_log_in_is_as_before(self) -> list[str]:
        """Roles and databases let in whom those of the old primary did, and no role has run out."""
        rows = await self._node.rows(_LOGINS)
        now, before = {row["name"]: row["said"] for row in rows}, self._before.logins
        found = [f"{row['name']} has run out: {row['said']}" for row in rows if row["over"]]
        for name in sorted({*now, *before} if before else ()):
            if now.get(name) != before.get(name):
                found.append(f"{name}: {now.get(name, 'is gone')}; before: {before.get(name, 'was not there')}")
        return found

    async def every_index_can_be_used(self) -> list[str]:
        """None is invalid: an index that no statement uses makes a service slow, and guards no key."""
        return [f"index {row['name']} is not valid: nothing uses it" for row in await self._node.rows(_UNUSABLE)]

    async def every_page_can_be_read(self) -> list[str]:
        """Every page of every table is read: one that is rotten shows on the day that somebody needs it."""
        return await page_faults(self._node, self._full_read)

    async def autovacuum_runs(self) -> list[str]:
        """It is switched on, and its launcher runs."""
        own = await asked.settings(self._node)
        off = [name for name in ("autovacuum", "track_counts") if own[name] != "on"]
        if off:
            return [f"{' and '.join(off)} of {self._node.name} {'is' if len(off) == 1 else 'are'} off"]
        running = await asked.until(lambda: self._node.value(_LAUNCHER), bool, self._write)
        return [] if running else [f"no autovacuum launcher runs on {self._node.name}"]

    async def no_prepared_transaction_is_left_over(self) -> list[str]:
        """A prepared transaction survives the promotion, holds its locks and stops vacuum until somebody decides it."""
        return [
            f"transaction {row['gid']} of {row['owner']} in {row['database']} is prepared since {row['prepared']}: "
            "commit it or roll it back"
            for row in await self._node.rows(_PREPARED)
        ]

    async def subscriptions_have_their_workers(self) -> list[str]:
        """Every logical subscription of this database is enabled, and a worker of it runs."""
        return [
            f"subscription {row['name']} of {self._node.name} "
            f"{'has no worker' if row['enabled'] else 'is disabled'}: it receives nothing"
            for row in await self._node.rows(_SUBSCRIPTIONS)
            if not row["enabled"] or not row["workers"]
        ]

    async def sequences_are_not_behind_their_tables(self) -> list[str]:
        """last_value >= max(id); a jump forward is no fault, for WAL holds 32 values ahead."""
        found = []
        for row in await self._node.rows(_SEQUENCES):
            sql = f"SELECT max({row['field']})::text FROM {row['relation']}"  # noqa: S608 the server quoted the names
            highest = await self._node.value(sql)
            if highest is not None and int(highest) > row["last"]:
                found.append(f"sequence {row['sequence']} is at {row['last']}, {row['relation']} holds {highest}")
        return found

    async def the_tablespaces_are_there(self) -> list[str]:
        """Every tablespace leads to a folder."""
        return await asked.tablespace_faults(self._node)
