"""What must be true of the data of a recovered copy, and of everything that goes with it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from opsproof.errors import NoData, PreconditionMissing
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored import content, corruption, parity, truths, working
from opsproof.rehearsal.restored.inventory import Inventory, behind, read_inventory, read_sequences
from opsproof.rehearsal.restored.reading import steady
from opsproof.rehearsal.restored.reference import Reference

_UNKNOWN_TO_PLANNER = """
    SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'm') AND relispopulated AND nspname !~ '^pg_' AND nspname <> 'information_schema'
        AND pg_relation_size(c.oid) > 0
        AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)
        AND NOT EXISTS (SELECT FROM pg_statistic WHERE starelid = c.oid) ORDER BY 1"""

Keys = Callable[[], Awaitable[Iterable[str]]]
"""Asks another store (objects, a queue, a search index) for the keys that it holds."""


class DataVerification:
    """
    Detectors for the data of a copy. Each returns a sentence for each thing that is wrong; none is well.

    Args:
        node: The copy, as its superuser.
        reference: What the source was when the backup was made.
        tolerance: Share by which the rows of a table may differ: 0.0 for a copy of the same moment.
        totals: By name, SQL that gives one value, to be equal to that of the reference.
        unlogged: Tables whose rows no physical copy brings back, declared as lost.
        stores: By name of another store, SQL that gives the keys that the rows point to, and who asks the store.
    """

    def __init__(
        self,
        node: Node,
        reference: Reference,
        *,
        tolerance: float = 0.0,
        totals: Mapping[str, str] | None = None,
        unlogged: Iterable[str] = (),
        changing: Iterable[str] = (),
        stores: Mapping[str, tuple[str, Keys]] | None = None,
    ) -> None:
        self.node = node
        self.reference = reference
        self._tolerance = tolerance
        self._totals = totals or {}
        self._left_out = frozenset((*unlogged, *changing))
        self._stores = stores or {}

    async def every_table_has_its_rows(self) -> list[str]:
        """Each table has as many rows as it had, counted without an index; none is missing, none is new."""
        expected = {table: count for table, count in self.reference.rows.items() if table not in self._left_out}
        if not expected:
            raise self._nothing("the reference counts no table")
        found = await content.row_counts(self.node)
        return parity.rows(expected, {k: n for k, n in found.items() if k not in self._left_out}, self._tolerance)

    async def every_row_is_what_it_was(self) -> list[str]:
        """The ordered content hash of each table of the reference, and of the large objects, is the same."""
        expected = {table: one for table, one in self.reference.contents.items() if table not in self._left_out}
        if not expected:
            raise self._nothing("the reference has no content hash")
        there = await content.tables_of(self.node)
        comparable = [table for table in expected if table in there or table == content.LARGE_OBJECTS]
        return parity.contents(expected, await content.content_hashes(self.node, comparable))

    async def business_totals_agree(self) -> list[str]:
        """Each total of the business (orders, amounts, judgments by result) is what the ledger says."""
        if not self._totals:
            raise self._nothing("no business total is declared")
        said = []
        for name, sql in self._totals.items():
            now, was = await self.node.value(sql), self.reference.totals.get(name)
            if now is None or now != was:
                said.append(f"{name} is {now}, and {was} is what it must be: {' '.join(sql.split())}")
        return said

    async def other_stores_agree(self) -> list[str]:
        """What the rows point to is in the other stores, and what is there is known to the rows: both ways."""
        if not self._stores:
            raise self._nothing("no other store is declared")
        said = []
        for name, (sql, keys) in self._stores.items():
            rows = await self.node.rows(sql)
            pointed, held = {str(value) for row in rows for value in row.values()}, set(await keys())
            for what, only in (
                (f"is not in {name}", pointed - held),
                (f"is in {name}, and no row knows it", held - pointed),
            ):
                if only:
                    said.append(f"{sorted(only)[0]} {what} ({len(only)} of {len(pointed | held)})")
        return said

    async def sequences_are_ahead(self) -> list[str]:
        """No sequence gives a number that is taken, or that was given out before the backup."""
        return behind(await read_sequences(self.node), self.reference.sequences)

    async def no_first_insert_collides(self) -> list[str]:
        """A row can be inserted into every table that is numbered by a sequence."""
        return await working.colliding_inserts(self.node)

    async def the_structure_is_the_same(self) -> list[str]:
        """Schemas, tables, partitions, views, columns, defaults, types, functions and all else are what they were."""
        return await self._differences("schema", "table", "column", "type", "function", "sequence", "other object")

    async def constraints_triggers_and_policies_are_in_force(self) -> list[str]:
        """Each is there, the same, validated and enabled; those of foreign keys too."""
        return await self._differences("constraint", "trigger", "policy")

    async def every_row_keeps_the_constraints(self) -> list[str]:
        """No row breaks a unique index, an exclusion, a foreign key, a check, a NOT NULL or bounds of a partition."""
        return await truths.broken_rows(self.node)

    async def indexes_are_the_same(self) -> list[str]:
        """Each is there, valid, of the same columns and collations, and built with this machine's rules of order."""
        return await self._differences("index") + await corruption.foreign_orders(self.node)

    async def nothing_is_corrupt(self) -> list[str]:
        """amcheck finds nothing in any table or index, and every other index finds each row that is there."""
        return await corruption.corrupt_relations(self.node)

    async def roles_are_the_same(self) -> list[str]:
        """Each role is there, with its attributes, memberships and the secret that it had."""
        return await self._differences("role", "secret")

    async def owners_and_grants_are_the_same(self) -> list[str]:
        """Owners, grants and default grants of everything are what they were."""
        return await self._differences("grant")

    async def settings_are_the_same(self) -> list[str]:
        """Encoding and locale of the database, and the settings of databases and roles, are what they were."""
        return await self._differences("database", "setting")

    async def extensions_work(self) -> list[str]:
        """Each is there in its version, and its library here, with every function that the SQL names."""
        return await self._differences("extension") + await working.silent_libraries(self.node)

    async def the_planner_has_statistics(self) -> list[str]:
        """Every table with rows has statistics; without them the first hours are slow."""
        rows = await steady(self.node).rows(_UNKNOWN_TO_PLANNER)
        return [
            f"{row['name']} has no planner statistics: run ANALYZE"
            for row in rows
            if str(row["name"]) not in self._left_out
        ]

    async def _differences(self, *kinds: str) -> list[str]:
        found: Inventory = await read_inventory(self.node, kinds)
        if not self.reference.inventory.get("table"):
            raise self._nothing("the reference has no table")
        said = []
        for kind in kinds:
            was, now = self.reference.inventory.get(kind), found.get(kind)
            if was is None and now is None:
                continue
            if was is None or now is None:
                side = "reference" if was is None else "copy"
                raise PreconditionMissing(
                    f"the {side}'s role may not read each {kind}",
                    where=self.node.asking.observer.where(f"{self.node.name}: {kind}"),
                    next_step="Take the reference and ask the copy as roles of the same rights.",
                    target=self.node.name,
                )
            said += parity.differences(kind, was, now)
        return said

    def _nothing(self, what: str) -> NoData:
        where = self.node.asking.observer.where(self.node.name)
        return NoData(what, where=where, next_step="Take a reference of the source, and declare what must agree.")
