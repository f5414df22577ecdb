"""The outside writer, as the rehearsal holds it: started, watched through its ledger, ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from opsproof.errors import OpsproofError, TimedOut
from opsproof.rehearsal.clock.ledger import Ledger, read_ledger
from opsproof.rehearsal.clock.writer import ASKED, Orders
from opsproof.stack.logs import log_tail
from opsproof.stack.process import MARK, Process, end, spawn, wait_for


class Writing:
    """
    A writer's process. It is in a session of its own: what ends this process, or a database, does not touch it.

    Args:
        orders: What it does.
        process: The process.
        log: Where its words go.
    """

    def __init__(self, orders: Orders, process: Process, log: Path) -> None:
        self.orders = orders
        self.process = process
        self.log = log

    @classmethod
    def start(cls, orders: Orders, *, log: Path, grounds: Path | None = None) -> Writing:
        """
        Start it.

        Args:
            orders: What it does; a ledger that is there already is continued.
            log: Where its words go.
            grounds: Folder of the grounds that end it at the latest; None for a rehearsal of a real environment.
        """
        import opsproof

        sources = str(Path(opsproof.__file__ or "").resolve().parent.parent)
        own = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": sources}
        environment = own | orders.to_environment()
        if grounds is not None:
            environment[MARK] = str(grounds)
        argv = [sys.executable, "-m", "opsproof.rehearsal.clock.writer"]
        return cls(orders, spawn(argv, env=environment, cwd=Path("/"), log=log), log)

    def ledger(self) -> Ledger:
        """What it has written so far. Raises OpsproofError."""
        return read_ledger(Path(self.orders.ledger))

    def until(self, acknowledged: int, *, seconds: float = 60.0) -> Ledger:
        """
        Wait until it has so many acknowledgements; its ledger then.

        Raises:
            TimedOut: It has not, or it ended.
        """
        path = Path(self.orders.ledger)

        def enough() -> bool:
            if not self.process.alive():
                return True
            begun = path.exists() and b"\n" in path.read_bytes()
            return begun and len(self.ledger().acknowledged) >= acknowledged

        wait_for(enough, seconds, pause=0.05)
        if not self.process.alive() or not enough():
            state = "runs" if self.process.alive() else "has ended"
            what = f"the writer has not {acknowledged} acknowledgements after {seconds:g} s, and {state}"
            where = f"{self.log}{log_tail(self.log, {})}"
            raise TimedOut(what, where=where, next_step="See in its log what it waits for.")
        return self.ledger()

    def stop(self, *, seconds: float = 15.0) -> Ledger:
        """
        Ask it to end; a write that waits for its answer comes to its end before.

        Returns:
            Its whole ledger.

        Raises:
            OpsproofError: It had to be killed and is still there; or the ledger cannot be trusted.
        """
        grace = max(seconds, self.orders.seconds + 5)
        if left := end([(self.process, ASKED)], grace=grace):
            what = f"the writer is still there after {grace:g} s"
            next_step = f"End it by hand: kill -KILL {left[0].pid}"
            raise OpsproofError(what, where=f"pid {left[0].pid}", next_step=next_step)
        return self.ledger()
