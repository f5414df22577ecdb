"""The table that the outside writer alone fills: whoever writes heartbeats has another one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from opsproof.rehearsal.clock.ledger import Ledger
from opsproof.rehearsal.node import Node

TABLE = "opsproof_ledger"
_PAGE = 5000

_PREPARE = f"""
    CREATE TABLE IF NOT EXISTS {TABLE}
        (id bigint PRIMARY KEY, at timestamptz NOT NULL, writer text NOT NULL, value text NOT NULL)
"""


@dataclass(frozen=True)
class Found:
    """Rows of one id; more than one of each says that the primary key no longer holds."""

    id: int
    values: tuple[str, ...]
    writers: tuple[str, ...]


async def prepare(node: Node) -> None:
    """Make the table, if it is not there. Raises NotObserved if that is not possible."""
    await node.rows(_PREPARE)


async def newest(node: Node, *, seconds: float = 20.0) -> datetime | None:
    """
    When the newest write that can be read there was sent; None if there is none, or no such table.

    Args:
        node: Where to look.
        seconds: Limit of each of the two questions.

    Raises:
        NotObserved: It cannot be read.
    """
    if not await node.value("SELECT to_regclass(%(table)s) IS NOT NULL", seconds=seconds, table=TABLE):
        return None
    at = await node.value(f"SELECT max(at) FROM {TABLE}", seconds=seconds)  # noqa: S608 - a name of ours
    return datetime.fromisoformat(at) if at else None


async def found(node: Node, ledger: Ledger) -> AsyncIterator[Found]:
    """
    What is there of a ledger's writer, and of the ids that it used, page by page in the order of the ids.

    End the writer before its ledger is read: a row that it wrote later looks as if nobody had sent it.

    Args:
        node: Where to look.
        ledger: The writer's whole ledger.

    Raises:
        NotObserved: It cannot be read; nothing may be concluded then.
    """
    sql = f"""
        SELECT id, array_agg(value ORDER BY value, writer) AS values,
               array_agg(writer ORDER BY value, writer) AS writers
        FROM {TABLE} WHERE id > %(after)s AND (writer = %(writer)s OR id BETWEEN %(first)s AND %(last)s)
        GROUP BY id ORDER BY id LIMIT {_PAGE}"""  # noqa: S608 - a name of ours
    first, last = (ledger.entries[0].id, ledger.entries[-1].id) if ledger.entries else (1, 0)
    after = -(2**63)
    while True:
        page = await node.rows(sql, seconds=60, after=after, writer=ledger.writer, first=first, last=last)
        for row in page:
            yield Found(row["id"], tuple(row["values"]), tuple(row["writers"]))
        if len(page) < _PAGE:
            return
        after = page[-1]["id"]
