"""Exposure: how much would be lost with nothing but this copy, by the newest write recoverable from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from opsproof.rehearsal.archive.names import read_lsn
from opsproof.rehearsal.clock.ledger import Ledger
from opsproof.rehearsal.facts import CopyFact


@dataclass(frozen=True)
class Sample:
    """
    One look at a copy.

    Attributes:
        at: When the disaster would have been.
        newest: Time of the newest write or heartbeat that could have been recovered then; None if none could.
        why: Where that comes from, or why it is not known.
    """

    at: datetime
    newest: datetime | None
    why: str

    @property
    def exposure(self) -> float | None:
        """Seconds that would have been lost; None if that is not known, which is worse than any number."""
        return None if self.newest is None else max((self.at - self.newest).total_seconds(), 0.0)


def worst(samples: Sequence[Sample]) -> Sample:
    """The sample that would have lost most: one look just after a segment was switched flatters."""
    return max(samples, key=lambda one: float("inf") if one.exposure is None else one.exposure)


def copy_fact(name: str, samples: Sequence[Sample]) -> CopyFact:
    """
    A copy by its worst sample, as run.json keeps it.

    Args:
        name: Of the copy: `standby`, `archive`, `dump`, `base backup`.
        samples: At least one.
    """
    one, last = worst(samples), max(sample.at for sample in samples)
    over = (last - min(sample.at for sample in samples)).total_seconds()
    taken = f"the worst of {len(samples)} samples over {over:.1f} s, of" if len(samples) > 1 else "one sample, of"
    why = f"{one.why}; {taken} {one.at.isoformat()}"
    return CopyFact(name=name, newest=one.newest, exposure=one.exposure, why=why)


def newest_below(ledger: Ledger, position: int, timeline: int) -> datetime | None:
    """
    When the newest write was sent that an archive can give back, when it ends at a position of the WAL.

    A write's own commit lies between the position that it was told and that of the next write on the same server; so
    it counts when the next one is still within the archive.

    Args:
        ledger: The outside writer's.
        position: Where what can be recovered from the archive ends.
        timeline: Of that position.

    Returns:
        When it was sent; None if none is within.
    """
    told = [entry for entry in ledger.acknowledged if entry.server.timeline == timeline]
    within = [one for one, later in pairwise(told) if read_lsn(later.server.lsn) <= position]
    return within[-1].sent if within else None
