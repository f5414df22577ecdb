"""What must be true of a restore: its end where it should be, reaching nothing outside, and fit to be worked on."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsproof.errors import NoData, PreconditionMissing
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.restored import isolation, markers
from opsproof.rehearsal.restored.data import DataVerification, Keys
from opsproof.rehearsal.restored.inventory import read_inventory
from opsproof.rehearsal.restored.reference import Reference
from opsproof.rehearsal.restored.restored import Restored
from opsproof.rehearsal.restored.service import Service, refusals

_SECONDS = 20.0
_WRITTEN = "opsproof_written"
_DAMAGE = re.compile(
    r"PANIC|invalid page|page verification failed|could not read block|was terminated by signal|recovery ended before"
    r"|requested recovery stop point is before|not in this server's history"
)


@dataclass(frozen=True)
class Expectations:
    """
    What a restore was made for.

    Attributes:
        before: Markers that must be there.
        after: Markers that must not.
        service: Who must be able to work.
        archive: What `isolation.listing` gave before the scratch server was started, and what it gives now.
        still_archives: Whether the source goes on archiving there meanwhile.
        totals: By name, SQL of each business total.
        unlogged: Tables whose rows are declared as lost.
        changing: Tables that something writes to all the time, so that their rows are no evidence.
        stores: By name of another store, SQL of the keys that rows point to, and who asks it for its keys.
        tolerance: Share by which the rows of a table may differ from the reference.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    service: Service | None = None
    archive: tuple[Mapping[str, str], Mapping[str, str]] | None = None
    still_archives: bool = False
    totals: Mapping[str, str] | None = None
    unlogged: Iterable[str] = ()
    changing: Iterable[str] = ()
    stores: Mapping[str, tuple[str, Keys]] | None = None
    tolerance: float = 0.0


class RestoredVerification(DataVerification):
    """
    Detectors for a restored copy; names of methods are names of checks: `restored.sequences_are_ahead`.

    Args:
        restored: What `restore_dump` or `restore_base` gave.
        reference: What the source was.
        expected: What it was made for.
        asking: Keeps the answers.
        database: The service's database; that of `restored` if left out.
    """

    def __init__(
        self,
        restored: Restored,
        reference: Reference,
        expected: Expectations,
        asking: Asking,
        *,
        database: str | None = None,
    ) -> None:
        super().__init__(
            restored.node(asking, database=database),
            reference,
            tolerance=expected.tolerance,
            totals=expected.totals,
            unlogged=expected.unlogged,
            changing=expected.changing,
            stores=expected.stores,
        )
        self.restored = restored
        self.expected = expected

    async def the_restore_came_to_its_end(self) -> list[str]:
        """Every part of it succeeded, and the server is there still."""
        if self.restored.failed:
            return [self.restored.failed]
        return [] if self.restored.cluster.running() else [f"{self.restored.name} came up, and died afterwards"]

    async def the_log_tells_of_no_damage(self) -> list[str]:
        """Second evidence: the server's log has no line of a damaged page, a crash, or a recovery that fell short."""
        lines = self.restored.log()
        if not lines:
            raise NoData(
                "the server's log is empty", where=str(self.restored.cluster.log), next_step="See where it logs."
            )
        return list(dict.fromkeys(line.strip() for line in lines if _DAMAGE.search(line)))

    async def recovery_has_ended(self) -> list[str]:
        """The server is a primary: not in recovery, and not paused in it."""
        self._needs_an_end()
        if not await self.node.value("SELECT pg_is_in_recovery()"):
            return []
        paused = await self.node.value("SELECT pg_is_wal_replay_paused()")
        return [
            "the copy is still in recovery" + (", paused at its target: it reads, and takes no write" if paused else "")
        ]

    async def a_write_is_read_back(self) -> list[str]:
        """A write is committed within a limit of this side, and read on a second connection."""
        self._needs_an_end()
        table = f"CREATE TABLE public.{_WRITTEN} AS SELECT 'written' AS word"
        commit = await self.node.commit(table, seconds=_SECONDS)
        if not commit.acknowledged:
            return [f"no write is committed on the copy: {commit.why}"]
        read = await self.node.value(f"SELECT word FROM public.{_WRITTEN}")  # noqa: S608
        await self.node.commit(f"DROP TABLE public.{_WRITTEN}")
        return [] if read == "written" else [f"a committed write is read back as {read}"]

    async def the_timeline_advanced(self) -> list[str]:
        """The copy writes WAL of a later timeline than the one it was made from, by the name of the file."""
        self._needs_an_end()
        if self.restored.timeline is None:
            raise self._missing("a dump has no timeline", "Ask this of a base backup.")
        if await self.node.value("SELECT pg_is_in_recovery()"):
            return [f"the copy is in recovery: it is still on timeline {self.restored.timeline}"]
        now = int((await self.node.value("SELECT pg_walfile_name(pg_current_wal_lsn())"))[:8], 16)
        late = now > self.restored.timeline
        return [] if late else [f"the copy writes timeline {now}, and was made from timeline {self.restored.timeline}"]

    async def the_archive_was_replayed_to_its_end(self) -> list[str]:
        """Without a target, recovery read the newest segment of the archive: nothing stopped it early."""
        one = self.restored
        if one.made_from != "base" or not one.archive_end:
            raise self._missing("nothing was replayed from an archive", "Recover a base backup with its archive.")
        if one.target is not None or one.last_segment[8:] == one.archive_end[8:]:
            return []
        read = one.last_segment or "no segment"
        return [
            f"recovery read up to {read}, and the archive goes on to {one.archive_end}: what comes between stopped it"
        ]

    async def the_markers_are_right(self) -> list[str]:
        """What was committed before the target is there, and what was committed after it is not."""
        if not (self.expected.before and self.expected.after):
            raise self._missing("no marker on both sides of the target", "Plant one before it and one after it.")
        gone = [name for name in self.expected.before if not await markers.is_there(self.node, name)]
        kept = [name for name in self.expected.after if await markers.is_there(self.node, name)]
        said = [
            f"marker {name} was committed before the target {self.restored.target}, and is not there" for name in gone
        ]
        return said + [
            f"marker {name} was committed after the target {self.restored.target}, and is there" for name in kept
        ]

    async def unlogged_tables_are_declared(self) -> list[str]:
        """Every unlogged table is declared as lost: a physical recovery empties it without a word."""
        tables = (await read_inventory(self.node, ["table"]))["table"]
        unlogged = {name for name, facts in tables.items() if facts["persistence"] == "unlogged"}
        return [
            f"{name} is unlogged: every physical recovery empties it, and nobody has declared that loss"
            for name in sorted(unlogged - set(self.expected.unlogged))
        ]

    async def the_service_can_work(self) -> list[str]:
        """The service's own role logs in with its own secret from an empty environment, and does what it does."""
        if self.expected.service is None:
            raise self._missing("no service is declared", "Name its role, its secret and its statements.")
        programs = self.restored.cluster.grounds.programs
        return await refusals(self.expected.service, programs, self.node.asking)

    async def the_copy_reaches_nothing_outside(self) -> list[str]:
        """It archives nothing, streams from nobody, serves no subscription, runs no foreign job, and holds no TCP."""
        self._needs_an_end()
        return await isolation.ways_out(self.node, self.restored)

    async def the_archive_is_untouched(self) -> list[str]:
        """Names, sizes and hashes of the archive are those from before the scratch server was started."""
        if self.expected.archive is None or not self.expected.archive[0]:
            raise self._missing("the archive was not listed before", "List it before the scratch server is started.")
        return isolation.changes(*self.expected.archive, still_written=self.expected.still_archives)

    def _needs_an_end(self) -> None:
        if not self.restored.cluster.running():
            raise self._missing(
                f"the server is not there: {self.restored.failed or 'it died'}", "Mend the restore first."
            )

    def _missing(self, what: str, next_step: str) -> PreconditionMissing:
        return PreconditionMissing(what, where=self.restored.name, next_step=next_step)
