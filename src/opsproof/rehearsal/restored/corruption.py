# ruff: noqa: S608 - names come from the catalogue, quoted by the server
"""Corruption of tables and indexes: by amcheck and by lookups; and indexes that another machine's rules made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.lookups import missed
from opsproof.rehearsal.restored.reading import rolled_back, steady

if TYPE_CHECKING:
    import psycopg

_SECONDS = 3600.0
_RELATIONS = """
    SELECT c.oid::regclass::text AS name, c.oid::int8 AS number, relkind::text, coalesce(amname, '') AS method,
        coalesce(indisunique, false) AS uniquely
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace LEFT JOIN pg_am a ON a.oid = relam
    LEFT JOIN pg_index i ON i.indexrelid = c.oid
    WHERE relpersistence = 'p' AND relkind IN ('r', 'm', 't', 'i')
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
    Look through every table, TOAST table and index. Of tables and B-trees amcheck sees structure and order, that every
    row of the table is in the index, and once only where it is unique; the keys of every other index are looked up by
    it. The extension is made in a transaction that is rolled back, where it is not there.

    Raises:
        PreconditionMissing: The server has no amcheck, or there are relations that nobody could look at; names them.
            What is corrupt is told first: then there is something to mend.
    """
    looked = await rolled_back(node, "amcheck and lookups of every relation", _looked_through, seconds=_SECONDS)
    if looked["open"] and not looked["corrupt"]:
        raise PreconditionMissing(
            "; ".join(looked["open"]),
            where=node.asking.observer.where(f"{node.name}: amcheck and lookups of every relation"),
            next_step="REINDEX it on the scratch copy, and after a real recovery: then it is made of the rows.",
            target=node.name,
        )
    return looked["corrupt"] + looked["open"]


def _looked_through(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    import psycopg

    corrupt, unseen = list[str](), list[str]()
    found = connection.execute(
        "SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'amcheck'"
    ).fetchone()
    if found is None:
        connection.execute(f"CREATE SCHEMA {_SCHEMA}")
        connection.execute(f"CREATE EXTENSION amcheck SCHEMA {_SCHEMA}")
    checks = _checks(connection, str(found[0]) if found else _SCHEMA)
    for name, number, kind, method, unique in connection.execute(_RELATIONS).fetchall():
        check = checks.get(f"unique {method}" if unique else method) or checks.get(method)
        try:
            with connection.transaction():
                rows = connection.execute(check.replace("$1", str(number)).encode()).fetchall() if check else []
                said, why = [row[0] for row in rows if row[0]], ""
                if kind == "i" and method != "btree":
                    by_lookup, why = missed(connection, number)
                    said += by_lookup
                elif check is None:
                    why = "amcheck does not know it"
        except psycopg.Error as exc:
            said, why = [str(exc.diag.message_primary)], ""
        corrupt += [f"{name}: {words}" for words in said]
        unseen += [f"{name} ({method}) was not looked at: {why}"] if why else []
    return {"corrupt": corrupt, "open": unseen}


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
