"""Damage copies one fault at a time, and see which checks go red."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from opsproof.errors import OpsproofError, StackError
from opsproof.rehearsal.damage.damage import Area, Damage, Found, NotApplicable
from opsproof.rehearsal.facts import SeededFact
from opsproof.stack.clusters import Grounds

L = TypeVar("L")


@dataclass(frozen=True)
class Shown:
    """
    What one fault has shown.

    Attributes:
        area: Name of the area.
        damage: Name of the fault.
        source: Where the fault comes from.
        title: In English.
        usual: What the usual check said.
        red: By name of a check what it said; empty where all of them stayed green.
        missing: Checks that were to catch it, and did not.
        seconds: What it took, with making the copies.
        failed: Why the fault could not be put in, or the checks not be asked; "" where they were.
        not_applicable: Why the fault says nothing of these copies; "" where it does.
    """

    area: str
    damage: str
    source: str
    title: str
    usual: str = ""
    red: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    seconds: float = 0.0
    failed: str = ""
    not_applicable: str = ""

    @property
    def caught(self) -> bool:
        """Whether some check went red."""
        return bool(self.red) and not self.failed

    @property
    def fact(self) -> SeededFact:
        """As a report keeps it."""
        return SeededFact(name=self.damage, usual=self.usual, caught_by=tuple(self.red))


def sound(area: Area[L], grounds: Grounds) -> float:
    """
    Ask every check of an area about copies that nobody has damaged; the seconds that it took.

    Raises:
        StackError: A check objects to them: then red would say nothing.
    """
    begun = time.monotonic()
    with area.lab(grounds) as lab:
        red = _red(asyncio.run(_detect(area, lab)))
    if red:
        told = "; ".join(f"{name}: {words}" for name, words in red.items())
        next_step = "Mend what they say first: on a damaged copy nothing can be proven."
        raise StackError(f"the copy is not sound before any fault: {told}", where=area.name, next_step=next_step)
    return time.monotonic() - begun


def prove(
    area: Area[L], grounds: Grounds, *, only: Callable[[Damage[L]], bool] = lambda _: True, say: Callable[[str], None]
) -> Iterator[Shown]:
    """
    Damage sound copies again and again, one fault at a time.

    A fault that cannot be put in is no reason to give up, and none to be silent: it is shown as failed.

    Args:
        area: What is damaged; see that it is `sound` first.
        grounds: Where the copies live.
        only: Faults that are wanted.
        say: Told of each fault before it begins.
    """
    for damage in filter(only, area.damages):
        say(f"{area.name}: {damage.title['en']}")
        yield _shown(area, damage, grounds)


def _shown(area: Area[L], damage: Damage[L], grounds: Grounds) -> Shown:
    names = area.name, damage.name, damage.source, damage.title["en"]
    begun, usual = time.monotonic(), ""
    try:
        with area.lab(grounds) as lab:
            damage.inject(lab)
            usual = damage.usual(lab)
            red = _red(asyncio.run(_detect(area, lab)))
    except NotApplicable as exc:
        return Shown(*names, not_applicable=str(exc))
    except OpsproofError as exc:
        return Shown(*names, usual, seconds=time.monotonic() - begun, failed=f"{exc.what} ({exc.where})")
    except Exception as exc:  # noqa: BLE001 - whatever a fault does: the others are still to be shown
        return Shown(*names, usual, seconds=time.monotonic() - begun, failed=f"{type(exc).__name__}: {exc}")
    missing = tuple(name for name in damage.caught_by if name not in red)
    return Shown(*names, usual, red, missing, time.monotonic() - begun)


async def _detect(area: Area[L], lab: L) -> Found:
    return await area.detect(lab)


def _red(found: Found) -> dict[str, str]:
    return {name: "; ".join(words) for name, words in found.items() if words}
