# ruff: noqa: S608 - names come from the catalogue, quoted by the server
"""Rows that lost transactions wrote or deleted in one database, as CSV."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsproof.rehearsal.failover.losses import Losses, Place, Written
from opsproof.rehearsal.node import Node

if TYPE_CHECKING:
    import psycopg

_RELATIONS = """
    SELECT concat_ws('/', coalesce(nullif(c.reltablespace, 0), dattablespace),
                     CASE WHEN c.relisshared THEN 0 ELSE d.oid END, pg_relation_filenode(c.oid)) AS file,
           format('%I.%I', n.nspname, c.relname) AS name, c.relkind::text AS kind, c.oid::int8 AS number,
           n.nspname IN ('pg_catalog', 'information_schema') AND c.relname NOT LIKE 'pg\\_largeobject%' AS catalogue,
           EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'oid') AS described
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_database d ON datname = current_database()
    WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence = 'p' ORDER BY 2
"""
_STATISTICS = ("pg_catalog.pg_statistic", "pg_catalog.pg_statistic_ext_data")
_SHOWN = 5


@dataclass(frozen=True)
class Export:
    """
    Rows of one table that the lost commits wrote, or deleted, kept as CSV.

    Attributes:
        database: Where the table is.
        table: Its quoted name.
        rows: How many.
        file: Path of the CSV.
        sha256: Of the CSV.
        digests: MD5 of each row's text, to look for it elsewhere; none of deleted rows.
        deleted: Whether they were deleted; they are as the new primary had them when it was asked.
    """

    database: str
    table: str
    rows: int
    file: str
    sha256: str
    digests: tuple[str, ...]
    deleted: bool = False


@dataclass
class LostRows:
    """
    Reads one database.

    Args:
        name: Its name.
        old: A connection to it in a copy of the old primary.
        primary: The new primary.
        lost: What was lost.
        xids: The lost transactions.
        folder: Where the files go.

    Attributes:
        exports: What was kept.
        missing: In words what was not.
        files: Files of its tables.
    """

    name: str
    old: "psycopg.Connection[Any]"
    primary: Node
    lost: Losses
    xids: Sequence[int]
    folder: Path
    exports: list[Export] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)

    def read(self) -> None:
        """Look through every table."""
        self.old.execute("SET lock_timeout = '10s'")
        catalogues = []
        for file, name, kind, number, catalogue, described in self.old.execute(_RELATIONS).fetchall():
            self.files.add(file)
            done = self.lost.files.get(file, Written())
            if number in self.lost.truncated:
                self.missing.append(f"TRUNCATE of {name}")
            if catalogue and file in self.lost.files and name not in _STATISTICS:
                catalogues.append(f"{name.partition('.')[2]}{self._described(name) if described else ''}")
            elif kind == "r" and not catalogue:
                self._reading(name, partial(self._written, name, done))
                if done.deleted:
                    self._reading(name, partial(self._deleted, name, done.deleted))
        if catalogues:
            self.missing.append(f"DDL: changes of {', '.join(catalogues)}")

    def _reading(self, name: str, read: Callable[[], None]) -> None:
        import psycopg

        try:
            read()
        except psycopg.Error as exc:
            said = str(exc).strip().splitlines() or [type(exc).__name__]
            self.missing.append(f"rows of {name}, which cannot be read: {said[0]}")

    def _written(self, name: str, done: Written) -> None:
        those = f"FROM ONLY {name} t WHERE xmin::text = ANY('{{{','.join(map(str, self.xids))}}}')"
        found = self.old.execute(f"SELECT md5(t::text), xmin::text::int8 {those}").fetchall()
        there = {xid for _, xid in found}
        if not done.superseded and (gone := done.xids - there):
            self.missing.append(f"rows of {name} that {len(gone)} transactions wrote: none of them is found")
        if found:
            file, sha256 = self._copied(self.old, f"SELECT xmin::text AS lost_xid, t.* {those}", f"{self.name}.{name}")
            self.exports.append(Export(self.name, name, len(found), file, sha256, tuple(one for one, _ in found)))

    def _deleted(self, name: str, places: set[Place]) -> None:
        """A row that was deleted after the fork is on the new primary, in the place that it had."""
        import psycopg
        import psycopg.conninfo

        listed = ",".join(f'"({block},{number})"' for block, number in sorted(places))
        before = f"age(xmin) > age('{min(self.xids)}'::xid)"  # later rows may have taken the place
        those = f"FROM ONLY {name} t WHERE ctid = ANY('{{{listed}}}'::tid[]) AND {before}"
        conninfo = psycopg.conninfo.make_conninfo(self.primary.conninfo, dbname=self.name)
        with psycopg.connect(conninfo, autocommit=True, connect_timeout=5) as connection:
            [(rows,)] = connection.execute(f"SELECT count(*) {those}").fetchall()
            if rows:
                file, sha256 = self._copied(connection, f"SELECT t.* {those}", f"{self.name}.{name}-deleted")
                self.exports.append(Export(self.name, name, rows, file, sha256, (), deleted=True))
        if left := len(places) - rows:
            self.missing.append(f"DELETE of {left} rows of {name} that {self.primary.name} has changed, or has not")

    def _copied(self, connection: "psycopg.Connection[Any]", select: str, name: str) -> tuple[str, str]:
        file = self.folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}.csv"
        file.touch(mode=0o600)
        digest = hashlib.sha256()
        with (
            file.open("wb") as out,
            connection.cursor().copy(f"COPY ({select}) TO STDOUT (FORMAT csv, HEADER)") as rows,
        ):
            for block in rows:
                out.write(block)
                digest.update(block)
        return str(file), digest.hexdigest()

    def _described(self, name: str) -> str:
        sql = f"""
            SELECT pg_describe_object('{name}'::regclass, oid, 0) FROM {name}
            WHERE xmin::text = ANY('{{{",".join(map(str, self.xids))}}}') ORDER BY oid LIMIT {_SHOWN}"""
        told = [str(row[0]) for row in self.old.execute(sql).fetchall()]
        return f" ({', '.join(told)})" if told else ""
