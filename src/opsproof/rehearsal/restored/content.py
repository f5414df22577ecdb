# ruff: noqa: S608 - names come from the catalogue, quoted by the server
"""The content of tables, as a hash that is the same wherever the same rows are."""

import hashlib
from collections.abc import Iterable
from typing import Any

from opsproof.errors import NoData
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.reading import opened, steady

LARGE_OBJECTS = "large objects"
"""Name under which their content is kept."""

_SECONDS = 3600.0
_TABLES = r"""
    SELECT c.oid::regclass::text AS table,
        (SELECT jsonb_agg(quote_ident(attname) ORDER BY attname) FROM pg_attribute
         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
        (SELECT jsonb_agg(quote_ident(attname) || CASE WHEN attcollation <> 0 THEN '::text COLLATE "C"' ELSE '' END
            ORDER BY array_position(indkey::int2[], attnum)) FROM pg_index i
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
         WHERE i.indrelid = c.oid AND indisprimary) AS key_order
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'm') AND relispopulated AND NOT (relpersistence = 'u' AND pg_is_in_recovery())
        AND nspname !~ '^pg_' AND nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass
            AND d.deptype = 'e')
    ORDER BY 1"""
_OBJECTS = "SELECT loid, pageno, data FROM pg_largeobject ORDER BY loid, pageno"


async def tables_of(node: Node) -> dict[str, dict[str, Any]]:
    """
    Every table and filled materialized view that holds rows of its own (a partitioned one holds none), by name.

    Returns:
        Its columns by name, and the order that its primary key gives, or None.
    """
    return {one.pop("table"): one for one in await steady(node).rows(_TABLES)}


async def row_counts(node: Node) -> dict[str, int]:
    """Rows of every table, counted one by one without the help of an index."""
    names = await tables_of(node)
    if not names:
        return {}
    sql = " UNION ALL ".join(f"SELECT '{_quoted(name)}' AS name, count(*) AS rows FROM ONLY {name}" for name in names)
    return {row["name"]: int(row["rows"]) for row in await steady(node, rows=True).rows(sql, seconds=_SECONDS)}


async def content_hashes(node: Node, only: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
    """
    SHA-256 over the rows of each table, in the order of its primary key, or of all columns where there is none; text
    is ordered by the collation C, so that no machine's rules matter. Streamed by COPY: memory stays bounded,
    whatever the size. Columns are taken in the alphabetical order of their names, values in UTF-8.

    Args:
        only: Names of tables, with their schema (`pg_catalog` is not searched); None for all, and the large objects.

    Returns:
        By table: {"rows", "bytes", "sha256"}.

    Raises:
        NoData: A table of `only` is not there.
        NotObserved: A table cannot be read; says why: an invalid page, say.
    """
    reader, tables = steady(node, rows=True), await tables_of(node)
    wanted = list(tables) if only is None else [name for name in only if name != LARGE_OBJECTS]
    if missing := sorted(set(wanted) - tables.keys()):
        where = reader.asking.observer.where(f"{node.name}: {', '.join(missing)}")
        raise NoData(f"no such table: {', '.join(missing)}", where=where, next_step="See by hand whether it is there.")
    found = {}
    for name in wanted:
        table = tables[name]
        columns = table["columns"] or []  # a damaged catalogue may know of a table, and of none of its columns
        listed = ", ".join(columns or ["NULL"])
        order = table["key_order"] or [f'{column}::text COLLATE "C"' for column in columns] or ["NULL"]
        found[name] = await _hashed(reader, name, f"SELECT {listed} FROM ONLY {name} ORDER BY {', '.join(order)}")
    if only is None or LARGE_OBJECTS in set(only):
        found[LARGE_OBJECTS] = await _hashed(reader, LARGE_OBJECTS, _OBJECTS)
    return found


async def _hashed(reader: Node, name: str, select: str) -> dict[str, Any]:
    where = reader.asking.observer.where(f"{reader.name}: {name}")

    def call() -> dict[str, Any]:
        digest, bytes_, rows = hashlib.sha256(), 0, 0
        with (
            opened(reader, where) as connection,
            connection.cursor() as cursor,
            cursor.copy(f"COPY ({select}) TO STDOUT".encode()) as copy,
        ):
            for block in copy:
                digest.update(block)
                bytes_ += len(block)
                rows += bytes(block).count(b"\n")
        return {"rows": rows, "bytes": bytes_, "sha256": digest.hexdigest()}

    by_hand = f"psql -c 'COPY ({select}) TO STDOUT' | sha256sum"
    return await reader.asking.ask(f"{reader.name}: content of {name}", by_hand, call, seconds=_SECONDS)


def _quoted(name: str) -> str:
    return name.replace("'", "''")
