"""The writer outside of the database: started before the failure, compared after the recovery."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.clock import ledger_table
from opsproof.rehearsal.clock.anchor import Anchor
from opsproof.rehearsal.clock.ledger import Ledger, read_ledger
from opsproof.rehearsal.clock.reconcile import Reconciled, reconcile
from opsproof.rehearsal.clock.writer import Orders
from opsproof.rehearsal.clock.writing import Writing
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.procedure.surroundings import Surroundings
from opsproof.stack.logs import log_tail
from opsproof.stack.process import Process, wait_for

_WRITES_PER_OBJECTIVE = 20
_SLOWEST, _EMBEDDED_INTERVAL = 5.0, 0.05
_ACKNOWLEDGED = 3
_LATE_INTERVALS, _LATE_SECONDS = 5, 2.0
"""An acknowledgement is this late when its writer is no witness any more; a commit may take its time, too."""


class OutsideWriter:
    """
    One writer and its ledger.

    Args:
        at: Where it writes: to the one of both sites that takes writes.
        ledger: Its file; outside of the grounds, which end with the rehearsal.
        rpo: Seconds of the objective, which decides how often it writes.
    """

    def __init__(self, at: Surroundings, ledger: Path, rpo: float) -> None:
        self._at = at
        self._ledger = ledger
        self._interval = _EMBEDDED_INTERVAL if at.embedded else min(rpo / _WRITES_PER_OBJECTIVE, _SLOWEST)
        self._writing: Writing | None = None
        self._ended = False

    async def prepare(self) -> None:
        """Make its table, and let the service's role write there. Raises NotObserved."""
        home = self._at.home
        await ledger_table.prepare(home)
        await home.rows(self._grant())

    async def start(self) -> None:
        """
        Prepare its table, begin, and wait for acknowledgements.

        Raises:
            NotObserved: It gets none.
        """
        await self.prepare()
        self._ledger.parent.mkdir(parents=True, exist_ok=True)
        grounds = self._at.grounds.directory if self._at.embedded else None  # in a real environment it outlives us
        self._writing = Writing.start(self._orders(), log=self.log, grounds=grounds)
        await asyncio.to_thread(self._writing.until, _ACKNOWLEDGED)

    def end(self) -> None:
        """End it, if it runs."""
        if self._writing is not None and not self._ended:
            self._ended = True
            self._writing.stop()

    async def must_write(self, anchor: Anchor) -> None:
        """
        See it at work, just before the failure: without it no loss would be seen.

        Args:
            anchor: The stopwatch's scale of time.

        Raises:
            PreconditionMissing: It has ended, or its last acknowledgement is older than a few of its intervals.
        """
        writing, late = self._started(), max(_LATE_INTERVALS * self._interval, _LATE_SECONDS)

        def age() -> float:
            acknowledged = self.ledger(anchor).acknowledged
            last = acknowledged[-1].acked if acknowledged else None
            return (anchor.now() - last).total_seconds() if last else float("inf")

        def told() -> bool:
            return not writing.process.alive() or age() <= late

        await asyncio.to_thread(wait_for, told, late)
        if writing.process.alive() and age() <= late:
            return
        state = "takes no acknowledgement any more" if writing.process.alive() else "has ended"
        raise PreconditionMissing(
            f"the outside writer {state}: its last acknowledgement is {age():.1f} s old, at most {late:g} s are usual",
            where=f"{self.log}{log_tail(self.log, {})}",
            next_step="Nothing was broken. See its log, and rehearse again: without it no lost write would be seen.",
        )

    def ledger(self, anchor: Anchor) -> Ledger:
        """
        What it has written so far.

        Args:
            anchor: The stopwatch's scale of time.

        Raises:
            PreconditionMissing: It never began.
        """
        if not self._ended:
            self._started()
        return read_ledger(self._ledger, anchor)

    async def reconciled(self, recovered: Node, anchor: Anchor) -> Reconciled:
        """
        What became of every write; the writer is ended first.

        Args:
            recovered: The database that serves now.
            anchor: The stopwatch's scale of time.

        Raises:
            PreconditionMissing: It never began.
        """
        await asyncio.to_thread(self.end)
        ledger = self.ledger(anchor)
        return reconcile(ledger, [row async for row in ledger_table.found(recovered, ledger)])

    def state(self) -> dict[str, Any] | None:
        """Its process, for the journal; None if it does not write."""
        return asdict(self._writing.process) if self._writing is not None and not self._ended else None

    def remember(self, state: dict[str, Any] | None) -> None:
        """Go on with the process that the journal names."""
        if state is not None:
            self._writing = Writing(self._orders(), Process(**state), self.log)
        self._ended = state is None and self._ledger.exists()

    def _started(self) -> Writing:
        if self._writing is None:
            next_step = "See why `the copies can take over` did not come to start it."
            raise PreconditionMissing("the outside writer was not started", where="the ledger", next_step=next_step)
        return self._writing

    def _orders(self) -> Orders:
        return Orders(str(self._ledger), self._interval, self._at.service_conninfo("home", "dr"))

    @property
    def log(self) -> Path:
        """What its process could not do."""
        return self._ledger.with_suffix(".log")

    def _grant(self) -> str:
        from psycopg import sql
        from psycopg.conninfo import conninfo_to_dict

        role = conninfo_to_dict(self._at.service_conninfo("home"))["user"]
        table, name = sql.Identifier(ledger_table.TABLE), sql.Identifier(str(role))
        return sql.SQL("GRANT SELECT, INSERT ON {} TO {}").format(table, name).as_string()
