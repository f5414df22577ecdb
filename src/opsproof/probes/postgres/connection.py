"""A connection that can be dropped at any time without leaving a query behind."""

import asyncio
from typing import Any, TypeVar

import psycopg
from psycopg import waiting
from psycopg.abc import PQGen

R = TypeVar("R")

_CANCEL_SECONDS = 0.5


class Connection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """
    Ends its query on the server when the question is cancelled, and never waits long for that.

    psycopg's own wait gives a frozen server ten seconds; the gate has no ten seconds. What a cancelled connection
    leaves behind is ended by its statement timeout.
    """

    async def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        """Wait for the server; when cancelled, cancel the query there and close the connection."""
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except asyncio.CancelledError:
            try:
                await self.cancel_safe(timeout=_CANCEL_SECONDS)
            except psycopg.Error:
                # The server takes no cancellation either: it is frozen or gone, and the caller is told of the timeout.
                pass
            finally:
                self.pgconn.finish()
            raise
