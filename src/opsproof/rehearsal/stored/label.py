"""backup_label: without it a server starts from the wrong checkpoint, and says nothing."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_LINE = re.compile(r"([A-Z ]+): (.*)")
_START = re.compile(r"([0-9A-F]+/[0-9A-F]+) \(file ([0-9A-F]{24})\)")
_LSN = re.compile(r"[0-9A-F]+/[0-9A-F]+")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:UTC|GMT)")
_NEEDED = ("START WAL LOCATION", "CHECKPOINT LOCATION", "BACKUP METHOD", "BACKUP FROM", "START TIME", "START TIMELINE")
_KNOWN = (*_NEEDED, "LABEL", "INCREMENTAL FROM LSN", "INCREMENTAL FROM TLI", "STOP TIMELINE")


@dataclass(frozen=True)
class Label:
    """
    What backup_label says.

    Attributes:
        start: LSN where recovery must begin.
        segment: Name of the WAL segment of it.
        timeline: Of it.
        at: When the backup was begun; None if its time zone is not UTC.
        parent: LSN of the start of the backup that this one builds on; "" for a full one.
        parent_timeline: Of it; 0 for a full one.
    """

    start: str
    segment: str
    timeline: int
    at: str | None
    parent: str
    parent_timeline: int


def read_label(path: Path) -> tuple[Label | None, str]:
    """What a file says, or why it says nothing that can be relied on."""
    if not path.is_file():
        return None, "backup_label is missing: a server would start from it without recovery, and lose data silently"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    matches = [_LINE.fullmatch(line) for line in lines]
    said = {match[1]: match[2] for match in matches if match}
    if missing := [key for key in _NEEDED if key not in said]:
        return None, f"backup_label does not say {', '.join(missing)}"
    if len(said) != len(lines) or (strange := sorted(set(said) - set(_KNOWN))):
        told = f": {', '.join(strange)}" if len(said) == len(lines) else ""
        return None, f"backup_label has lines that do not belong there{told}"
    start = _START.fullmatch(said["START WAL LOCATION"])
    parent = said.get("INCREMENTAL FROM LSN", "")
    timelines = said["START TIMELINE"], said.get("INCREMENTAL FROM TLI", "0")
    if start is None or not all(one.isdigit() for one in timelines) or (parent and not _LSN.fullmatch(parent)):
        return None, "backup_label cannot be parsed"
    if int(start[2][:8], 16) != int(timelines[0]):
        return None, f"backup_label names timeline {timelines[0]} and segment {start[2]}"
    time = _TIME.fullmatch(said["START TIME"])
    at = datetime.fromisoformat(time[1]).replace(tzinfo=UTC).isoformat() if time else None
    return Label(start[1], start[2], int(timelines[0]), at, parent, int(timelines[1])), ""


def lsn(written: str) -> int:
    """An LSN such as `0/900028` as a number. Raises ValueError for what is none."""
    high, _, low = written.partition("/")
    return (int(high, 16) << 32) + int(low, 16)
