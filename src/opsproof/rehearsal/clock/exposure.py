"""Exposure: how much would be lost with nothing but this copy, by the newest heartbeat recoverable from it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from opsproof.errors import NotObserved, OpsproofError
from opsproof.rehearsal.clock.heartbeat import newest
from opsproof.rehearsal.clock.ledger import Ledger
from opsproof.rehearsal.facts import CopyFact
from opsproof.rehearsal.node import Node


@dataclass(frozen=True)
class Sample:
    """
    One look at a copy.

    Attributes:
        at: When the disaster would have been.
        newest: Time of the newest heartbeat that could have been recovered then; None if none could.
        why: Where that comes from, or why it is not known.
    """

    at: datetime
    newest: datetime | None
    why: str

    @property
    def exposure(self) -> float | None:
        """Seconds that would have been lost; None if that is not known, which is worse than any number."""
        return None if self.newest is None else max((self.at - self.newest).total_seconds(), 0.0)


class Exposures:
    """
    The worst sample of each copy. One look just after a segment was switched flatters; so samples are taken all along.

    Args:
        path: Where they are kept; what is there already goes on, so that the worst of a quarter stays.

    Raises:
        OpsproofError: The file holds something else.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._worst: dict[str, Sample] = {}
        self._taken: dict[str, int] = {}
        if path is not None and path.exists():
            self._load(path)

    def sample(self, name: str, at: datetime, newest: datetime | None, why: str) -> Sample:
        """
        Take a sample.

        Args:
            name: Of the copy: `standby`, `archive`, `dump`, `base`.
            at: The moment of the disaster that is supposed; all of one clock.
            newest: The newest heartbeat that can be recovered from it; None if none can.
            why: Where that comes from.

        Returns:
            The worst one so far, which may be this one.
        """
        taken = Sample(at, newest, why)
        worst = self._worst.get(name)
        if worst is None or _badness(taken) > _badness(worst):
            self._worst[name] = taken
        self._taken[name] = self._taken.get(name, 0) + 1
        self._save()
        return self._worst[name]

    async def standby(self, name: str, node: Node, at: datetime) -> Sample:
        """Take a sample of a server by what can be read there; one that does not answer can give nothing back."""
        try:
            row = await newest(node)
        except NotObserved as exc:
            return self.sample(name, at, None, f"{node.name} does not answer: {exc.what}")
        return self.sample(name, at, row, f"newest heartbeat on {node.name}" if row else f"no heartbeat on {node.name}")

    def facts(self) -> tuple[CopyFact, ...]:
        """The worst of each, as run.json keeps them."""
        return tuple(
            CopyFact(
                name=name,
                newest=worst.newest,
                exposure=worst.exposure,
                why=f"{worst.why}; the worst of {self._taken[name]} samples, of {worst.at.isoformat()}",
            )
            for name, worst in self._worst.items()
        )

    def _save(self) -> None:
        if self._path is None:
            return
        kept = {
            name: {
                "at": worst.at.isoformat(),
                "newest": worst.newest and worst.newest.isoformat(),
                "why": worst.why,
                "taken": self._taken[name],
            }
            for name, worst in self._worst.items()
        }
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        beside.write_text(json.dumps({"schema": 1, "copies": kept}), encoding="utf-8")
        beside.replace(self._path)

    def _load(self, path: Path) -> None:
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            for name, one in kept["copies"].items():
                row = datetime.fromisoformat(one["newest"]) if one["newest"] else None
                self._worst[name] = Sample(datetime.fromisoformat(one["at"]), row, str(one["why"]))
                self._taken[name] = int(one["taken"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            what = f"the exposures of earlier samples cannot be read: {type(exc).__name__}"
            raise OpsproofError(what, where=str(path), next_step="Move the file away; then they begin anew.") from exc


def newest_below(ledger: Ledger, lsn: str, timeline: int) -> datetime | None:
    """
    The newest heartbeat that an archive can give back, when it ends at a position of the WAL.

    A write's own commit lies between the position that it was told and that of the next write on the same server; so
    it counts when the next one is still within the archive.

    Args:
        ledger: The outside writer's.
        lsn: End of the last segment up to which the archive is whole and readable: `0/5000000`.
        timeline: Of that segment.

    Returns:
        When it was sent; None if none is within.
    """
    end = _position(lsn)
    told = [entry for entry in ledger.acknowledged if entry.server.timeline == timeline]
    within = [one for one, later in pairwise(told) if _position(later.server.lsn) <= end]
    return within[-1].sent if within else None


def _position(lsn: str) -> int:
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def _badness(sample: Sample) -> float:
    return float("inf") if sample.exposure is None else sample.exposure
