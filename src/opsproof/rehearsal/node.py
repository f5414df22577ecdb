"""A PostgreSQL server that a rehearsal reads from and writes to."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

from opsproof.errors import NoData, NotObserved, PreconditionMissing, TimedOut, Unreachable
from opsproof.probes.postgres.values import plain
from opsproof.rehearsal.asking import Asking

if TYPE_CHECKING:
    import psycopg

_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 20.0


@dataclass(frozen=True)
class Commit:
    """
    What came of a write, as its client saw it.

    Attributes:
        acknowledged: Whether the server said that it is committed, without a warning that takes it back.
        seconds: From the begin of the connection to the answer, or to the end of patience.
        why: Why it is not acknowledged; "" when it is.
    """

    acknowledged: bool
    seconds: float
    why: str = ""


class Node:
    """
    One server, by an address that may write.

    Every question has a limit on this side: no setting of the server ends a commit that waits for a standby.

    Args:
        name: How people call it: `dr`.
        conninfo: How libpq reaches it, credentials included.
        asking: Keeps the answers.
    """

    def __init__(self, name: str, conninfo: str, asking: Asking) -> None:
        self.name = name
        self.conninfo = conninfo
        self.asking = asking

    async def rows(self, sql: str, *, seconds: float = _STATEMENT_SECONDS, **parameters: Any) -> list[dict[str, Any]]:
        """
        The rows of a statement, in a transaction that is committed.

        Args:
            sql: One statement, with `%(name)s` for its parameters.
            seconds: Limit on this side.
            **parameters: Values of the statement's parameters.

        Returns:
            A dict of plain JSON values for each row.

        Raises:
            NotObserved: There is no answer; says why.
        """

        def call() -> list[dict[str, Any]]:
            with self._answered(sql, seconds) as connection:
                cursor = connection.execute(sql, parameters or None)
                columns = [column.name for column in cursor.description or ()]
                found = cursor.fetchall() if columns else []
                return [dict(zip(columns, map(plain, row), strict=True)) for row in found]

        return await self.asking.ask(self._text(sql, parameters), self._by_hand(sql), call, seconds=seconds + 10)

    async def value(self, sql: str, *, seconds: float = _STATEMENT_SECONDS, **parameters: Any) -> Any:
        """
        The value of a statement that gives one row of one column; None for NULL. Arguments as for `rows`.

        Raises:
            NoData: There is no row.
            NotObserved: As for `rows`.
        """
        found = await self.rows(sql, seconds=seconds, **parameters)
        if not found:
            next_step = "See by hand whether what it looks for is there."
            raise NoData("no row where a value was expected", where=self._where(sql), next_step=next_step)
        return next(iter(found[0].values()))

    async def commit(self, sql: str, *, seconds: float = _STATEMENT_SECONDS, **parameters: Any) -> Commit:
        """
        Write, and say what the client was told. A write that nobody acknowledges is an answer, and no error.

        At the end of `seconds` the connection is cut, and not the statement cancelled: PostgreSQL commits a cancelled
        wait for a synchronous standby, and that is no acknowledgement (its warning is heeded too).
        """

        def call() -> dict[str, Any]:
            begun = time.monotonic()
            notices: list[str] = []
            try:
                with self._answered(sql, seconds, notices) as connection:
                    connection.execute(sql, parameters or None)
            except NotObserved as exc:
                return asdict(Commit(False, round(time.monotonic() - begun, 4), exc.what))
            taken_back = next((notice for notice in notices if "synchronous" in notice), "")
            return asdict(Commit(not taken_back, round(time.monotonic() - begun, 4), taken_back))

        text = self._text(sql, parameters)
        return Commit(**await self.asking.ask(text, self._by_hand(sql), call, seconds=seconds + 10))

    @contextlib.contextmanager
    def _answered(
        self, sql: str, seconds: float, notices: list[str] | None = None
    ) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        import psycopg

        cut = threading.Event()
        try:
            with psycopg.connect(self.conninfo, connect_timeout=_CONNECT_SECONDS) as connection:
                if notices is not None:
                    connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
                timer = threading.Timer(seconds, _cut, (connection.fileno(), cut))
                timer.start()
                try:
                    yield connection
                    connection.commit()
                finally:
                    timer.cancel()
        except psycopg.OperationalError as exc:
            if cut.is_set():
                next_step = "See what it waits for: pg_stat_activity.wait_event (SyncRep: a standby that is not there)."
                what = f"no answer within {seconds:g} s, and the connection was cut"
                raise TimedOut(what, where=self._where(sql), next_step=next_step, target=self.name) from None
            said = str(exc).strip().splitlines()
            next_step = f"See whether {self.name} runs, and whether its address and credential are right."
            what = said[0] if said else type(exc).__name__
            raise Unreachable(what, where=self._where(sql), next_step=next_step, target=self.name) from None
        except psycopg.Error as exc:
            what = exc.diag.message_primary or type(exc).__name__
            next_step = "Try the statement by hand."
            raise PreconditionMissing(what, where=self._where(sql), next_step=next_step, target=self.name) from None

    def _text(self, sql: str, parameters: Mapping[str, Any]) -> str:
        told = " ".join(f"{name}={value}" for name, value in parameters.items())
        return f"{self.name}: {' '.join(sql.split())}{f' with {told}' if told else ''}"

    def _by_hand(self, sql: str) -> str:
        import psycopg.conninfo

        shown = {
            key: value
            for key, value in psycopg.conninfo.conninfo_to_dict(self.conninfo).items()
            if key in ("host", "port", "dbname", "user")
        }
        return f"psql {quote(' '.join(f'{key}={value}' for key, value in shown.items()))} -c {quote(sql.strip())}"

    def _where(self, sql: str) -> str:
        return self.asking.observer.where(f"{self.name}: {' '.join(sql.split())}")


def _cut(descriptor: int, cut: threading.Event) -> None:
    cut.set()
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as wire:
        wire.shutdown(socket.SHUT_RDWR)
