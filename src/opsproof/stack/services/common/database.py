"""The service's connection pool, which answers quickly when the database does not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import select
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from opsproof.stack.services.common.failures import Unavailable

_log = logging.getLogger("opsproof.database")
PRE_PING: ContextVar[bool] = ContextVar("pre_ping", default=True)
"""Whether a request looks at a connection of the pool before it is used, as pool_pre_ping does."""

_IDLE_SECONDS = 0.5
"""So often one connection that nobody needed is closed: five services share a server."""

Row = dict[str, Any]
Parameters = Sequence[Any] | Mapping[str, Any]
_Connection = psycopg.AsyncConnection[DictRow]


@dataclass(frozen=True)
class PoolSize:
    """How many connections a service may hold: `size`, and `overflow` more while all of those are in use."""

    size: int = 5
    overflow: int = 0

    @property
    def most(self) -> int:
        """All that it may hold."""
        return self.size + self.overflow


class Database:
    """
    Single statements over a small pool, each committed by itself.

    Args:
        url: A `postgresql://` URL, or what gives one for each new connection.
        application_name: How the service shows in pg_stat_activity.
        pool: How many connections it may hold.
        statement_seconds: The server cancels a statement after this long; a question is given up a second later,
            waiting for a connection included.
    """

    def __init__(
        self, url: str | Callable[[], Awaitable[str]], application_name: str, pool: PoolSize, statement_seconds: int
    ) -> None:
        self.pool_size = pool
        self._statement_seconds = statement_seconds
        self._in_use = 0
        self._held: list[_Connection] = []
        self._holding = asyncio.Lock()
        self._returning: set[asyncio.Future[None]] = set()
        self._refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pool: AsyncConnectionPool[_Connection] = AsyncConnectionPool(
            url,
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "connect_timeout": 2,
                "application_name": application_name,
                "options": f"-c statement_timeout={statement_seconds * 1000}",
            },
            min_size=1,
            max_size=pool.most,
            max_idle=_IDLE_SECONDS,
            timeout=1.0,
            reconnect_timeout=0,
            reconnect_failed=self._announce_refusal,
            open=False,
            name=application_name,
        )

    async def open(self) -> None:
        """Start the pool without waiting for a connection."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close all connections."""
        await self.hold(0)
        await self._pool.close(timeout=0.5)

    async def query(self, statement: str, parameters: Parameters = (), *, seconds: float | None = None) -> list[Row]:
        """
        Run one statement and return its rows.

        Raises:
            Unavailable: No connection, no free connection, or no answer in time.
            psycopg.Error: The server refused the statement for its content.
        """
        seconds = self._statement_seconds + 1 if seconds is None else seconds
        task = asyncio.ensure_future(self._run(statement, parameters))
        task.add_done_callback(_retrieve)
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            answered = task.done()
            task.cancel()
        if not answered:
            raise Unavailable("database", f"no answer within {seconds:g} s")
        return task.result()

    async def hold(self, count: int) -> None:
        """Keep this many connections of the pool, each in a transaction, as a leak does; 0 gives them back."""
        async with self._holding:
            with contextlib.suppress(Unavailable, psycopg.Error):  # what is in use now is held at the next request
                while len(self._held) < min(count, self.pool_size.most):
                    self._held.append(await self._acquire())
                    await self._held[-1].execute("BEGIN")
            while len(self._held) > count:
                connection = self._held.pop()
                with contextlib.suppress(psycopg.Error):  # a connection that is lost has no transaction to end
                    await connection.execute("ROLLBACK")
                await self._release(connection)

    def usage(self) -> dict[str, int]:
        """Connections in use and the pool's limit."""
        return {"in_use": self._in_use, "limit": self.pool_size.most}

    def idle(self) -> int:
        """Connections that are open and not in use."""
        return int(self._pool.get_stats().get("pool_available", 0))

    async def on_each(self, statement: str) -> list[Row]:
        """
        Run one statement on every connection of the pool that nobody uses, and on one at least; all their rows.

        Raises:
            Unavailable: As for `query`.
        """
        taken: list[_Connection] = []
        try:
            for _ in range(max(1, self.idle())):
                taken.append(await self._acquire())
            return [row for connection in taken for row in await self._ask(connection, statement, ())]
        finally:
            for connection in taken:
                await self._release(connection)

    async def _run(self, statement: str, parameters: Parameters) -> list[Row]:
        connection = await self._acquire()
        try:
            return await self._ask(connection, statement, parameters)
        finally:
            await self._release(connection)

    async def _ask(self, connection: _Connection, statement: str, parameters: Parameters) -> list[Row]:
        try:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchall() if cursor.description else []
        except psycopg.errors.QueryCanceled:
            raise Unavailable("database", f"the statement was cancelled after {self._statement_seconds} s") from None
        except psycopg.OperationalError as error:
            _log.error("the connection to the database failed: %s", " ".join(str(error).split()))
            raise Unavailable("database", f"the connection failed ({type(error).__name__})") from None

    async def _acquire(self) -> _Connection:
        while _is_stale(connection := await self._next()) and PRE_PING.get():
            await connection.close()
            await self._release(connection)
        return connection

    async def _next(self) -> _Connection:
        taking = asyncio.ensure_future(self._pool.getconn())
        try:
            waited: set[asyncio.Future[Any]] = {taking, self._refused}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                raise Unavailable("database", "no connection could be made")
            connection = taking.result()
        except PoolTimeout:
            most = self.pool_size.most
            exhausted = self._in_use >= most
            reason = f"all {most} connections of the pool are in use" if exhausted else "no connection within 1 s"
            raise Unavailable("database", reason) from None
        except BaseException:
            taking.add_done_callback(self._give_back)
            raise
        self._in_use += 1
        return connection

    def _give_back(self, taking: asyncio.Future[_Connection]) -> None:
        if not taking.cancelled() and taking.exception() is None:
            returning = asyncio.ensure_future(self._pool.putconn(taking.result()))
            self._returning.add(returning)
            returning.add_done_callback(self._returning.discard)

    async def _release(self, connection: _Connection) -> None:
        self._in_use -= 1
        await self._pool.putconn(connection)

    async def _announce_refusal(self, _pool: AsyncConnectionPool[Any]) -> None:
        refused, self._refused = self._refused, asyncio.get_running_loop().create_future()
        refused.set_result(None)


def _is_stale(connection: _Connection) -> bool:
    """Whether the server has hung up: an idle connection with something to read."""
    return connection.closed or bool(select.select([connection.fileno()], [], [], 0)[0])


def _retrieve(task: asyncio.Future[list[Row]]) -> None:
    """Take the outcome of a question that nobody waits for any more, so that it is not reported as lost."""
    if not task.cancelled():
        task.exception()
