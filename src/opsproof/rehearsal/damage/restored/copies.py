"""Copies of a restored database, one for each fault: cloned within one scratch server."""

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from weakref import WeakKeyDictionary

from opsproof.errors import NotObserved, StackError
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.damage.damage import Found
from opsproof.rehearsal.damage.restored import source as lab_source
from opsproof.rehearsal.damage.restored.source import DATABASE, OF_DATABASE, SERVICE_ROLE, SERVICE_SECRET, Source
from opsproof.rehearsal.restored import Expectations, Restored, RestoredVerification, Service, restore_dump
from opsproof.stack.clusters import Grounds

CHECKS = (
    *("the_restore_came_to_its_end", "the_log_tells_of_no_damage", "recovery_has_ended", "a_write_is_read_back"),
    *("every_table_has_its_rows", "every_row_is_what_it_was", "business_totals_agree", "other_stores_agree"),
    *("sequences_are_ahead", "no_first_insert_collides", "the_structure_is_the_same"),
    *("constraints_triggers_and_policies_are_in_force", "every_row_keeps_the_constraints", "indexes_are_the_same"),
    *("nothing_is_corrupt", "roles_are_the_same", "owners_and_grants_are_the_same", "settings_are_the_same"),
    *("extensions_work", "the_planner_has_statistics", "unlogged_tables_are_declared", "the_service_can_work"),
    "the_copy_reaches_nothing_outside",
)
_numbers = itertools.count(1)
_restored: WeakKeyDictionary[Grounds, Restored] = WeakKeyDictionary()


class Copy:
    """
    One clone of the restored database.

    Attributes:
        source: What it was restored from.
        restored: The clone.
        held: Keys of the artifacts that the object store holds.
    """

    def __init__(self, source: Source, restored: Restored) -> None:
        self.source = source
        self.restored = restored
        self.held = [row[0] for row in source.cluster.sql(lab_source.ARTIFACTS, database=DATABASE)]
        self._undo: list[str] = []

    def sql(self, *statements: str) -> None:
        """Run statements on the clone as the superuser, in one session."""
        with self.restored.cluster.connect(self.restored.database) as connection:
            for statement in statements:
                connection.execute(statement.replace("{database}", self.restored.database).encode())

    def everywhere(self, statement: str, undo: str) -> None:
        """Run a statement that is in force in the whole cluster; it is undone with the lab."""
        self._undo.append(undo)
        self.restored.cluster.sql(statement)

    def undo(self) -> None:
        """Undo what is in force in the whole cluster."""
        while self._undo:
            self.restored.cluster.sql(self._undo.pop())

    def verification(self) -> RestoredVerification:
        """Its detectors."""
        home, port = self.restored.cluster.home, self.restored.cluster.port
        service = Service(
            f"host={home} port={port} dbname={self.restored.database} user={SERVICE_ROLE}",
            SERVICE_SECRET,
            lab_source.STATEMENTS,
            (("search_path", "core, public"), ("TimeZone", "Asia/Seoul")),
        )

        async def keys() -> Iterable[str]:
            return self.held

        expected = Expectations(
            service=service,
            totals=lab_source.TOTALS,
            unlogged=lab_source.UNLOGGED,
            stores={"the object store": (lab_source.ARTIFACTS, keys)},
        )
        return RestoredVerification(self.restored, self.source.reference, expected, Asking.alone(self.restored.name))

    def usual(self) -> str:
        """What people ask: whether it answers, psql's exit status, and how many rows there are."""
        cluster = self.restored.cluster
        ready = cluster.grounds.programs.run("pg_isready", "-h", str(cluster.home), "-p", str(cluster.port))
        count = "SELECT count(*) FROM core.workflow_instances"
        psql = cluster.grounds.programs.run("psql", "-XAtqc", count, "-d", cluster.conninfo(self.restored.database))
        said = psql.out.strip() or psql.err.strip()
        return f"pg_isready: exit {ready.status}; psql -c '{count}': exit {psql.status}, {said}"


@contextlib.contextmanager
def copy_on(grounds: Grounds) -> Iterator[Copy]:
    """A sound clone; gone afterwards."""
    source = lab_source.source_on(grounds)
    if grounds not in _restored:
        made = restore_dump(grounds, source.dump, "restored", form="custom", database=DATABASE, roles=source.roles)
        if made.failed:
            raise StackError("the sound restore of the lab failed", where=made.failed, next_step="read the line above")
        _restored[grounds] = made
    restored = _restored[grounds]
    name = f"{DATABASE}_{next(_numbers)}"
    restored.cluster.sql(f"CREATE DATABASE {name} TEMPLATE {DATABASE}")
    for statement in OF_DATABASE:
        restored.cluster.sql(statement.format(name))
    copy = Copy(source, replace(restored, database=name))
    try:
        yield copy
    finally:
        copy.undo()
        restored.cluster.sql(f"DROP DATABASE {name} WITH (FORCE)")


async def detect(copy: Copy) -> Found:
    """Ask every check of a restored copy."""
    return await found_by(copy.verification(), CHECKS)


async def found_by(verification: RestoredVerification, checks: Iterable[str]) -> Found:
    """What each check objects to; what cannot be known is an objection."""
    found = {}
    for check in checks:
        try:
            found[f"restored.{check}"] = list(await getattr(verification, check)())
        except NotObserved as exc:
            found[f"restored.{check}"] = [f"unknown: {exc.what}"]
    return found
