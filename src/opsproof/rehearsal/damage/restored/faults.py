"""How a fault of a restored database is written down, and the names of the checks that catch it."""

from collections.abc import Callable

from opsproof.rehearsal.damage.damage import Damage
from opsproof.rehearsal.damage.restored.copies import Copy

QUIETLY = "SET session_replication_role = replica"
"""What follows fires no trigger and asks no foreign key."""


def fault(name: str, source: str, en: str, ko: str, caught_by: tuple[str, ...], *statements: str) -> Damage[Copy]:
    """A fault that statements on the clone make; `caught_by` are methods of `RestoredVerification`."""
    return done(name, source, en, ko, caught_by, lambda copy: copy.sql(*statements))


def everywhere(
    name: str, source: str, en: str, ko: str, caught_by: tuple[str, ...], do: str, undo: str
) -> Damage[Copy]:
    """A fault that is in force in the whole cluster until it is undone."""
    return done(name, source, en, ko, caught_by, lambda copy: copy.everywhere(do, undo))


def done(
    name: str, source: str, en: str, ko: str, caught_by: tuple[str, ...], inject: Callable[[Copy], None]
) -> Damage[Copy]:
    """A fault that a function makes."""
    return Damage(name, source, {"en": en, "ko": ko}, inject, Copy.usual, tuple(f"restored.{one}" for one in caught_by))
