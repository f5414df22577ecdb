"""Recoveries from copies of a base backup and its archive, one for each fault."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsproof.errors import StackError
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.damage.damage import Found
from opsproof.rehearsal.damage.restored.copies import found_by
from opsproof.rehearsal.damage.restored.source import DATABASE, UNLOGGED, Source, copied, source_on
from opsproof.rehearsal.restored import (
    Expectations,
    RecoveryTarget,
    Restored,
    RestoredVerification,
    listing,
    restore_base,
    time_between,
)
from opsproof.rehearsal.restored.restored import closed_settings
from opsproof.stack.clusters import Cluster, Grounds

if TYPE_CHECKING:
    import psycopg

CHECKS = (
    *("the_restore_came_to_its_end", "the_log_tells_of_no_damage", "recovery_has_ended", "a_write_is_read_back"),
    *("the_timeline_advanced", "the_archive_was_replayed_to_its_end", "the_markers_are_right"),
    *("every_table_has_its_rows", "every_row_is_what_it_was", "sequences_are_ahead", "nothing_is_corrupt"),
    *("every_row_keeps_the_constraints", "unlogged_tables_are_declared", "the_copy_reaches_nothing_outside"),
    "the_archive_is_untouched",
)
_SECONDS = 90.0
_numbers = itertools.count(1)


class Recovery:
    """
    One recovery that is still to be made: what it is made of may be damaged first.

    Attributes:
        source: Where the backup comes from.
        base: A copy of the base backup.
        wal: A copy of the archive.
        target: Where it is to end.
        unlogged: Tables that are declared as lost.
        listed: The archive before the server was started.
        by_hand: Starts the server in place of `restore_base`, as somebody less careful would.
        afterwards: Done to the server when it is there.
        session: A connection that stays open as long as the server runs.
    """

    def __init__(self, source: Source, grounds: Grounds, name: str) -> None:
        self.source, self.grounds, self.name = source, grounds, name
        self.base = copied(source.base, grounds.folder(f"{name}-stored") / "base", grounds)
        self.wal: Path | None = copied(source.archive, grounds.folder(f"{name}-stored") / "wal", grounds)
        self.target: RecoveryTarget | None = time_between(source.before, source.after)
        self.before, self.after = (source.before.name,), (source.after.name,)
        self.unlogged: tuple[str, ...] = UNLOGGED
        self.by_hand: Callable[[Recovery, Cluster], None] | None = None
        self.afterwards: Callable[[Restored], None] = lambda restored: None
        self.session: psycopg.Connection[Any] | None = None
        self.listed: dict[str, str] = {}
        self._restored: Restored | None = None

    def restored(self) -> Restored:
        """The recovered server; made when it is first asked for."""
        if self._restored is None:
            self.listed = listing(self.wal) if self.wal else {}
            self._restored = self._made()
            if not self._restored.failed:
                self.afterwards(self._restored)
        return self._restored

    def _made(self) -> Restored:
        if self.by_hand is None:
            return restore_base(self.grounds, self.base, self.wal, self.name, self.target, seconds=_SECONDS)
        cluster = Cluster(self.grounds, self.name)
        copied(self.base, cluster.data, self.grounds)
        self.by_hand(self, cluster)
        return Restored(cluster, "postgres", "base", target=self.target, timeline=1)

    def usual(self) -> str:
        """What people ask: whether the server was started, and whether it answers."""
        restored = self.restored()
        cluster = restored.cluster
        status = cluster.grounds.programs.run("pg_ctl", "status", "-D", str(cluster.data)).status
        ready = cluster.grounds.programs.run("pg_isready", "-h", str(cluster.home), "-p", str(cluster.port)).status
        count = "SELECT count(*) FROM core.workflow_instances"
        psql = cluster.grounds.programs.run("psql", "-XAtqc", count, "-d", cluster.conninfo(DATABASE))
        said = psql.out.strip() or psql.err.strip().splitlines()[0]
        return f"pg_ctl status: exit {status}; pg_isready: exit {ready}; psql -c '{count}': exit {psql.status}, {said}"

    def verification(self) -> RestoredVerification:
        """Its detectors."""
        restored = self.restored()
        after = listing(self.wal) if self.wal else {}
        expected = Expectations(
            before=self.before, after=self.after, archive=(self.listed, after), unlogged=self.unlogged
        )
        return RestoredVerification(
            restored, self.source.reference, expected, Asking.alone(self.name), database=DATABASE
        )

    def close(self) -> None:
        """End the server."""
        if self.session is not None:
            self.session.close()
        if self._restored is not None:
            self._restored.cluster.kill()


@contextlib.contextmanager
def recovery_on(grounds: Grounds) -> Iterator[Recovery]:
    """A recovery of sound copies; its server is gone afterwards."""
    recovery = Recovery(source_on(grounds), grounds, f"recovered-{next(_numbers)}")
    try:
        yield recovery
    finally:
        recovery.close()


async def detect(recovery: Recovery) -> Found:
    """Ask every check of a recovery."""
    return await found_by(recovery.verification(), CHECKS)


def started(recovery: Recovery, cluster: Cluster, *, signal: str | None, **settings: str) -> None:
    """Start a copy of the base by hand, with settings of one's own."""
    if signal is not None:
        (cluster.data / signal).touch()
        recovery.grounds.programs.own(cluster.data / signal)
    archive = f'cp "{recovery.wal}/%f" "%p"'
    target = recovery.target.settings() if recovery.target else {}
    common = closed_settings() | {"restore_command": archive, "max_connections": "100"} | target
    try:
        cluster.start(common | settings)
    except StackError:
        return
