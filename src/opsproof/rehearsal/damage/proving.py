"""Damage copies one fault at a time, and see which checks go red."""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from opsproof.errors import StackError
from opsproof.rehearsal.damage.damage import Area, Damage, Found
from opsproof.rehearsal.facts import SeededFact
from opsproof.stack.clusters import Grounds

L = TypeVar("L")
_SHOWN = 110
_VOLATILE = re.compile(r"/\S*/opsproof-\d+/\S*?/")


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
    """

    area: str
    damage: str
    source: str
    title: str
    usual: str
    red: dict[str, str]
    missing: tuple[str, ...]

    @property
    def fact(self) -> SeededFact:
        """As a report keeps it."""
        return SeededFact(name=self.damage, usual=self.usual, caught_by=tuple(self.red))


def prove(
    area: Area[L], grounds: Grounds, *, only: Callable[[Damage[L]], bool] = lambda _: True, say: Callable[[str], None]
) -> Iterator[Shown]:
    """
    Damage sound copies again and again, one fault at a time.

    Args:
        area: What is damaged.
        grounds: Where the copies live.
        only: Faults that are wanted.
        say: Told of each fault before it begins.

    Raises:
        StackError: A check objects to the sound copy: then red would say nothing.
    """
    wanted = [damage for damage in area.damages if only(damage)]
    if not wanted:
        return
    with area.lab(grounds) as sound:
        if red := _red(asyncio.run(_detect(area, sound))):
            told = "; ".join(f"{name}: {words}" for name, words in red.items())
            next_step = "Mend what they say first: on a damaged copy nothing can be proven."
            raise StackError(f"the copy is not sound before any fault: {told}", where=area.name, next_step=next_step)
    for damage in wanted:
        say(f"{area.name}: {damage.title['en']}")
        with area.lab(grounds) as lab:
            damage.inject(lab)
            usual = damage.usual(lab)
            red = _red(asyncio.run(_detect(area, lab)))
        missing = tuple(name for name in damage.caught_by if name not in red)
        yield Shown(area.name, damage.name, damage.source, damage.title["en"], usual, red, missing)


def table(shown: Iterable[Shown]) -> list[str]:
    """The faults as rows of a Markdown table: fault, what the usual check says, what opsproof says."""
    rows = ["| fault | the usual check says | opsproof says |", "| --- | --- | --- |"]
    for one in shown:
        source = f" ({one.source})" if one.source else ""
        said = "<br>".join(f"`{name}`: {_cell(words)}" for name, words in one.red.items())
        rows.append(f"| {_cell(one.title)}{source} | {_cell(one.usual)} | {said or '**nothing**'} |")
    return rows


async def _detect(area: Area[L], lab: L) -> Found:
    return await area.detect(lab)


def _red(found: Found) -> dict[str, str]:
    return {name: "; ".join(words) for name, words in found.items() if words}


def _cell(text: str) -> str:
    plain = _VOLATILE.sub(".../", " ".join(text.split())).replace("|", "\\|")
    return plain if len(plain) <= _SHOWN else f"{plain[: _SHOWN - 3]}..."
