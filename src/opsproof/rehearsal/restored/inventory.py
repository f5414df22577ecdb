"""What is in a database and its cluster, apart from the rows: read once from the source, and again from a copy."""

from collections.abc import Iterable
from typing import Any

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.inventory_sql import QUERIES
from opsproof.rehearsal.restored.reading import steady

Inventory = dict[str, dict[str, dict[str, Any]]]
"""By kind of thing (the keys of `QUERIES`), by name of the thing, its facts. Plain JSON."""

_OPTIONAL = "secret"
_SEQUENCES = r"""
    SELECT s.oid::regclass::text AS sequence, seqincrement AS step, t.oid::regclass::text AS table, quote_ident(attname) AS column
    FROM pg_class s JOIN pg_sequence ON seqrelid = s.oid
    JOIN pg_namespace n ON n.oid = s.relnamespace AND nspname !~ '^pg_' AND nspname <> 'information_schema'
    LEFT JOIN (
        SELECT objid AS sequence, refobjid AS relation, refobjsubid AS number FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
            AND refobjsubid > 0
        UNION
        SELECT refobjid, adrelid, adnum FROM pg_depend JOIN pg_attrdef f ON f.oid = objid
        WHERE classid = 'pg_attrdef'::regclass AND refclassid = 'pg_class'::regclass
    ) u ON u.sequence = s.oid
    LEFT JOIN pg_class t ON t.oid = u.relation AND t.relkind IN ('r', 'p')
    LEFT JOIN pg_attribute a ON attrelid = t.oid AND attnum = u.number
    ORDER BY 1"""


async def read_inventory(node: Node, kinds: Iterable[str] | None = None) -> Inventory:
    """
    Read what is in the database that the node's address names.

    Args:
        node: As a superuser, or a role that may read all catalogues.
        kinds: Of `QUERIES`; None for all. `secret` (fingerprints of stored passwords) is left out where the role may
            not read them, as on a managed service.

    Raises:
        NotObserved: There is no answer.
    """
    reader, found = steady(node), Inventory()
    for kind in kinds or QUERIES:
        try:
            rows = await reader.rows(QUERIES[kind])
        except PreconditionMissing:
            if kind != _OPTIONAL:
                raise
        else:
            found[kind] = {row["key"]: row["facts"] for row in rows}
    return found


async def read_sequences(node: Node) -> list[dict[str, Any]]:
    """
    Every sequence with the column that it fills, and how far both are.

    Returns:
        {"sequence", "table", "column", "next": what it gives next, "step", "last_value", "is_called", "reached": the
        greatest value of the column, or the least where it counts down; None without rows or column}.
    """
    reader, found = steady(node, rows=True), []
    for one in await steady(node).rows(_SEQUENCES):
        far = "max" if one["step"] > 0 else "min"
        column, table = one["column"] or "NULL::bigint", one["table"] or "(VALUES (0)) none"
        state_of = (
            f"SELECT last_value, is_called, (SELECT {far}({column}) FROM {table}) AS reached FROM {one['sequence']}"  # noqa: S608
        )
        (state,) = await reader.rows(state_of)
        following = state["last_value"] + (one["step"] if state["is_called"] else 0)
        found.append(one | state | {"next": following})
    return found


def behind(sequences: Iterable[dict[str, Any]], reference: dict[str, int]) -> list[str]:
    """
    Sequences that would give a number that is taken. Ahead is well: a promotion skips up to 32 numbers.

    Args:
        sequences: What `read_sequences` gave.
        reference: By sequence, its last value when the backup was made: numbers that were given out stay given out.
    """
    said = []
    for one in sequences:
        direction = 1 if one["step"] > 0 else -1
        reached, was = one["reached"], reference.get(one["sequence"])
        if isinstance(reached, int) and (one["next"] - reached) * direction <= 0:
            taken = f"{one['table']}.{one['column']} already has {reached}"
            said.append(f"sequence {one['sequence']} gives {one['next']} next, and {taken}")
        elif was is not None and (one["last_value"] - was) * direction < 0:
            said.append(
                f"sequence {one['sequence']} is at {one['last_value']}, and had given out {was} before the backup"
            )
    return said
