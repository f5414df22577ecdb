"""A node as it is read for comparison: the same text for the same value, whatever the database and the role set."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from opsproof.errors import NotObserved, PreconditionMissing, Unreachable
from opsproof.rehearsal.node import Node

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

_SETTINGS = {
    "search_path": "pg_catalog",
    "client_encoding": "UTF8",
    "DateStyle": "ISO",
    "TimeZone": "UTC",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmloption": "content",
    "row_security": "off",
    "statement_timeout": "0",
    "default_transaction_read_only": "on",
}
_NO_INDEX = {"enable_indexscan": "off", "enable_indexonlyscan": "off", "enable_bitmapscan": "off"}


def steady(node: Node, *, writes: bool = False, rows: bool = False) -> Node:
    """
    The same node, with settings that win over those of its database and roles: names are written with their schema,
    values in one form only, and a row-security policy is an error and hides nothing.

    Args:
        rows: Read rows from the tables themselves, and never through an index, which may be corrupt.
        writes: Whether it may write; what it writes is rolled back by its callers.
    """
    import psycopg.conninfo

    settings = _SETTINGS | (_NO_INDEX if rows else {})
    settings |= {"default_transaction_read_only": "off"} if writes else {}
    given = str(psycopg.conninfo.conninfo_to_dict(node.conninfo).get("options") or "")
    options = " ".join([given, *(f"-c {name}={value}" for name, value in settings.items())]).strip()
    return Node(node.name, psycopg.conninfo.make_conninfo(node.conninfo, options=options), node.asking)


@contextlib.contextmanager
def opened(node: Node, where: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to it; what the server objects to is said as an operator can use it, by `NotObserved`."""
    import psycopg

    try:
        with psycopg.connect(node.conninfo, connect_timeout=5) as connection:
            yield connection
    except psycopg.Error as exc:
        said = str(exc).strip().splitlines() or [type(exc).__name__]
        next_step = "Read the server's log; try by hand what was asked."
        kind: type[NotObserved] = Unreachable if exc.sqlstate is None else PreconditionMissing
        raise kind(said[0], where=where, next_step=next_step, target=node.name) from None


async def rolled_back(node: Node, text: str, work: Callable[[psycopg.Connection[Any]], T], *, seconds: float) -> T:
    """
    Do something in a transaction of the copy that is never committed.

    Args:
        text: What is done, for the evidence.
        work: Gets the connection; returns what JSON can hold.
        seconds: Limit on this side.

    Raises:
        NotObserved: It could not be done; says why.
    """
    writer = steady(node, writes=True)
    where = writer.asking.observer.where(f"{node.name}: {text}")

    def call() -> T:
        with opened(writer, where) as connection:
            try:
                return work(connection)
            finally:
                connection.rollback()

    return await writer.asking.ask(f"{node.name}: {text}", f"psql: {text}", call, seconds=seconds)
