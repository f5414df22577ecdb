"""The target of a recovery to a point in time: what is wrong with it is said before anything is restored."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.archive.names import read_lsn

_OFFSET = re.compile(r"(?:Z|[+-]\d\d(?::?\d\d)?)$")
_KINDS = ("time", "xid", "lsn", "name", "immediate")


@dataclass(frozen=True, slots=True)
class Target:
    """
    Where a recovery is to end. Exactly one of `time`, `xid`, `lsn`, `name`, `immediate` is to be set.

    Attributes:
        time: As in recovery_target_time, with its offset: `2026-11-21 15:45:00+09:00`.
        xid: A transaction, without its epoch.
        lsn: A position.
        name: Of a restore point (pg_create_restore_point).
        immediate: True to end as soon as the backup is consistent.
        inclusive: Whether what is exactly at the target is kept; None if nobody said.
        timeline: `latest`, `current` or a number; None if nobody said.
        action: What the server does there; None if nobody said, and PostgreSQL then pauses.
        backup: Name of the base backup to begin with; None to choose one.
    """

    time: str | None = None
    xid: int | None = None
    lsn: str | None = None
    name: str | None = None
    immediate: bool = False
    inclusive: bool | None = None
    timeline: str | int | None = None
    action: Literal["promote", "pause", "shutdown"] | None = None
    backup: str | None = None

    def settings(self) -> dict[str, str]:
        """The target as PostgreSQL's settings."""
        said = {
            "recovery_target_time": self.time,
            "recovery_target_xid": self.xid,
            "recovery_target_lsn": self.lsn,
            "recovery_target_name": self.name,
            "recovery_target": "immediate" if self.immediate else None,
            "recovery_target_inclusive": None if self.inclusive is None else ("on" if self.inclusive else "off"),
            "recovery_target_timeline": self.timeline,
            "recovery_target_action": self.action,
        }
        return {name: str(value) for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Point:
    """
    A moment of the history that a recovery goes through: the end of a backup, or a marker's commit.

    Attributes:
        name: Of the backup, or what the marker is.
        at: When.
        lsn: Where; None if not known.
        xid: The transaction; None for a backup, or if not known.
        timeline: On which timeline; None if not known.
    """

    name: str
    at: datetime
    lsn: str | None = None
    xid: int | None = None
    timeline: int | None = None


def parse_time(text: str) -> datetime:
    """
    A target's time.

    Raises:
        ValueError: It is no time, or has no offset: PostgreSQL would take it to be in its own zone.
    """
    stripped = text.strip()
    if not _OFFSET.search(stripped) or ":" not in stripped:
        raise ValueError(f"the time {stripped!r} has no offset (+09:00, Z): each server reads it in a zone of its own")
    try:
        found = datetime.fromisoformat(stripped)
    except ValueError:
        raise ValueError(f"{stripped!r} is no time such as 2026-11-21 15:45:00+09:00") from None
    if found.tzinfo is None:
        raise ValueError(f"the time {stripped!r} has no offset (+09:00, Z): each server reads it in a zone of its own")
    return found


def choose_backup(target: Target, backups: Sequence[Point], place: Point | None = None) -> Point:
    """
    The newest base backup that ended before the target; the one that the target names, if it does.

    Args:
        target: Where the recovery is to end.
        backups: The base backups that came to their end.
        place: Where the target's transaction or restore point is, for a target by xid or name.

    Raises:
        PreconditionMissing: None ended before it. The latest is never taken in its place: PostgreSQL would replay to
            a later state than was asked for, and say nothing.
        ValueError: The target's time or position cannot be read.
    """
    named = [one for one in backups if target.backup in (None, one.name)]
    fitting = named if target.immediate else [one for one in named if _side(target, one, place) == -1]
    if not fitting:
        known = ", ".join(f"{one.name} (ended {one.at.isoformat()})" for one in named) or "none"
        raise PreconditionMissing(
            f"no base backup ended before the target {_words(target)}; there are: {known}",
            where="the base backups' ends",
            next_step="Choose a later target, or an older backup; a recovery that begins behind its target keeps "
            "what was to be left out.",
        )
    return max(fitting, key=lambda one: (one.at, one.name))


def lint(
    target: Target,
    backups_ended: Sequence[Point],
    newest_commit: Point | None,
    marker_before: Point | None,
    marker_after: Point | None,
    *,
    place: Point | None = None,
    timelines: Sequence[int] = (1,),
) -> list[str]:
    """
    What is wrong with a target; nothing if a recovery may begin.

    Args:
        target: Where the recovery is to end.
        backups_ended: The base backups that came to their end, with the time and position of that.
        newest_commit: The last commit that can be recovered from the archive; None if it is not known.
        marker_before: A commit that must be there afterwards.
        marker_after: A commit that must not be there afterwards.
        place: Where the target's transaction or restore point is in the archive, for a target by xid or name.
        timelines: Those that the archive has.
    """
    said = _form(target, timelines)
    if [kind for kind in _KINDS if getattr(target, kind)] == ["immediate"]:
        return said
    try:
        if target.time is not None:
            parse_time(target.time)
        if target.lsn is not None:
            read_lsn(target.lsn)
    except ValueError as exc:
        return [*said, str(exc)]
    if (target.xid is not None or target.name is not None) and place is None:
        return [*said, f"the target {_words(target)} is not in the archive, or nobody looked where it is"]
    try:
        choose_backup(target, backups_ended, place)
    except PreconditionMissing as exc:
        said.append(exc.what)
    said += _against_end(target, newest_commit, place)
    return said + _against_markers(target, marker_before, marker_after, place)


def _form(target: Target, timelines: Sequence[int]) -> list[str]:
    said = []
    given = [kind for kind in _KINDS if getattr(target, kind) not in (None, False)]
    if len(given) != 1:
        listed = " and ".join(given) or "none"
        said.append(f"expected exactly one of {', '.join(_KINDS)}, got {listed}")
    if target.action != "promote":
        left = "left out, which means pause" if target.action is None else target.action
        said.append(f"the action is {left}: the server would never take a write; expected promote")
    if target.inclusive is None and given != ["immediate"]:
        said.append("inclusive is left out: say whether what is exactly at the target is to be kept")
    if target.timeline is None:
        said.append("the timeline is left out, which means latest: say latest, current or a number")
    elif target.timeline not in ("latest", "current"):
        number = int(target.timeline) if str(target.timeline).isdigit() else 0
        if number not in timelines:
            said.append(f"timeline {target.timeline} is not in the archive, which has {', '.join(map(str, timelines))}")
    elif target.timeline == "latest" and len(timelines) > 1:
        said.append(f"the timeline is latest, and the archive has {len(timelines)}: say which, by its number")
    return said


def _against_end(target: Target, newest: Point | None, place: Point | None) -> list[str]:
    if newest is None:
        return ["the newest commit in the archive is not known: nobody can say whether the target is reached"]
    side = _side(target, newest, place)
    if side == -1 or (side == 0 and target.time is not None):
        end = f"{newest.at.isoformat()}{f', {newest.lsn}' if newest.lsn else ''}"
        return [f"the target {_words(target)} is not before the newest commit in the archive ({end}): nothing ends it"]
    return []


def _against_markers(target: Target, before: Point | None, after: Point | None, place: Point | None) -> list[str]:
    said = []
    kept = (-1,) if target.inclusive is False else (-1, 0)
    if before is None:
        said.append("there is no marker before the target: nobody can see that enough was recovered")
    elif _side(target, before, place) not in kept:
        said.append(f"the marker {before.name} ({before.at.isoformat()}) is to be there, and is not before the target")
    if after is None:
        said.append("there is no marker behind the target: nobody can see that the recovery ended there")
    elif _side(target, after, place) in (None, *kept):
        said.append(f"the marker {after.name} ({after.at.isoformat()}) is to be gone, and is not behind the target")
    return said


def _side(target: Target, point: Point, place: Point | None) -> int | None:
    """-1 for a point before the target, 0 at it, 1 behind it; None if that cannot be told."""
    if target.time is not None:
        wanted = parse_time(target.time)
        return (point.at > wanted) - (point.at < wanted)
    lsn = target.lsn or (place.lsn if place else None)
    if lsn is not None and point.lsn is not None:
        return (read_lsn(point.lsn) > read_lsn(lsn)) - (read_lsn(point.lsn) < read_lsn(lsn))
    if place is not None:
        return (point.at > place.at) - (point.at < place.at)
    return None


def _words(target: Target) -> str:
    return ", ".join(f"{kind} {getattr(target, kind)}" for kind in _KINDS if getattr(target, kind))
