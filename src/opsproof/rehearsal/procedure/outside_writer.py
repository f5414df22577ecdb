"""The writer outside of the database: started before the failure, compared after the recovery."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.clock import heartbeat
from opsproof.rehearsal.clock.anchor import Anchor
from opsproof.rehearsal.clock.ledger import read_ledger
from opsproof.rehearsal.clock.reconcile import Reconciled, reconcile
from opsproof.rehearsal.clock.writer import Orders
from opsproof.rehearsal.clock.writing import Writing
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.procedure.surroundings import Surroundings
from opsproof.stack.process import Process

_WRITES_PER_OBJECTIVE = 20
_SLOWEST, _EMBEDDED_INTERVAL = 5.0, 0.05
_ACKNOWLEDGED = 3


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

    async def start(self) -> None:
        """
        Make its table, let the service's role write there, begin, and wait for acknowledgements.

        Raises:
            NotObserved: It gets none.
        """
        home = self._at.home
        await heartbeat.prepare(home)
        await home.rows(self._grant())
        self._ledger.parent.mkdir(parents=True, exist_ok=True)
        grounds = self._at.grounds.directory if self._at.embedded else None  # in a real environment it outlives us
        self._writing = Writing.start(self._orders(), log=self._log, grounds=grounds)
        await asyncio.to_thread(self._writing.until, _ACKNOWLEDGED)

    def end(self) -> None:
        """End it, if it runs."""
        if self._writing is not None and not self._ended:
            self._ended = True
            self._writing.stop()

    async def reconciled(self, recovered: Node, anchor: Anchor) -> Reconciled:
        """
        What became of every write; the writer is ended first.

        Args:
            recovered: The database that serves now.
            anchor: The stopwatch's scale of time.

        Raises:
            PreconditionMissing: It never began.
        """
        if self._writing is None and not self._ended:
            next_step = "See why `the copies can take over` did not come to start it."
            raise PreconditionMissing("the outside writer was not started", where="the ledger", next_step=next_step)
        await asyncio.to_thread(self.end)
        ledger = read_ledger(self._ledger, anchor)
        return reconcile(ledger, [row async for row in heartbeat.found(recovered, ledger)])

    def state(self) -> dict[str, Any] | None:
        """Its process, for the journal; None if it does not write."""
        return asdict(self._writing.process) if self._writing is not None and not self._ended else None

    def remember(self, state: dict[str, Any] | None) -> None:
        """Go on with the process that the journal names."""
        if state is not None:
            self._writing = Writing(self._orders(), Process(**state), self._log)
        self._ended = state is None and self._ledger.exists()

    def _orders(self) -> Orders:
        return Orders(str(self._ledger), self._interval, conninfo=self._at.service_conninfo("home", "dr"))

    @property
    def _log(self) -> Path:
        return self._ledger.with_suffix(".log")

    def _grant(self) -> str:
        from psycopg import sql
        from psycopg.conninfo import conninfo_to_dict

        role = conninfo_to_dict(self._at.service_conninfo("home"))["user"]
        table, name = sql.Identifier(heartbeat.TABLE), sql.Identifier(str(role))
        return sql.SQL("GRANT SELECT, INSERT ON {} TO {}").format(table, name).as_string()
