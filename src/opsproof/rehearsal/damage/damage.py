"""A kind of damage, and the copies that it is done to."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from opsproof.stack.clusters import Grounds

L = TypeVar("L")

Found = Mapping[str, Sequence[str]]
"""By name of the check what it objects to; nothing where it is green."""


class NotApplicable(Exception):
    """The fault says nothing of these copies; the words say why."""


@dataclass(frozen=True)
class Damage(Generic[L]):
    """
    One fault.

    Attributes:
        name: `dump-cut-off`.
        source: Its number in the list of faults that it comes from: `A12`; "" for one of our own.
        title: In one line, by language.
        inject: Does it to the copies. Raises NotApplicable where they have nothing that it could be done to.
        usual: What the usual check says of the copies afterwards: `pg_restore -l: exit 0`.
        caught_by: Names of the checks that must be red.
    """

    name: str
    source: str
    title: Mapping[str, str]
    inject: Callable[[L], None]
    usual: Callable[[L], str]
    caught_by: tuple[str, ...]


@dataclass(frozen=True)
class Area(Generic[L]):
    """
    What is damaged together: stored backups, the archive, a restored copy, a pair of servers, a site.

    Attributes:
        lab: Makes sound copies, anew for each fault; cheap, for it is done often.
        detect: Asks all checks of this area.
        damages: Every fault of it.
    """

    name: str
    lab: Callable[[Grounds], AbstractContextManager[L]]
    detect: Callable[[L], Awaitable[Found]]
    damages: tuple[Damage[L], ...]
