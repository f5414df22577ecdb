"""Mistakes in a profile, in words of the operator and with the line where each stands."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsproof.errors import ProfileError
from opsproof.profile.tree import Loc, Place, shown


@dataclass(frozen=True, slots=True)
class Mistake:
    """
    One thing that is wrong in a profile.

    Attributes:
        place: File and line.
        loc: The way to the key; empty if the file as a whole is meant.
        text: What is wrong or was expected. Never holds a value of the profile.
    """

    place: Place
    loc: Loc
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {dotted(self.loc)}: {self.text}" if self.loc else f"{self.place}: {self.text}"


def dotted(loc: Loc) -> str:
    """`('core', 0, 'path')` as `core[0].path`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{shown_key(part)}" for part in loc).removeprefix(".")


def shown_key(key: str) -> str:
    """
    What may be shown of a key: all of it if it looks like a key.

    `{bearer:TOKEN}`, the space forgotten, is one long key for YAML; what follows the first odd character stays out.
    """
    begin = re.match(r"[\w./\[\]-]*", key)
    return key if begin is None or begin[0] == key else f"{begin[0]}..."


def profile_error(name: str, file: Path, mistakes: Sequence[Mistake], next_step: str | None = None) -> ProfileError:
    """
    The error that lists all mistakes of one profile.

    Args:
        name: `SYSTEM/ENVIRONMENT`.
        file: The profile's own file.
        mistakes: At least one.
        next_step: What to do; left out, to correct the lines.

    Returns:
        The error, its lines in the order of files and lines.
    """
    return ProfileError(
        f"the profile {name} is not valid, {listed(mistakes)}",
        where=str(shown(file)),
        next_step=next_step or f"correct what is listed, then run: opsproof profile check {name}",
    )


def listed(mistakes: Iterable[Mistake]) -> str:
    """How many mistakes there are, and each on a line of its own, in the order of files and lines."""
    ordered = sorted(set(mistakes), key=lambda mistake: (str(mistake.place.file), mistake.place.line, str(mistake)))
    count = "1 mistake" if len(ordered) == 1 else f"{len(ordered)} mistakes"
    return f"{count}:" + "".join(f"\n    {mistake}" for mistake in ordered)
