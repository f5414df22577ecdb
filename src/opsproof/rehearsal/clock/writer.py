"""
The process that writes from outside of the database, and keeps the ledger: `python -m opsproof.rehearsal.clock.writer`.

It takes its orders as JSON in the environment (`OPSPROOF_WRITER`), for an address may hold a password. It ends when the
rehearsal asks it to (SIGUSR1), and then alone its ledger says that it is whole; or on SIGTERM, or by itself after
`longest`. What it could not do is in its log: every line of it says what, where, next.
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
from opsproof.rehearsal.clock.paths import DatabaseWay, Unacknowledged

ORDERS = "OPSPROOF_WRITER"
"""Environment variable with the orders."""

ASKED = signal.SIGUSR1
"""By which the rehearsal asks it to end; nobody else sends that, neither by hand nor when a machine is shut down."""


@dataclass(frozen=True, repr=False)
class Orders:
    """
    What the writer is to do.

    Attributes:
        ledger: Path of its file.
        interval: Seconds from one write to the next; at most a tenth of the RPO, or it will prove nothing.
        conninfo: libpq's connection string; with several hosts it finds the one that takes writes.
        seconds: Limit of one write.
        longest: Seconds after which it ends by itself, whoever forgot it.
    """

    ledger: str
    interval: float
    conninfo: str
    seconds: float = 5.0
    longest: float = 86_400.0

    def __post_init__(self) -> None:
        if min(self.interval, self.seconds, self.longest) <= 0:
            raise ValueError("expected seconds above 0")

    def to_environment(self) -> dict[str, str]:
        """For the process that is started."""
        return {ORDERS: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls) -> Orders:
        """The orders of this process. Raises PreconditionMissing."""
        try:
            return cls(**json.loads(os.environ.pop(ORDERS, "")))
        except (ValueError, TypeError) as exc:
            next_step = "Start it by opsproof.rehearsal.clock.writing."
            raise PreconditionMissing("the writer has no orders", where=ORDERS, next_step=next_step) from exc


def write(orders: Orders, stop: threading.Event, asked: threading.Event) -> None:
    """
    Write one row after the other until `stop`, each noted in the ledger before it is sent, and after its answer.

    Args:
        orders: What it is to do.
        stop: Ends it.
        asked: Whether it was the rehearsal that ended it: then the ledger says that it is whole.

    An id is never sent twice, whatever the answer was. While nobody takes writes, none is sent.

    Raises:
        OpsproofError: The ledger is not to be had, or acknowledgements mean nothing on this server.
    """
    way = DatabaseWay(orders.conninfo, orders.seconds)
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
        if asked.is_set():
            ledger.end()


def main() -> int:
    """Run the process. Returns its exit status: 0 when it was asked to end, 2 when it could not do its work."""
    stop, asked = threading.Event(), threading.Event()

    def told(number: int, frame: FrameType | None) -> None:
        if number == ASKED:
            asked.set()
        stop.set()

    signal.signal(ASKED, told)
    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        write(Orders.from_environment(), stop, asked)
    except OpsproofError as exc:
        _log(str(exc))
        return 2
    return 0


def _log(what: str) -> None:
    sys.stderr.write(what + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
