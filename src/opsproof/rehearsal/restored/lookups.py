# ruff: noqa: S608 - names come from the catalogue, quoted by the server
"""Whether an index finds the rows of its table: each key is read from the table, and looked up by that index alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_SECONDS_EACH = 900
_SETTINGS = {
    "statement_timeout": f"{_SECONDS_EACH}s",
    **{f"enable_{one}": "off" for one in ("seqscan", "indexonlyscan", "tidscan")},
    **{f"enable_{one}": "on" for one in ("indexscan", "bitmapscan")},
    "jit": "off",
}
_INDEX = """
    SELECT indrelid::regclass::text, quote_ident(t.relname), coalesce(pg_get_expr(indpred, indrelid), 'true'), i.relname
    FROM pg_index JOIN pg_class t ON t.oid = indrelid JOIN pg_class i ON i.oid = indexrelid WHERE indexrelid = %s"""
_KEYS = """
    SELECT format('(%%s)%%s', pg_get_indexdef(indexrelid, n, true),
            CASE WHEN indcollation[n - 1] <> 0 THEN ' COLLATE ' || indcollation[n - 1]::regcollation END),
        coalesce(pg_index_column_has_property(indexrelid, n, 'search_nulls'), false), (
            SELECT format('OPERATOR(%%s.%%s)', quote_ident(nspname), oprname)
            FROM pg_amop JOIN pg_operator o ON o.oid = amopopr JOIN pg_namespace s ON s.oid = oprnamespace
            WHERE amopfamily = opcfamily AND amoppurpose = 's' AND amoplefttype = opcintype
                AND (amoprighttype = opcintype OR amoprighttype = 'tsquery'::regtype)
            ORDER BY array_position('{=,~=,@>,<@,&&,~~,@@}'::text[], oprname::text), oprname LIMIT 1),
        opcintype = 'tsvector'::regtype
    FROM pg_index CROSS JOIN generate_series(1, indnkeyatts) n JOIN pg_opclass p ON p.oid = indclass[n - 1]
    WHERE indexrelid = %s ORDER BY n"""
_OTHERS = """
    UPDATE pg_index SET indisvalid = false
    WHERE indrelid = (SELECT indrelid FROM pg_index WHERE indexrelid = %(index)s) AND indexrelid <> %(index)s"""
_WORDS = r"""(SELECT string_agg('''' || replace(replace(w, '\', '\\'), '''', '''''') || '''', ' & ')
    FROM (SELECT w FROM unnest(tsvector_to_array({0})) w LIMIT 100) f)::tsquery"""


@dataclass(frozen=True)
class _Index:
    table: str
    alias: str
    condition: str
    name: str

    @property
    def rows(self) -> str:
        """What it is asked."""
        return f"FROM ONLY {self.table} {self.alias} WHERE ({self.condition})"

    @property
    def rows_of_table(self) -> str:
        """The same rows, with a fence that no index gets through."""
        return f"FROM (SELECT * FROM ONLY {self.table} OFFSET 0) {self.alias} WHERE ({self.condition})"


@dataclass(frozen=True)
class _Key:
    value: str
    finds_nulls: bool
    operator: str | None
    is_text_search: bool

    def text(self) -> str:
        return f'({self.value})::text COLLATE "C"'

    def finds(self, value: str, key: str) -> str:
        """A condition that holds of a key and itself."""
        return f"{value} {self.operator} {_WORDS.format(key) if self.is_text_search else key}"


def missed(connection: psycopg.Connection[Any], number: int) -> tuple[list[str], str]:
    """
    Compare what an index finds with what its table holds: every distinct key, and NULLs where the method finds them.

    A key is looked up by an operator that holds between the key and itself. The other indexes of the table are hidden
    meanwhile, and the planner is asked whether it goes by this one.

    Args:
        connection: In a transaction; nothing of what is done here is left in it.
        number: OID of the index.

    Returns:
        What the index does not find, or finds twice; and why it could not be compared, or "".
    """
    import psycopg

    found = connection.execute(_INDEX, (number,)).fetchone()
    assert found is not None
    keys = [_Key(*one) for one in connection.execute(_KEYS, (number,)).fetchall()]
    said, why = list[str](), ""
    if not all(key.operator for key in keys):
        return said, "its operator class has no operator by which a key finds itself"
    try:
        with connection.transaction():
            for name, value in _SETTINGS.items():
                connection.execute("SELECT set_config(%s, %s, true)", (name, value))
            if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                connection.execute(_OTHERS, {"index": number})
            said, why = _compared(connection, _Index(*found), keys)
            raise psycopg.Rollback
    except psycopg.errors.InsufficientPrivilege as exc:
        why = f"the other indexes of its table cannot be set aside: {exc.diag.message_primary}"
    except psycopg.errors.QueryCanceled:
        why = f"it was not looked through within {_SECONDS_EACH} s"
    return said, why


def _compared(connection: psycopg.Connection[Any], index: _Index, keys: list[_Key]) -> tuple[list[str], str]:
    said = []
    for value in (key.value for key in keys if key.finds_nulls):
        by_index = f"SELECT count(*) {index.rows} AND {value} IS NULL"
        (there,) = _row(connection, f"SELECT count(*) {index.rows_of_table} AND {value} IS NULL")
        if not _goes_by(connection, index, by_index):
            if there:
                return [], f"the planner does not look up by it where {value} is NULL"
            continue
        (found,) = _row(connection, by_index)
        if found != there:
            said.append(f"it finds {found} rows in which {value} is NULL, the table has {there}")
    lookups = _lookups(index, keys)
    if not _goes_by(connection, index, lookups):
        return [], "the planner does not look its keys up by it"
    looked_up, wrong, rows, example = _row(connection, lookups)
    present = " AND ".join(f"{key.value} IS NOT NULL" for key in keys)
    if not looked_up and _row(connection, f"SELECT EXISTS (SELECT {index.rows_of_table} AND {present})") == (True,):
        return said, "no key of it finds itself"
    if wrong:
        said.append(
            f"of {looked_up} keys {wrong} are not found by it as often as the table has them ({rows} rows): {example}"
        )
    return said, ""


def _lookups(index: _Index, keys: list[_Key]) -> str:
    numbered = list(enumerate(keys, 1))
    read = ", ".join(f"{key.value} AS k{n}, {key.text()} AS t{n}" for n, key in numbered)
    texts = ", ".join(f"t{n}" for n, _ in numbered)
    judged = " AND ".join(key.finds(f"k{n}", f"k{n}") for n, key in numbered)
    same = " AND ".join(f"{key.finds(key.value, f'o.k{n}')} AND {key.text()} = o.t{n}" for n, key in numbered)
    return f"""
        WITH keys AS MATERIALIZED (
            SELECT DISTINCT ON ({texts}) *, count(*) OVER (PARTITION BY {texts}) AS there
            FROM (SELECT {read} {index.rows_of_table} OFFSET 0) r WHERE {judged})
        SELECT count(*), count(*) FILTER (WHERE found <> there),
            coalesce(sum(abs(found - there)), 0)::int8,
            left(min(concat_ws(', ', {texts})) FILTER (WHERE found <> there), 80)
        FROM keys o CROSS JOIN LATERAL (SELECT count(*) AS found {index.rows} AND {same}) f"""


def _row(connection: psycopg.Connection[Any], sql: str) -> tuple[Any, ...]:
    row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return tuple(row)


def _goes_by(connection: psycopg.Connection[Any], index: _Index, sql: str) -> bool:
    (plan,) = _row(connection, f"EXPLAIN (FORMAT JSON, COSTS off) {sql}")
    return f'"Index Name": {json.dumps(index.name)}' in json.dumps(plan)
