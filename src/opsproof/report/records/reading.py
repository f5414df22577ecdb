"""A record as a person left it: its fields, whatever was written into them."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from opsproof.report.records.labels import LABELS
from opsproof.report.records.marks import blanks

_FIELD = re.compile(r"(?P<indent> *)[-*] (?P<label>[^:|\[\]]{1,60}): ?(?P<value>.*)")
_TIME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})[ T](\d{1,2}):(\d{2})(?::\d{2})?(?: ?(KST|UTC|Z|[+-]\d{2}:\d{2}))?")
_OFFSETS = {"KST": "+09:00", "UTC": "+00:00", "Z": "+00:00"}
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


OPEN = ("미정", "open", "필요 없음", "not needed", "없음", "none")
"""What people write where nothing is to be said, or not yet."""

_NOBODY = re.compile(rf"(?:{'|'.join((*OPEN, 'tbd'))})(?![a-z])")


@dataclass(frozen=True)
class Field:
    """
    `- label: value`, with the lines below that belong to it.

    Attributes:
        line: Its line, from 1.
        label: As written, without marks.
        value: What stands behind it on the same line.
        below: The lines below it that are deeper, or that go on without an empty line.
        depth: Spaces before it.
    """

    line: int
    label: str
    value: str
    below: tuple[str, ...]
    depth: int

    @property
    def filled(self) -> bool:
        """True if something other than blanks stands in it or below it."""
        whole = " ".join((self.value, *(line.split(":", 1)[-1] for line in self.below)))
        return bool(re.sub(r"\[\[[^\[\]]*\]\]|[\s\-*,()]", "", whole))

    @property
    def has_blanks(self) -> bool:
        """True if a blank is left in it."""
        return bool(blanks("\n".join((self.value, *self.below))))


def fields(text: str) -> list[Field]:
    """All fields of a record, in their order."""
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines):
        match = _FIELD.fullmatch(line)
        if match is None:
            continue
        depth = len(match["indent"])
        below = []
        for after in lines[number + 1 :]:
            deeper = len(after) - len(after.lstrip()) > depth
            goes_on = bool(after.strip()) and not re.match(r" *[-*|#<] ?", after)
            if not (after.strip() and (deeper or goes_on)):
                break
            below.append(after)
        label = re.sub(r"[*_`]", "", match["label"]).strip()
        found.append(Field(number + 1, label, match["value"].strip(), tuple(below), depth))
    return found


def time_in(value: str) -> datetime | None:
    """
    The first time in a text: `2026-11-20 02:10 KST`.

    Returns:
        The time, without zone where none was written; None if there is no time.

    Raises:
        ValueError: It looks like a time and is none (month 13).
    """
    match = _TIME.search(value)
    if match is None:
        return None
    year, month, day, hour, minute, zone = match.groups()
    offset = _OFFSETS.get(zone, zone) or ""
    return datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute}{offset}")


def day_in(value: str) -> date | None:
    """
    The first date in a text: `2026-12-01`.

    Raises:
        ValueError: It looks like a date and is none.
    """
    match = _DAY.search(value)
    return date(*map(int, match.groups())) if match else None


def named(found: list[Field], key: str) -> Field | None:
    """The first field that has one of the labels of a key."""
    return next((field for field in found if field.label in LABELS[key]), None)


def time_of(field: Field | None) -> datetime | None:
    """The time in a field, if it has one with its zone."""
    try:
        at = time_in(field.value) if field else None
    except ValueError:
        return None
    return at if at and at.tzinfo else None


def is_nobody(name: str) -> bool:
    """True if a name is none: `미정`, `TBD`, `none (not handed over)`."""
    return bool(_NOBODY.match(name.strip(" *_`").casefold()))
