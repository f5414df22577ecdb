"""The way that a row of the ledger is written by: over a connection of the writer's own."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

from opsproof.errors import PreconditionMissing, Unreachable
from opsproof.rehearsal.clock.ledger import Server
from opsproof.rehearsal.clock.ledger_table import TABLE

if TYPE_CHECKING:
    import psycopg

_CONNECT_SECONDS = 3
_INSERT = f"""
    INSERT INTO {TABLE} (id, at, writer, value) VALUES (%(id)s, %(at)s, %(writer)s, %(value)s)
    RETURNING (SELECT system_identifier::text FROM pg_control_system()),
              pg_walfile_name(pg_current_wal_insert_lsn()), pg_current_wal_insert_lsn()::text,
              current_setting('synchronous_commit')"""  # noqa: S608 - a name of ours


class Unacknowledged(Exception):
    """There is no acknowledgement of a write, and there will be none; says why."""


class DatabaseWay:
    """
    Over a connection of its own that is kept as long as it works.

    Args:
        conninfo: libpq's connection string; with several hosts it finds the one that takes writes.
        seconds: Limit of one write, on this side: at its end the socket is cut, and nothing is cancelled, for
            PostgreSQL commits a cancelled wait for a standby.
    """

    def __init__(self, conninfo: str, seconds: float) -> None:
        self._conninfo = conninfo
        self._seconds = seconds
        self._connection: psycopg.Connection[Any] | None = None
        self._notices: list[str] = []

    def open(self) -> None:
        """Connect to the server that takes writes. Raises NotObserved."""
        if self._connection is not None:
            return
        import psycopg
        from psycopg.conninfo import make_conninfo

        try:
            told = make_conninfo(
                self._conninfo,
                target_session_attrs="read-write",
                application_name="opsproof-writer",
                connect_timeout=_CONNECT_SECONDS,
            )
        except psycopg.ProgrammingError:  # its words may quote a part of a password
            next_step = "Write it as libpq does: host=a,b port=5432 dbname=x user=y, or postgresql://..."
            what = "the connection string cannot be understood"
            raise PreconditionMissing(what, where="the writer's database", next_step=next_step) from None
        try:
            connection = psycopg.connect(told, autocommit=True, prepare_threshold=None)
        except psycopg.Error as exc:
            next_step = "See whether one of its addresses takes writes."
            raise Unreachable(_first_line(exc), where="the writer's database", next_step=next_step) from None
        connection.add_notice_handler(lambda notice: self._notices.append(notice.message_primary or ""))
        self._connection = connection
        try:
            mode = self._said("SHOW synchronous_commit")
        except Unacknowledged as exc:
            raise Unreachable(str(exc), where="the writer's database", next_step="See whether it answers.") from None
        if mode == "off":
            self.close()
            what = "synchronous_commit is off for the writer: an acknowledgement means nothing, so no loss can be found"
            next_step = "Set it to on for the writer's role, as for the service's, and begin anew."
            raise PreconditionMissing(what, where="SHOW synchronous_commit", next_step=next_step)

    def highest(self) -> int:
        """The highest id of the table. Raises NotObserved."""
        self.open()
        try:
            return int(self._said(f"SELECT coalesce(max(id), 0) FROM {TABLE}"))  # noqa: S608 - a name of ours
        except Unacknowledged as exc:
            next_step = "Prepare the table first."
            raise PreconditionMissing(str(exc), where=TABLE, next_step=next_step) from None

    def write(self, number: int, at: datetime, writer: str, value: str) -> Server:
        """Insert one row. Raises Unacknowledged."""
        self._notices.clear()
        parameters = {"id": number, "at": at, "writer": writer, "value": value}
        system, segment, lsn, sync = self._asked(_INSERT, parameters)
        if warned := next((notice for notice in self._notices if "synchronous" in notice), ""):
            raise Unacknowledged(warned)
        if sync == "off":
            self.close()
            raise Unacknowledged("synchronous_commit is off: the acknowledgement means nothing")
        return Server(system, int(segment[:8], 16), lsn, sync)

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _said(self, sql: str) -> Any:
        return self._asked(sql, None)[0]

    def _asked(self, sql: str, parameters: dict[str, Any] | None) -> tuple[Any, ...]:
        import psycopg

        connection = self._connection
        if connection is None:
            raise Unacknowledged("there is no connection")
        late = threading.Event()
        timer = threading.Timer(self._seconds, _cut, (connection.fileno(), late))
        timer.start()
        try:
            try:
                row: tuple[Any, ...] | None = connection.execute(sql, parameters).fetchone()
            finally:
                timer.cancel()
        except psycopg.Error as exc:
            self.close()
            what = (
                f"no answer within {self._seconds:g} s; the connection was cut" if late.is_set() else _first_line(exc)
            )
            raise Unacknowledged(what) from None
        if late.is_set():
            self.close()
        return row or ()


def _first_line(exc: Exception) -> str:
    return next(iter(str(exc).strip().splitlines()), type(exc).__name__)


def _cut(descriptor: int, late: threading.Event) -> None:
    late.set()
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as wire:
        wire.shutdown(socket.SHUT_RDWR)
