# ruff: noqa: S608 - names come from the catalogue, quoted by the server
"""Corruption of tables and indexes, as amcheck finds it; and indexes whose order another machine's rules made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.reading import rolled_back, steady

if TYPE_CHECKING:
    import psycopg

_SECONDS = 3600.0
_RELATIONS = """
    SELECT c.oid::regclass::text AS name, c.oid::int8 AS number, coalesce(amname, '') AS method,
        coalesce(indisunique, false) AS uniquely
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace LEFT JOIN pg_am a ON a.oid = relam
    LEFT JOIN pg_index i ON i.indexrelid = c.oid
    WHERE relpersistence = 'p' AND (relkind IN ('r', 'm', 't') OR relkind = 'i' AND amname IN ('btree', 'gin'))
        AND coalesce(indisvalid AND indisready, true) ORDER BY 1"""
_COLLATIONS = """
    SELECT 'the database' AS name, to_jsonb(d)->>'datcollversion' AS recorded,
        pg_database_collation_actual_version(oid) AS actual FROM pg_database d WHERE datname = current_database()
    UNION ALL
    SELECT 'collation ' || c.oid::regcollation, collversion, pg_collation_actual_version(c.oid) FROM pg_collation c
    WHERE collversion IS NOT NULL AND EXISTS (SELECT FROM pg_index WHERE c.oid = ANY (indcollation))"""
_SCHEMA = "opsproof_amcheck"


async def corrupt_relations(node: Node) -> list[str]:
    """
    Look through every table, TOAST table, B-tree and GIN index with amcheck: structure, order, and that every row of
    the table is in the index, and once only where it is unique. The extension is made in a transaction that is rolled
    back, where it is not there.

    Raises:
        PreconditionMissing: The server has no amcheck: nobody looked.
    """
    return await rolled_back(node, "amcheck of every relation", _looked_through, seconds=_SECONDS)


def _looked_through(connection: psycopg.Connection[Any]) -> list[str]:
    import psycopg

    said = []
    found = connection.execute(
        "SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'amcheck'"
    ).fetchone()
    if found is None:
        connection.execute(f"CREATE SCHEMA {_SCHEMA}")
        connection.execute(f"CREATE EXTENSION amcheck SCHEMA {_SCHEMA}")
    checks = _checks(connection, str(found[0]) if found else _SCHEMA)
    for name, number, method, unique in connection.execute(_RELATIONS).fetchall():
        check = checks.get(f"unique {method}" if unique else method) or checks.get(method)
        if check is None:
            continue
        try:
            with connection.transaction():
                rows = connection.execute(check.replace("$1", str(number)).encode()).fetchall()
        except psycopg.Error as exc:
            said.append(f"{name}: {exc.diag.message_primary}")
        else:
            said += [f"{name}: {row[0]}" for row in rows if row[0]]
    return said


def _checks(connection: psycopg.Connection[Any], schema: str) -> dict[str, str]:
    """By access method, what this version of amcheck can do."""
    sql = "SELECT proname, pronargs FROM pg_proc WHERE pronamespace = %s::regnamespace"
    known = {(name, count) for name, count in connection.execute(sql, (schema,)).fetchall()}
    checks = {"btree": f"SELECT {schema}.bt_index_check($1::oid::regclass, true)::text"}
    if ("bt_index_check", 3) in known:
        checks["unique btree"] = f"SELECT {schema}.bt_index_check($1::oid::regclass, true, true)::text"
    if ("gin_index_check", 1) in known:
        checks["gin"] = f"SELECT {schema}.gin_index_check($1::oid::regclass)::text"
    if any(name == "verify_heapam" for name, _ in known):
        blocks = f"SELECT format('block %s: %s', blkno, msg) FROM {schema}.verify_heapam($1::oid::regclass) LIMIT 3"
        checks["heap"] = blocks
    return checks


async def foreign_orders(node: Node) -> list[str]:
    """Collations whose rules here are of another version than those that the indexes were built with."""
    return [
        f"{one['name']}: its indexes were built with version {one['recorded']} of the collation, this machine has "
        f"{one['actual']}: rebuild them"
        for one in await steady(node).rows(_COLLATIONS)
        if one["recorded"] is not None and one["recorded"] != one["actual"]
    ]
