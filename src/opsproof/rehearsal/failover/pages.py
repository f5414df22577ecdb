# ruff: noqa: S608 - names come from the catalogue, quoted by the server
"""Pages that nobody has read for long, and rows that are others than the primary's: both are found by reading."""

from typing import TYPE_CHECKING, Any

from opsproof.errors import NoData
from opsproof.rehearsal.failover import asked
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.content import LARGE_OBJECTS, content_hashes, tables_of
from opsproof.rehearsal.restored.reading import opened, steady

if TYPE_CHECKING:
    import psycopg

MOST_BYTES = 10 << 30
"""Of a database: so much is read by default."""

_SECONDS = 3600.0
_LOCK = "SET lock_timeout = '5s'"
_RELATIONS = """
    SELECT c.oid::regclass::text AS name, c.oid::int8 AS number, relkind::text AS kind
    FROM pg_class c LEFT JOIN pg_am a ON a.oid = relam LEFT JOIN pg_index i ON i.indexrelid = c.oid
    WHERE (relkind IN ('r', 'm', 't') OR relkind = 'i' AND amname = 'btree' AND indisvalid) AND relpersistence = 'p'
        AND (relkind <> 'm' OR relispopulated) ORDER BY 1
"""
_SIZE = "SELECT coalesce(sum(pg_relation_size(oid)), 0)::int8 FROM pg_class WHERE relkind IN ('r', 'm', 't', 'i')"
_AMCHECK = """
    SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'amcheck'
"""
_NOW = "SELECT pg_current_wal_lsn()::text"
_REPLAYED = "SELECT coalesce(pg_last_wal_replay_lsn() >= %(lsn)s::pg_lsn, false)"
_BAD = ("XX", "58")
"""Classes of errors by which the server says that it is its data that is wrong, or its disk."""


async def page_faults(node: Node, most: int) -> list[str]:
    """
    Read every page of every table and of what it holds out of line, and with the extension amcheck every B-tree.

    Args:
        most: Bytes; a larger database is not read.

    Raises:
        NoData: It is larger.
        NotObserved: It does not answer, or does not let this role read.
    """
    await _small_enough(node, most)
    reader = steady(node, rows=True)
    where = node.asking.observer.where(f"{node.name}: every page")

    def call() -> list[str]:
        with opened(reader, where) as connection:
            connection.autocommit = True
            connection.execute(_LOCK)
            amcheck = connection.execute(_AMCHECK).fetchone()
            check = f"SELECT {amcheck[0]}.bt_index_check(%s::oid::regclass)" if amcheck else ""
            found = []
            for name, number, kind in connection.execute(_RELATIONS).fetchall():
                if kind != "i":
                    found += _read(connection, node.name, name, f"SELECT count(*) FROM ONLY {name}")
                elif check:
                    found += _read(connection, node.name, name, check % number)
            return found

    by_hand = "pg_amcheck --all; without the extension, SELECT count(*) of every table"
    return await node.asking.ask(f"{node.name}: read every page", by_hand, call, seconds=_SECONDS)


def _read(connection: "psycopg.Connection[Any]", server: str, name: str, sql: str) -> list[str]:
    import psycopg

    try:
        connection.execute(sql.encode())
    except psycopg.Error as exc:
        if not (exc.sqlstate or "").startswith(_BAD):
            raise
        return [f"{name} on {server} cannot be read: {exc.diag.message_primary}"]
    return []


async def row_faults(primary: Node, standby: Node, most: int, seconds: float) -> list[str]:
    """
    Tables whose rows are others on a standby than on its primary, although nobody wrote there meanwhile.

    Args:
        most: Bytes; a larger database is not read.
        seconds: Within which the standby must have replayed what the primary has written.

    Raises:
        NoData: It is larger, or the standby is behind.
        NotObserved: One of both does not answer, or does not let this role read.
    """
    await _small_enough(primary, most)
    here = await content_hashes(primary)
    lsn = await primary.value(_NOW)
    there_by_now = await asked.until(lambda: standby.value(_REPLAYED, lsn=lsn), bool, seconds)
    if not there_by_now:
        next_step = "See why it does not replay; compare afterwards."
        what = f"{standby.name} has not replayed {lsn}: no rows can be compared"
        raise NoData(what, where=standby.name, next_step=next_step)
    both = [name for name in await tables_of(standby) if name in here] + [LARGE_OBJECTS]
    there = await content_hashes(standby, both)
    unlike = [name for name in both if there[name] != here[name]]
    again = await content_hashes(primary, unlike) if unlike else {}
    return [
        f"{name} has other rows on {standby.name} ({there[name]['rows']}) than on {primary.name} "
        f"({here[name]['rows']}), and nobody wrote there meanwhile"
        for name in unlike
        if again[name] == here[name]
    ]


async def _small_enough(node: Node, most: int) -> None:
    size = int(await node.value(_SIZE))
    if size > most:
        raise NoData(
            f"not every page of {node.name} was read: its database has {size:,} bytes, at most {most:,} are read",
            where=node.name,
            next_step="Raise rehearsals.full_read, or run pg_amcheck and a comparison by hand, and attest it.",
        )
