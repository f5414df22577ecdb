# ruff: noqa: S608 - names come from the catalogue, quoted by the server
"""What the rows themselves must hold, asked of the rows and not of the catalogue's word or of an index."""

from typing import Any

from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.reading import steady

_SECONDS = 3600.0
_OURS = """NOT (relpersistence = 'u' AND pg_is_in_recovery()) AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d
    WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')"""
_UNIQUE = f"""
    SELECT c.oid::regclass::text AS table, i.indexrelid::regclass::text AS name, coalesce(
        pg_get_expr(indpred, indrelid), 'true') AS condition, (
            SELECT jsonb_agg(pg_get_indexdef(i.indexrelid, k, true) ORDER BY k) FROM generate_series(1, indnkeyatts) k
        ) AS columns, coalesce((to_jsonb(i)->>'indnullsnotdistinct')::boolean, false) AS nulls_equal
    FROM pg_index i JOIN pg_class c ON c.oid = indrelid JOIN pg_namespace n ON n.oid = relnamespace
    WHERE indisunique AND c.relkind IN ('r', 'm', 'p') AND relispopulated AND {_OURS}"""
_FOREIGN = f"""
    SELECT c.oid::regclass::text AS table, conname AS name, confrelid::regclass::text AS other, (
        SELECT jsonb_agg(jsonb_build_array(quote_ident(a.attname), quote_ident(b.attname), (
            SELECT format('OPERATOR(%s.%s)', oprnamespace::regnamespace, oprname) FROM pg_operator WHERE oid = equal
        )) ORDER BY k)
        FROM unnest(conkey, confkey, conpfeqop) WITH ORDINALITY u(mine, theirs, equal, k)
        JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = mine
        JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = theirs) AS columns
    FROM pg_constraint o JOIN pg_class c ON c.oid = conrelid JOIN pg_namespace n ON n.oid = relnamespace
    WHERE contype = 'f' AND conparentid = 0 AND convalidated AND confmatchtype = 's' AND {_OURS}"""
_EXCLUSIONS = f"""
    SELECT c.oid::regclass::text AS table, conname AS name,
        coalesce(pg_get_expr(indpred, indrelid), 'true') AS condition, quote_ident(c.relname) AS alias, (
            SELECT jsonb_agg(jsonb_build_array(pg_get_indexdef(indexrelid, k, true),
                format('OPERATOR(%s.%s)', oprnamespace::regnamespace, oprname)) ORDER BY k)
            FROM generate_series(1, indnkeyatts) k JOIN pg_operator p ON p.oid = conexclop[k]) AS columns
    FROM pg_constraint o JOIN pg_class c ON c.oid = conrelid JOIN pg_namespace n ON n.oid = relnamespace
    JOIN pg_index i ON indexrelid = conindid WHERE conexclop IS NOT NULL AND c.relkind = 'r' AND {_OURS}"""
_EXPRESSIONS = f"""
    SELECT c.oid::regclass::text AS table, 'check ' || conname AS name, pg_get_expr(conbin, conrelid) AS expression
    FROM pg_constraint o JOIN pg_class c ON c.oid = conrelid JOIN pg_namespace n ON n.oid = relnamespace
    WHERE contype = 'c' AND convalidated AND c.relkind IN ('r', 'p') AND {_OURS}
    UNION ALL
    SELECT c.oid::regclass::text, 'the bounds of the partition', pg_get_partition_constraintdef(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relispartition AND c.relkind = 'r' AND {_OURS}
        AND pg_get_partition_constraintdef(c.oid) IS NOT NULL
    UNION ALL
    SELECT c.oid::regclass::text, 'not null of ' || attname, quote_ident(attname) || ' IS NOT NULL'
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
    WHERE attnotnull AND attnum > 0 AND NOT attisdropped AND c.relkind = 'r' AND {_OURS}"""


async def broken_rows(node: Node) -> list[str]:
    """
    Rows that break what the catalogue promises: duplicates under a unique index, rows without their parent, rows that
    exclude one another, rows that a check constraint, a NOT NULL or the bounds of their partition forbid. Every
    table is read from end to end; only rows that exclude one another may be found by an index, each from the other.
    """
    catalogue, reader, said = steady(node), steady(node, rows=True), []
    for one in await catalogue.rows(_UNIQUE):
        if double := await reader.value(_duplicates(one), seconds=_SECONDS):
            said.append(f"{one['table']}: {double} keys are there more than once, though {one['name']} is unique")
    for one in await catalogue.rows(_FOREIGN):
        if orphans := await reader.value(_orphans(one), seconds=_SECONDS):
            said.append(
                f"{one['table']}: {orphans} rows have no row in {one['other']}, though {one['name']} is a foreign key"
            )
    for one in await catalogue.rows(_EXCLUSIONS):
        if conflicting := await catalogue.value(_conflicting(one), seconds=_SECONDS):
            said.append(f"{one['table']}: {conflicting} rows exclude one another, though {one['name']} forbids it")
    by_table: dict[str, list[dict[str, Any]]] = {}
    for one in await catalogue.rows(_EXPRESSIONS):
        by_table.setdefault(one["table"], []).append(one)
    for table, all_of_it in by_table.items():
        counted = ", ".join(
            f"count(*) FILTER (WHERE NOT ({one['expression']})) AS c{n}" for n, one in enumerate(all_of_it)
        )
        (counts,) = await reader.rows(f"SELECT {counted} FROM {table}", seconds=_SECONDS)
        said += [
            f"{table}: {broken} rows break {one['name']} ({one['expression']})"
            for one, broken in zip(all_of_it, counts.values(), strict=True)
            if broken
        ]
    return said


def _duplicates(one: dict[str, Any]) -> str:
    keys = ", ".join(one["columns"])
    present = [] if one["nulls_equal"] else [f"({column}) IS NOT NULL" for column in one["columns"]]
    where = " AND ".join([f"({one['condition']})", *present])
    return f"SELECT count(*) FROM (SELECT FROM {one['table']} WHERE {where} GROUP BY {keys} HAVING count(*) > 1) d"


def _orphans(one: dict[str, Any]) -> str:
    present = " AND ".join(f"m.{mine} IS NOT NULL" for mine, _, _ in one["columns"])
    same = " AND ".join(f"p.{theirs} {equal} m.{mine}" for mine, theirs, equal in one["columns"])
    parent = f"NOT EXISTS (SELECT FROM {one['other']} p WHERE {same})"
    return f"SELECT count(*) FROM {one['table']} m WHERE {present} AND {parent}"


def _conflicting(one: dict[str, Any]) -> str:
    keys = ", ".join(f"{expression} AS k{k}" for k, (expression, _) in enumerate(one["columns"]))
    rows = f"(SELECT ctid AS place, {keys} FROM ONLY {one['table']} {one['alias']} WHERE {one['condition']})"
    both = " AND ".join(f"a.k{k} {operator} b.k{k}" for k, (_, operator) in enumerate(one["columns"]))
    return f"SELECT count(*) FROM {rows} a WHERE EXISTS (SELECT FROM {rows} b WHERE a.place <> b.place AND {both})"
