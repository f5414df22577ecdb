"""The way of a recovery through an archive: from a base backup, over switches of timelines, to the newest segment."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from opsproof.rehearsal.archive.histories import History, ancestors
from opsproof.rehearsal.archive.names import lsn_text, segment_name, segment_start


@dataclass(frozen=True, slots=True)
class Step:
    """A segment that a recovery needs: its name, and the position of its first byte."""

    name: str
    start: int


@dataclass(frozen=True, slots=True)
class Way:
    """
    What a recovery needs, in its order.

    Attributes:
        steps: Every segment from the backup's start to the newest of the last timeline.
        missing: Those of them that the archive has not.
        why: Why there is no way at all; "" if there is one.
    """

    steps: tuple[Step, ...]
    missing: tuple[Step, ...] = ()
    why: str = ""

    @property
    def unbroken(self) -> bool:
        """Whether every segment is there."""
        return not self.why and not self.missing

    def stretches(self) -> list[tuple[Step, ...]]:
        """The segments that are there, cut where some are missing."""
        found: list[tuple[Step, ...]] = []
        current: list[Step] = []
        for step in self.steps:
            if step in self.missing:
                found, current = [*found, tuple(current)], []
            else:
                current.append(step)
        return [stretch for stretch in (*found, tuple(current)) if stretch]


def find_way(
    there: Collection[str],
    histories: Mapping[int, History],
    *,
    begin: tuple[int, int],
    stop: int | None,
    timeline: int,
    newest: int | None,
    size: int,
) -> Way:
    """
    Find the way of a recovery.

    Args:
        there: Names of the segments in the archive.
        histories: The history files in the archive.
        begin: Timeline and position where the base backup began.
        stop: Position where it ended, which must be reached; None if not known.
        timeline: The timeline to follow to its end.
        newest: Position of the first byte of that timeline's newest segment; None if there is none.
        size: Bytes of a segment.
    """
    first, start = begin
    switches = ancestors(timeline, histories)
    if first != timeline and not any(number == first and start <= at for number, at in switches):
        return Way((), why=f"timeline {timeline} does not come from timeline {first} behind {lsn_text(start)}")
    last = max(segment_start(start, size), segment_start(stop - 1, size) if stop else 0, newest or 0)
    taken_over = max((segment_start(at, size) for _, at in switches), default=0)
    last = max(last, taken_over)
    steps = tuple(
        Step(segment_name(_timeline_at(position, timeline, switches, size), position, size), position)
        for position in range(segment_start(start, size), last + 1, size)
    )
    return Way(steps, tuple(step for step in steps if step.name not in there))


def _timeline_at(position: int, timeline: int, switches: tuple[tuple[int, int], ...], size: int) -> int:
    """The timeline whose file a recovery takes for a segment: where one is left, that of the next."""
    for number, at in switches:
        if position < segment_start(at, size):
            return number
    return timeline


def runs(steps: Collection[Step], size: int) -> list[str]:
    """Segments in words, neighbours together: `A to B (3 segments)`."""
    said: list[str] = []
    current: list[Step] = []
    for step in (*sorted(steps, key=lambda one: one.start), None):
        if current and (step is None or step.start != current[-1].start + size):
            many = f" to {current[-1].name} ({len(current)} segments)" if len(current) > 1 else ""
            said.append(f"{current[0].name}{many}")
            current = []
        if step is not None:
            current.append(step)
    return said
