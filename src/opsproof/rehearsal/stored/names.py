"""The time in the name of a backup."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_TIME = re.compile(
    r"(?<!\d)(\d{4})-?(\d\d)-?(\d\d)(?:[T_-]?(?P<hour>\d\d)[:.-]?(\d\d)(?:[:.-]?(\d\d))?(?P<zone>Z)?)?(?!\d)"
)
_ZONES = timedelta(hours=14)
_CLOCKS = timedelta(minutes=5)


@dataclass(frozen=True)
class Named:
    """
    What the name of a backup says of its time; a name without a zone leaves open by how much it is off.

    Attributes:
        earliest: It was made at this moment at the earliest.
        latest: Its making began at this moment at the latest.
    """

    earliest: datetime
    latest: datetime


def named(name: str) -> Named | None:
    """
    Read the time in a name: `20261121T020000Z.dump.gz`, `storebridge-20261121.sql.gz`.

    Args:
        name: Of an object, or of a folder; only what is behind its last slash is read.

    Returns:
        The stretch in which it can have been begun, or None if it names no time.
    """
    match = _TIME.search(name.rstrip("/").rpartition("/")[2])
    if match is None:
        return None
    numbers = [int(one) for one in match.groups()[:3]]
    clock = [int(match[one] or 0) for one in (4, 5, 6)]
    try:
        at = datetime(*numbers, *clock, tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    slack = _CLOCKS if match["zone"] else _ZONES
    length = timedelta(0) if match["hour"] else timedelta(days=1)
    return Named(at - slack, at + length + slack)
