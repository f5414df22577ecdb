"""What a listing of objects comes to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from obstore import ObjectMeta

MOST_OBJECTS = 10_000
"""How many objects one question looks at."""


@dataclass(frozen=True, slots=True)
class Found:
    """
    One object.

    Attributes:
        name: Its whole name in the bucket, or its path below the folder.
        size: Bytes.
        written: When it was last written, ISO 8601.
        age: Seconds from then to the listing, by this machine's clock.
    """

    name: str
    size: int
    written: str
    age: float


@dataclass(frozen=True, slots=True)
class Listing:
    """
    What a listing of objects comes to; no object's content is read.

    Attributes:
        count: How many there are.
        size: Their bytes together.
        newest: The one written last; None if there is none.
        oldest: The one written first; None if there is none.
        whole: False if there are more than were looked at.
    """

    count: int
    size: int
    newest: Found | None
    oldest: Found | None
    whole: bool

    @classmethod
    def of(cls, objects: Iterable[ObjectMeta], *, whole: bool) -> Self:
        """What these objects come to, now."""
        now = datetime.now(UTC)
        by_time = sorted(objects, key=lambda one: one["last_modified"])
        ends = [_found(one, now) for one in (*by_time[-1:], *by_time[:1])]
        newest, oldest = ends or (None, None)
        return cls(len(by_time), sum(one["size"] for one in by_time), newest, oldest, whole)

    def to_json(self) -> dict[str, Any]:
        """The listing as evidence keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The listing as evidence kept it."""
        ends = {end: Found(**kept[end]) if kept[end] else None for end in ("newest", "oldest")}
        return cls(**kept | ends)


def _found(one: ObjectMeta, now: datetime) -> Found:
    written = one["last_modified"]
    return Found(one["path"], one["size"], written.isoformat(timespec="seconds"), (now - written).total_seconds())
