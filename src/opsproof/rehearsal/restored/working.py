# ruff: noqa: S608 - names come from the catalogue, quoted by the server
"""Whether what a database consists of does its work: extensions, functions in C, the first insert into every table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.reading import rolled_back

if TYPE_CHECKING:
    import psycopg

_SECONDS = 600.0
_IN_C = """
    SELECT coalesce(e.extname, 'no extension'), probin, p.oid::regprocedure::text, p.oid::int8
    FROM pg_proc p LEFT JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid WHERE probin IS NOT NULL AND p.oid >= 16384 ORDER BY 1, 2, 3"""
_COLUMNS = """
    SELECT attrelid::regclass::text, jsonb_agg(quote_ident(attname) ORDER BY attnum) FILTER (
            WHERE attidentity = '' AND attgenerated = '' AND coalesce(pg_get_expr(adbin, adrelid), '') !~ '^nextval'),
        bool_or(attidentity <> '' OR coalesce(pg_get_expr(adbin, adrelid), '') ~ '^nextval')
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p') AND NOT relispartition
        AND nspname !~ '^pg_' AND nspname <> 'information_schema' GROUP BY attrelid"""


async def silent_libraries(node: Node) -> list[str]:
    """
    Extensions and functions in C that do not load here: each library is loaded, and each function looked up in it, as
    the first call of it would. The library may be missing, or be of another version than the SQL that names it.
    """
    return await rolled_back(node, "look up every function in C", _looked_up, seconds=_SECONDS)


async def colliding_inserts(node: Node) -> list[str]:
    """
    Tables whose first insert collides: a row that is there is inserted once more, with new numbers from its sequences,
    and rolled back. Other constraints may object to a second such row: that is their work, and no collision.
    """
    return await rolled_back(node, "the first insert into each table with a sequence", _inserted, seconds=_SECONDS)


def _looked_up(connection: psycopg.Connection[Any]) -> list[str]:
    import psycopg

    said: dict[str, str] = {}
    for extension, library, function, number in connection.execute(_IN_C).fetchall():
        if library in said:
            continue
        try:
            with connection.transaction():
                connection.execute("SELECT fmgr_c_validator(%s)", (number,))
        except psycopg.Error as exc:
            said[library] = f"{extension}: {function} cannot be called: {exc.diag.message_primary}"
    return list(said.values())


def _inserted(connection: psycopg.Connection[Any]) -> list[str]:
    import psycopg
    from psycopg import errors

    said = []
    for table, columns, numbered in connection.execute(_COLUMNS).fetchall():
        if not numbered:
            continue
        listed = ", ".join(columns or [])
        insert = f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {table} LIMIT 1"
        defaults = f"INSERT INTO {table} DEFAULT VALUES"
        try:
            with connection.transaction():
                connection.execute((insert if listed else defaults).encode())
        except errors.UniqueViolation as exc:
            if _is_of_a_sequence(connection, str(exc.diag.constraint_name), table):
                said.append(f"{table}: the first insert fails: {exc.diag.message_primary} ({exc.diag.message_detail})")
        except (errors.CheckViolation, errors.RaiseException, errors.ExclusionViolation):
            continue
        except psycopg.Error as exc:
            said.append(f"{table}: the first insert fails: {exc.diag.message_primary}")
    return said


def _is_of_a_sequence(connection: psycopg.Connection[Any], index: str, table: str) -> bool:
    """Whether a unique index holds a column that a sequence fills."""
    sql = """
        SELECT bool_or(attidentity <> '' OR coalesce(pg_get_expr(adbin, adrelid), '') ~ '^nextval')
        FROM pg_index i JOIN pg_class x ON x.oid = indexrelid JOIN pg_attribute a ON attrelid = indrelid
            AND attnum = ANY (indkey::int2[])
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE x.relname = %s AND (indrelid = %s::regclass OR indrelid IN (
            SELECT inhrelid FROM pg_inherits WHERE inhparent = %s::regclass))"""
    found = connection.execute(sql, (index, table, table)).fetchone()
    return bool(found and found[0])
