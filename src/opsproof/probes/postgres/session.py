"""Sessions of a database: opened when needed, kept, and discarded when they break."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row

from opsproof.probes.postgres.connection import Connection
from opsproof.probes.progress import Progress

MOST_ROWS = 10_000
"""The largest result that is read."""

CURSOR = "DECLARE opsproof NO SCROLL CURSOR FOR "
_SETTINGS = (
    "SELECT set_config('statement_timeout', %(statement)s, true), set_config('lock_timeout', %(lock)s, true),"
    " set_config('cursor_tuple_fraction', '1', true)"
)
_LOCKS = """
    SELECT c.relname, l.pid, coalesce(a.application_name, ''), coalesce(a.state, ''), now() - a.xact_start
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.granted AND l.pid <> pg_backend_pid() AND l.mode IN ('AccessExclusiveLock', 'ExclusiveLock')
      AND c.relname !~ '^pg_' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY a.xact_start LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A result: the names of its columns, and its rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Holder:
    """A session that holds a strong lock on a table."""

    table: str
    pid: int
    application: str
    state: str
    seconds: float | None


class NotConnected(Exception):
    """No connection could be made; the cause is psycopg's error."""


class Sessions:
    """
    Read-only sessions of one database.

    Args:
        dsn: The database's address.
        timeout: Seconds that a question may take.

    Raises:
        ValueError: The address cannot be read. The text does not show it.
    """

    def __init__(self, dsn: str, timeout: float) -> None:
        try:
            conninfo_to_dict(dsn)
        except psycopg.Error:
            raise ValueError("the dsn cannot be read") from None
        self._dsn = dsn
        self._timeout = timeout
        self._idle: list[Connection] = []

    async def query(self, sql: str, parameters: Mapping[str, Any], progress: Progress, *, cursor: bool) -> Table:
        """
        Run one statement in a read-only transaction that is rolled back.

        Args:
            sql: The statement.
            parameters: Values of its `%(name)s`.
            progress: Told how far the question has come.
            cursor: True to read it through a cursor, so that no more than `MOST_ROWS` + 1 rows are sent.

        Raises:
            NotConnected: No connection could be made.
            psycopg.Error: The statement failed.
        """
        reused = bool(self._idle)
        try:
            return await self._query_on(await self._take(progress), sql, parameters, cursor=cursor)
        except psycopg.OperationalError as exc:
            if not reused or (exc.sqlstate and not exc.sqlstate.startswith(("08", "57P"))):
                raise
        # The idle connection had died with a restart of the database: this says nothing about the database of now.
        await self.close()
        return await self._query_on(await self._take(progress), sql, parameters, cursor=cursor)

    async def lock_holders(self) -> list[Holder]:
        """
        Who holds strong locks on tables now.

        Raises:
            NotConnected, psycopg.Error: It cannot be found out.
        """
        found = await self.query(_LOCKS, {}, Progress(), cursor=False)
        return [
            Holder(table, pid, application, state, None if since is None else since.total_seconds())
            for table, pid, application, state, since in found.rows
        ]

    async def close(self) -> None:
        """Close all idle connections."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()

    async def _take(self, progress: Progress) -> Connection:
        if self._idle:
            return self._idle.pop()
        progress.connecting = True
        try:
            connection = await Connection.connect(
                self._dsn,
                autocommit=True,
                prepare_threshold=None,
                row_factory=tuple_row,
                application_name="opsproof",
                client_encoding="UTF8",
                connect_timeout=math.ceil(self._timeout) + 1,
                keepalives=1,
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
            )
        except psycopg.Error as exc:
            raise NotConnected from exc
        progress.connecting = False
        return connection

    async def _query_on(
        self, connection: Connection, sql: str, parameters: Mapping[str, Any], *, cursor: bool
    ) -> Table:
        statement = {"statement": f"{self._timeout * 900:.0f}", "lock": f"{self._timeout * 700:.0f}"}
        try:
            async with connection.pipeline():
                await connection.execute("BEGIN READ ONLY")
                await connection.execute(_SETTINGS, statement)
                asked = await connection.execute((CURSOR + sql if cursor else sql).encode(), parameters or None)
                if cursor:
                    # The comment is what a database administrator sees in pg_stat_activity.
                    fetch = f"FETCH {MOST_ROWS + 1} FROM opsproof -- {' '.join(sql.split())}"
                    asked = await connection.execute(fetch.encode())
                await connection.execute("ROLLBACK")
                rows = await asked.fetchall()
            return Table(tuple(column.name for column in asked.description or ()), rows)
        finally:
            await self._put_back(connection)

    async def _put_back(self, connection: Connection) -> None:
        if not connection.closed and connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            try:
                await connection.rollback()
            except psycopg.Error:
                # Why the statement failed matters, and is being raised; this connection is of no more use.
                await connection.close()
        if connection.closed or connection.broken:
            await connection.close()
        else:
            self._idle.append(connection)
