"""Names in a WAL archive, and the positions that they stand for."""

import re
from dataclasses import dataclass
from enum import StrEnum

_NAME = re.compile(
    r"(?P<tli>[0-9A-F]{8})(?P<log>[0-9A-F]{8})(?P<seg>[0-9A-F]{8})(?P<rest>\.partial|\.[0-9A-F]{8}\.backup)?"
)
_HISTORY = re.compile(r"(?P<tli>[0-9A-F]{8})\.history")
_LSN = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})")


class Kind(StrEnum):
    """What a file of an archive is."""

    SEGMENT = "segment"
    PARTIAL = "partial"
    BACKUP = "backup"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class WalName:
    """
    A name that PostgreSQL gives to a file of its archive.

    Attributes:
        text: The name itself.
        timeline: Its timeline.
        log: Upper half of the position; 0 for a history file.
        part: Number of the segment within that; 0 for a history file.
    """

    text: str
    kind: Kind
    timeline: int
    log: int = 0
    part: int = 0

    def start(self, size: int) -> int:
        """Position of its first byte, with segments of `size` bytes."""
        return (self.log << 32) + self.part * size


def parse(text: str) -> WalName | None:
    """The name's parts; None for one that PostgreSQL does not give."""
    if history := _HISTORY.fullmatch(text):
        return WalName(text, Kind.HISTORY, int(history["tli"], 16))
    if (found := _NAME.fullmatch(text)) is None:
        return None
    rest = found["rest"] or ""
    kind = Kind.PARTIAL if rest == ".partial" else Kind.BACKUP if rest else Kind.SEGMENT
    return WalName(text, kind, int(found["tli"], 16), int(found["log"], 16), int(found["seg"], 16))


def segment_name(timeline: int, position: int, size: int) -> str:
    """Name of the segment that holds a position."""
    return f"{timeline:08X}{position >> 32:08X}{(position & 0xFFFFFFFF) // size:08X}"


def segment_start(position: int, size: int) -> int:
    """Position of the first byte of the segment that holds a position."""
    return position - position % size


def read_lsn(text: str) -> int:
    """
    A position from its text: `0/9000028`.

    Raises:
        ValueError: It is none.
    """
    if (found := _LSN.fullmatch(text.strip())) is None:
        raise ValueError(f"expected a position such as 0/9000028, got {text.strip()[:40]!r}")
    return (int(found[1], 16) << 32) + int(found[2], 16)


def lsn_text(position: int) -> str:
    """A position as PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"
