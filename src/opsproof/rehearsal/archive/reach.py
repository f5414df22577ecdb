"""How far a recovery comes with nothing but the archive and a base backup: to the first hole, not to the last name."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from opsproof.rehearsal.archive.bases import Base
from opsproof.rehearsal.archive.look import Look
from opsproof.rehearsal.archive.names import lsn_text
from opsproof.rehearsal.archive.path import Way

Unreadable = Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Reach:
    """
    How far a recovery comes.

    Attributes:
        end: Position in the WAL behind the last byte that is replayed; None if no base backup can be recovered.
        why: What is there, and what stops it there.
    """

    end: int | None
    why: str


@dataclass(frozen=True)
class Recoverable:
    """
    An archive that was read to its end.

    Attributes:
        look: What is in it.
        unreadable: Positions beyond which no recovery comes, in any order, and what is wrong there.
    """

    look: Look
    unreadable: Unreadable

    def reach(self, there: Collection[str]) -> Reach:
        """
        How far a recovery would have come when so much had been archived, from the base backup that gets furthest.

        Args:
            there: Names of the segments that were in the archive then; what is missing by now counts as missing.
        """
        found = [self._from(base, way, there) for base, way in zip(self.look.bases, self.look.ways, strict=True)]
        none = Reach(None, "no base backup has a label that can be read")
        return max(found, key=lambda one: -1 if one.end is None else one.end, default=none)

    def _from(self, base: Base, way: Way, there: Collection[str]) -> Reach:
        if way.why or base.label is None:
            return Reach(None, f"base backup {base.name} cannot be recovered: {way.why}")
        end, stops = self._end(way, there)
        if end < (base.label.stop or base.label.start):
            return Reach(None, f"base backup {base.name} cannot be recovered: {stops or 'its WAL is not there yet'}")
        told = f"the archive can be recovered to {lsn_text(end)} on timeline {self.look.timeline}"
        return Reach(end, told + (f", where {stops}" if stops else ""))

    def _end(self, way: Way, there: Collection[str]) -> tuple[int, str]:
        """Where the way ends, and why it ends before the newest segment; "" if it does not."""
        size = self.look.listing.size
        end, gone = way.steps[0].start, {step.name for step in way.missing}
        for number, step in enumerate(way.steps):
            broken = min((one for one in self.unreadable if step.start <= one[0] < step.start + size), default=None)
            if step.name in gone or step.name not in there:
                newer = any(later.name in there for later in way.steps[number + 1 :])
                return end, f"{step.name} is missing, or not whole" if newer or step.name in gone else ""
            if broken is not None:
                return broken[0], f"{step.name} cannot be read on: {broken[1]}"
            end = step.start + size
        return end, ""
