"""A pytest item as a check."""

import csv
import functools
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from opsproof.plugin.marks import Card, Step, marked
from opsproof.plugin.options import language
from opsproof.profile.attested import Attested, attested_check
from opsproof.profile.canary import Criterion
from opsproof.profile.indicators import Indicator
from opsproof.profile.load import Gate
from opsproof.profile.models import Profile


@dataclass(frozen=True)
class Check:
    """
    One check on one profile.

    Attributes:
        id: Unique in the run: `SUBJECT.NAME[PROFILE]` or `SUBJECT.NAME[PROFILE-ENTRY]`.
        name: `SUBJECT.NAME`.
        profile: Name of the profile.
        title: First line of the docstring.
        card: What `@runbook` says.
        markers: The markers that say when it runs.
        writes: What it writes, or "".
        indicator: The indicator that it judges, if it is the check of one.
        attested: What a person is asked, if it is the check of that.
        scenario: The scenario of a rehearsal that it belongs to, or "".
        step: Its place there.
        on_site: True if it looks at stored backups, their archive or their standby.
        of_canary: True if it needs a canary that was watched.
        of_benchmark: True if it needs a benchmark that was run.
    """

    id: str
    name: str
    profile: str
    title: str
    card: Card
    markers: tuple[str, ...]
    writes: str
    indicator: Indicator | None = None
    attested: Attested | None = None
    scenario: str = ""
    step: Step | None = None
    on_site: bool = False
    of_canary: bool = False
    of_benchmark: bool = False

    @property
    def stays_as_it_was(self) -> bool:
        """True if a replay cannot judge it again: what it acted on, or read through, is gone."""
        return self.step is not None or self.on_site

    @property
    def judged_whole(self) -> bool:
        """True if it judges a part of what is watched or measured once, before the first check."""
        return self.of_canary or self.of_benchmark


SITE_FIXTURES = frozenset({"stored", "archive", "standby_verification"})
"""What looks at stored backups, their archive and their standby."""

CANARY_FIXTURE = "canary"
CANARY_ANSWER = "canary.the_canary_may_be_promoted"
BENCHMARK_FIXTURE = "benchmark"
BENCHMARK_BELIEVED = "load.the_benchmark_can_be_believed"
Entry = Indicator | Attested | Criterion | Gate
"""What of a profile has a check of its own."""

_FIXTURES = f"{__package__}.fixtures"
CHECK = pytest.StashKey[Check | None]()


def check_of(item: pytest.Item) -> Check | None:
    """The check that an item is, or None for an ordinary test."""
    if CHECK not in item.stash:
        item.stash[CHECK] = _read(item)
    return item.stash[CHECK]


def _read(item: pytest.Item) -> Check | None:
    mark, spec = marked(item, "runbook"), getattr(item, "callspec", None)
    if mark is None or spec is None or "profile" not in spec.params or not isinstance(item, pytest.Function):
        return None
    entry = next((value for value in spec.params.values() if isinstance(value, Entry)), None)
    name = name_of(entry) if entry else check_name(item.path, item.function.__name__, in_class=item.cls is not None)
    profile = spec.params["profile"]
    writes, scenario, step = (marked(item, mark) for mark in ("writes", "scenario", "step"))
    known = {line.partition(":")[0].partition("(")[0].strip() for line in item.config.getini("markers")}
    special = {"runbook", "proven_by", "needs", "each", "writes", "scenario", "step", "parametrize", "xdist_group"}
    return Check(
        id=f"{name}[{profile if entry else spec.id}]",
        name=name,
        profile=profile,
        title=_title(item, entry),
        card=_own(mark.args[0], rows_of(item.config.rootpath / "checks" / "runbooks", profile.partition("/")[0])),
        markers=tuple(sorted({m.name for m in item.iter_markers()} & known - special)),
        writes=writes.args[0] if writes else "",
        indicator=entry if isinstance(entry, Indicator) else None,
        attested=entry if isinstance(entry, Attested) else None,
        scenario=scenario.args[0] if scenario else "",
        step=step.args[0] if step else None,
        on_site=_is_on_site(item),
        of_canary=CANARY_FIXTURE in item.fixturenames,
        of_benchmark=BENCHMARK_FIXTURE in item.fixturenames,
    )


def _is_on_site(item: pytest.Function) -> bool:
    """Whether a check takes one of these fixtures, and not a fixture of its own that has the same name."""
    taken = item._fixtureinfo.name2fixturedefs
    return any(name in taken and taken[name][-1].func.__module__ == _FIXTURES for name in SITE_FIXTURES)


def _own(card: Card, rows: frozenset[str]) -> Card:
    """The card with the rows of the profile's own runbook alone, where that is known."""
    return replace(card, rows=tuple(row for row in card.rows if row in rows)) if rows else card


@functools.cache
def rows_of(folder: Path, system: str) -> frozenset[str]:
    """
    Ids of the rows of a system's runbook.

    Args:
        folder: Holds the index of each runbook, SYSTEM.csv.

    Returns:
        No id, if there is no index.
    """
    index = folder / f"{system}.csv"
    if not index.exists():
        return frozenset()
    with index.open(encoding="utf-8", newline="") as lines:
        return frozenset(row["id"] for row in csv.DictReader(lines))


def _title(item: pytest.Function, entry: Entry | None) -> str:
    """An entry's title in the operator's language, or the first line of the docstring."""
    if entry is not None:
        return str(getattr(entry.title, language(item.config)))
    return (inspect.getdoc(item.function) or "").partition("\n")[0]


def name_of(entry: Entry) -> str:
    """Name of the check of an entry of the profile."""
    if isinstance(entry, Criterion):
        return f"canary.{entry.id}"
    if isinstance(entry, Gate):
        return f"load.{entry.id}"
    return attested_check(entry.id) if isinstance(entry, Attested) else indicator_check(entry.id)


def indicator_check(key: str) -> str:
    """Name of the check of an indicator: `indicators.queue-depth`."""
    return f"indicators.{key}"


def check_name(path: Path, function: str, *, in_class: bool = False) -> str:
    """
    `health.every_component_is_healthy` for `checks/health/test_components.py::test_every_component_is_healthy`.

    Classes are told apart by their file: `rehearsal.region_loss.the_standby_is_promoted`.
    """
    stem = path.stem.removeprefix("test_")
    subject = stem if path.parent.name == "checks" else path.parent.name
    return f"{subject}.{f'{stem}.' if in_class else ''}{function.removeprefix('test_')}"


def is_known_in(folder: Path, name: str) -> bool:
    """True if a file of the folder has a check of this name, or cites a runbook row of this id; imports nothing."""
    for path in folder.rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        functions = re.findall(r"^(\s*)(?:async )?def (test_\w+)", text, re.MULTILINE)
        names = {check_name(path, function, in_class=bool(indent.strip("\n"))) for indent, function in functions}
        if name in names or f'"{name}"' in text or f"'{name}'" in text:
            return True
    return False


def value_at(profile: Profile, key: str) -> Any:
    """The profile's value at a dotted key; None where there is nothing."""
    value: Any = profile
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else getattr(value, part, None)
    return value


def lacking(profile: Profile, metafunc: pytest.Metafunc) -> str:
    """The first key that the check needs and the profile does not have; "" if the profile can carry it."""
    needed = [key for mark in metafunc.definition.iter_markers("needs") for key in mark.args]
    if each := marked(metafunc, "each"):
        needed += each.kwargs.values()
    if scenario := marked(metafunc, "scenario"):
        needed.append(f"rehearsals.scenarios.{scenario.args[0]}")
    return next((key for key in needed if not value_at(profile, key)), "")
