"""
The process that writes from outside of the database, and keeps the ledger: `python -m opsproof.rehearsal.clock.writer`.

It takes its orders as JSON in the environment (`OPSPROOF_WRITER`), for an address may hold a password, and ends on
SIGTERM, or by itself after `longest`. What it could not do is in its log: every line of it says what, where, next.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from opsproof.errors import NotObserved, OpsproofError, PreconditionMissing
from opsproof.rehearsal.clock.ledger_file import LedgerFile
from opsproof.rehearsal.clock.paths import DatabaseWay, ServiceWay, Unacknowledged, Way, told_by

ORDERS = "OPSPROOF_WRITER"
"""Environment variable with the orders."""


@dataclass(frozen=True, repr=False)
class Orders:
    """
    What the writer is to do. One of `conninfo`, `command`, `url` says where to.

    Attributes:
        ledger: Path of its file.
        interval: Seconds from one write to the next; at most a tenth of the RPO, or it will prove nothing.
        seconds: Limit of one write.
        conninfo: libpq's connection string; with several hosts it finds the one that takes writes.
        command: Prints such a string; asked again for each connection.
        url: Of the service, which writes the row.
        token: For the service.
        longest: Seconds after which it ends by itself, whoever forgot it.
    """

    ledger: str
    interval: float
    seconds: float = 5.0
    conninfo: str = ""
    command: tuple[str, ...] = ()
    url: str = ""
    token: str = ""
    longest: float = 86_400.0

    def __post_init__(self) -> None:
        if [bool(self.conninfo), bool(self.command), bool(self.url)].count(True) != 1:
            raise ValueError("expected one of conninfo, command, url")
        if min(self.interval, self.seconds, self.longest) <= 0:
            raise ValueError("expected seconds above 0")

    def to_environment(self) -> dict[str, str]:
        """For the process that is started."""
        return {ORDERS: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls) -> Orders:
        """The orders of this process. Raises PreconditionMissing."""
        try:
            told = json.loads(os.environ.pop(ORDERS, ""))
            return cls(**{**told, "command": tuple(told["command"])})
        except (ValueError, TypeError, KeyError) as exc:
            next_step = "Start it by opsproof.rehearsal.clock.writing."
            raise PreconditionMissing("the writer has no orders", where=ORDERS, next_step=next_step) from exc


def write(orders: Orders, stop: threading.Event) -> None:
    """
    Write one row after the other until `stop`, each noted in the ledger before it is sent, and after its answer.

    An id is never sent twice, whatever the answer was. While nobody takes writes, none is sent.

    Raises:
        OpsproofError: The ledger is not to be had, or acknowledgements mean nothing on this server.
    """
    way = _way(orders)
    end, said = time.monotonic() + orders.longest, ""
    with LedgerFile(Path(orders.ledger), interval=orders.interval) as ledger:
        number, first = ledger.last, not ledger.last
        due = time.monotonic()
        while not stop.wait(max(due - time.monotonic(), 0.0)) and time.monotonic() < end:
            due = max(due + orders.interval, time.monotonic())
            try:
                way.open()
                if first:
                    number, first = max(number, way.highest()), False
            except NotObserved as exc:
                if first and isinstance(exc, PreconditionMissing):
                    raise
                if str(exc) != said:
                    said = str(exc)
                    _log(said)
                due = time.monotonic() + orders.interval
                continue
            number += 1
            value = secrets.token_hex(8)
            ledger.sent(number, value)
            try:
                server = way.write(number, ledger.clock.now(), ledger.writer, value)
            except Unacknowledged as exc:
                ledger.unacked(number, str(exc))
            else:
                ledger.acked(number, server)
        way.close()


def main() -> int:
    """Run the process. Returns its exit status: 0 when it was asked to end, 2 when it could not do its work."""
    stop = threading.Event()

    def asked(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        write(Orders.from_environment(), stop)
    except OpsproofError as exc:
        _log(str(exc))
        return 2
    return 0


def _way(orders: Orders) -> Way:
    if orders.url:
        return ServiceWay(orders.url, orders.token, orders.seconds)
    conninfo = orders.conninfo
    return DatabaseWay(told_by(orders.command) if orders.command else lambda: conninfo, orders.seconds)


def _log(what: str) -> None:
    sys.stderr.write(what + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
