"""Whether what a database consists of does its work: extensions, functions in C, the first insert into every table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.reading import rolled_back

if TYPE_CHECKING:
    import psycopg

_SECONDS = 600.0
_LIBRARIES = """
    SELECT DISTINCT ON (coalesce(e.extname, ''), probin) coalesce(e.extname, 'no extension'), probin,
        p.oid::regprocedure::text, p.oid::int8
    FROM pg_proc p LEFT JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid
    WHERE probin IS NOT NULL AND p.oid >= 16384 ORDER BY coalesce(e.extname, ''), probin, p.oid"""
_CALLABLE = """
    SELECT e.extname, format('%I.%I', n.nspname, p.proname), pronargs::int4, (
        SELECT coalesce(jsonb_agg(format_type(t, NULL) ORDER BY k), '[]')
        FROM unnest(proargtypes::oid[]) WITH ORDINALITY u(t, k)), proretset
    FROM pg_extension e JOIN pg_depend d ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass
        AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
    JOIN pg_proc p ON p.oid = d.objid JOIN pg_namespace n ON n.oid = pronamespace
    JOIN pg_language l ON l.oid = prolang
    WHERE prokind = 'f' AND proisstrict AND lanname IN ('c', 'sql', 'plpgsql') AND pronargs > 0
        AND NOT EXISTS (SELECT FROM unnest(proargtypes::oid[]) t JOIN pg_type y ON y.oid = t WHERE typtype = 'p')
        AND prorettype::regtype::text NOT IN ('trigger', 'event_trigger', 'internal')
    ORDER BY e.extname, provolatile, pronargs, proname"""
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
    Extensions and functions in C that do not load: every library is loaded through one function of each (their
    validator looks for the symbol), and one function of each extension is called.
    """
    return await rolled_back(node, "a call of each extension", _called, seconds=_SECONDS)


async def colliding_inserts(node: Node) -> list[str]:
    """
    Tables whose first insert collides: a row that is there is inserted once more, with new numbers from its sequences,
    and rolled back. Other constraints may object to a second such row: that is their work, and no collision.
    """
    return await rolled_back(node, "the first insert into each table with a sequence", _inserted, seconds=_SECONDS)


def _called(connection: psycopg.Connection[Any]) -> list[str]:
    import psycopg

    said, blamed = [], set()
    for extension, library, function, number in connection.execute(_LIBRARIES).fetchall():
        try:
            with connection.transaction():
                connection.execute("SELECT fmgr_c_validator(%s)", (number,))
                connection.execute("LOAD '{}'".format(library.replace("'", "''")).encode())
        except psycopg.Error as exc:
            said.append(f"{extension}: {function} does not load: {exc.diag.message_primary}")
            blamed.add(extension)
    called: set[str] = set()
    for extension, function, _count, types, _many in connection.execute(_CALLABLE).fetchall():
        if extension in called or extension in blamed:
            continue
        called.add(extension)
        nulls = ", ".join(f"NULL::{one}" for one in types)
        try:
            with connection.transaction():
                connection.execute(f"SELECT count(*) FROM {function}({nulls})".encode())  # noqa: S608
        except psycopg.Error as exc:
            said.append(f"extension {extension}: {function} cannot be called: {exc.diag.message_primary}")
    return said


def _inserted(connection: psycopg.Connection[Any]) -> list[str]:
    import psycopg
    from psycopg import errors

    said = []
    for table, columns, numbered in connection.execute(_COLUMNS).fetchall():
        if not numbered:
            continue
        listed = ", ".join(columns or [])
        insert = f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {table} LIMIT 1"  # noqa: S608
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
