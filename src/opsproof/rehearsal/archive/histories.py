"""Timeline history files and backup history files: what they say, and whether they can be believed."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from opsproof.rehearsal.archive.names import lsn_text, read_lsn, segment_start

_START = re.compile(r"START WAL LOCATION: (\S+) \(file ([0-9A-F]{24})\)")
_STOP = re.compile(r"STOP WAL LOCATION: (\S+) \(file ([0-9A-F]{24})\)")
_STOP_TIME = re.compile(r"STOP TIME: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:UTC|GMT)\b")
_TIMELINE = re.compile(r"START TIMELINE: (\d+)")
_PAGE, _PAGE_HEADER, _SEGMENT_HEADER = 8192, 24, 40


@dataclass(frozen=True, slots=True)
class History:
    """
    Where a timeline comes from.

    Attributes:
        timeline: Its own number.
        switches: Its ancestors, oldest first, each with the position at which the next one left it.
    """

    timeline: int
    switches: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Label:
    """
    What `backup_label` or a backup history file says.

    Attributes:
        timeline: On which the backup began.
        start: Position from which WAL is needed.
        stop: Position at which the backup is consistent; None in a backup_label.
        ended: When it ended; None where that is not said, or not in UTC.
        of_primary: False for one taken from a standby, which leaves no backup history file.
    """

    timeline: int
    start: int
    stop: int | None
    ended: datetime | None
    of_primary: bool


def read_history(timeline: int, text: str) -> History:
    """
    Read a `.history` file.

    Raises:
        ValueError: It cannot be one of this timeline; says why.
    """
    switches: list[tuple[int, int]] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        parent, _, rest = line.partition("\t")
        if not parent.strip().isdigit():
            raise ValueError(f"its line {line[:60]!r} does not begin with the number of a timeline")
        switches.append((int(parent), read_lsn(rest.partition("\t")[0])))
    if not switches:
        raise ValueError("it names no timeline that this one comes from")
    numbers = [number for number, _ in switches]
    positions = [position for _, position in switches]
    if numbers != sorted(set(numbers)) or numbers[-1] >= timeline or positions != sorted(positions):
        raise ValueError("its timelines and positions do not rise up to its own number")
    return History(timeline, tuple(switches))


def read_label(text: str) -> Label:
    """
    Read a `backup_label` or a `.backup` file.

    Raises:
        ValueError: It says not where the backup began.
    """
    start, stop, timeline = _START.search(text), _STOP.search(text), _TIMELINE.search(text)
    if start is None:
        raise ValueError("it has no START WAL LOCATION")
    ended = _STOP_TIME.search(text)
    return Label(
        timeline=int(timeline[1]) if timeline else int(start[2][:8], 16),
        start=read_lsn(start[1]),
        stop=read_lsn(stop[1]) if stop else None,
        ended=datetime.fromisoformat(ended[1]).replace(tzinfo=UTC) if ended else None,
        of_primary="BACKUP FROM: standby" not in text,
    )


def ancestors(timeline: int, histories: Mapping[int, History]) -> tuple[tuple[int, int], ...]:
    """The ancestors of a timeline with the positions at which it left them; none for the first, or an unknown one."""
    return histories[timeline].switches if timeline in histories else ()


def unexplained(
    histories: Mapping[int, History],
    timelines: Collection[int],
    *,
    current: int,
    known: Collection[int],
) -> list[str]:
    """
    What of the timelines in an archive no event explains.

    Args:
        histories: The history files that could be read.
        timelines: Numbers of all timelines that anything in the archive belongs to.
        current: The timeline that the server writes now.
        known: Timelines of promotions that somebody noted.
    """
    own = {current, *(number for number, _ in ancestors(current, histories))}
    said = []
    for number in sorted(set(timelines) - own - set(known)):
        if number > current:
            follows = "a restore follows it by default, and loses what the server commits"
            said.append(f"timeline {number} is in the archive, and the server writes timeline {current}: {follows}")
        elif number > 1:
            said.append(f"timeline {number} is in the archive, and neither an ancestor of {current} nor noted anywhere")
    for number in sorted({*timelines, current} - {0, 1} - set(histories)):
        said.append(f"{number:08X}.history is not in the archive, or cannot be read: timeline {number} leads nowhere")
    return said


def contradictions(
    histories: Mapping[int, History],
    firsts: Mapping[int, int],
    begins: Mapping[int, Sequence[int]],
    size: int,
) -> list[str]:
    """
    Where history files disagree with one another, or with the WAL.

    Args:
        histories: The history files that could be read.
        firsts: By timeline the position of its first segment in the archive.
        begins: By timeline the positions of the records that begin it, as pg_waldump shows them.
        size: Bytes of a segment.
    """
    said = []
    for number, history in sorted(histories.items()):
        name = f"{number:08X}.history"
        parent, switch = history.switches[-1]
        if parent in histories and histories[parent].switches != history.switches[:-1]:
            said.append(f"{name} and {parent:08X}.history tell different pasts")
        if number in firsts and firsts[number] < segment_start(switch, size):
            there = lsn_text(firsts[number])
            said.append(f"{name}: it begins at {lsn_text(switch)}, and the archive has WAL of it from {there}")
        found = begins.get(number, ())
        if found and _first_record(switch, size) not in found:
            there = ", ".join(map(lsn_text, found))
            said.append(f"{name} says that it begins at {lsn_text(switch)}; its WAL begins it at {there}")
    return said


def _first_record(switch: int, size: int) -> int:
    """Where the record begins that follows a position: behind the header, where a page begins there."""
    if switch % size == 0:
        return switch + _SEGMENT_HEADER
    return switch if switch % _PAGE else switch + _PAGE_HEADER
