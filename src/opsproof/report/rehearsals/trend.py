"""A rehearsal among the earlier ones of the same profile and scenario, as their run.json files tell them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from opsproof.rehearsal.clock.compare import Comparison, compare
from opsproof.rehearsal.facts import FindingFact, RehearsalFact
from opsproof.report.run import Run

_RUN_FILE = "run.json"
_WITH_DIGITS = re.compile(r"\w*\d\w*")
_HAS_REHEARSALS = re.compile(rb'"rehearsals":\s*\[\s*\{')


@dataclass(frozen=True)
class Past:
    """
    A rehearsal of an earlier run, or of this one.

    Attributes:
        run: Id of its run.
        folder: Name of its run's folder; "" for this run.
        fact: What came of it.
    """

    run: str
    folder: str
    fact: RehearsalFact


@dataclass(frozen=True)
class CarriedOver:
    """
    A finding of the rehearsal before this one.

    Attributes:
        finding: As it was written down then.
        again: True if this rehearsal has it, too; otherwise a person says whether it is closed.
        overdue: True if its day had passed when this rehearsal ended.
    """

    finding: FindingFact
    again: bool
    overdue: bool


@dataclass(frozen=True)
class Trend:
    """
    Attributes:
        rehearsals: Oldest first; the last is the one that the report is about.
        unreadable: Files of the folder that could not be read: nobody knows what they hold.
    """

    rehearsals: tuple[Past, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def now(self) -> RehearsalFact:
        """The rehearsal that the report is about."""
        return self.rehearsals[-1].fact

    @property
    def previous(self) -> Past | None:
        """The one before it."""
        return self.rehearsals[-2] if len(self.rehearsals) > 1 else None

    @property
    def plan_changed(self) -> bool:
        """True if the plan is not the one that was rehearsed the last time."""
        return self.previous is not None and self.previous.fact.plan != self.now.plan

    @property
    def with_previous(self) -> Comparison | None:
        """Both side by side: one moment of failure may flatter; None if there is none before it."""
        return compare(self.previous.fact, self.now) if self.previous else None

    @property
    def since_previous(self) -> float | None:
        """Seconds from the end of the one before until this one began; None if there is none."""
        return (self.now.started - self.previous.fact.finished).total_seconds() if self.previous else None

    @property
    def carried_over(self) -> tuple[CarriedOver, ...]:
        """The findings of the one before: they are open until a person closes them."""
        if self.previous is None:
            return ()
        there = {_alike(finding) for finding in self.now.findings}
        return tuple(
            CarriedOver(
                finding,
                again=_alike(finding) in there,
                overdue=finding.due is not None and finding.due < self.now.finished,
            )
            for finding in self.previous.fact.findings
        )

    def age(self, now: datetime) -> float:
        """Seconds since this rehearsal ended."""
        return (now - self.now.finished).total_seconds()


def _alike(finding: FindingFact) -> str:
    """What is the same in a finding seen again: the promise that was not kept, else its words without numbers."""
    promise, _, rest = finding.what.partition(".: ")
    return promise if rest else _WITH_DIGITS.sub("#", finding.what)


def trend(fact: RehearsalFact, run: str, earlier: Iterable[Past], unreadable: Iterable[str] = ()) -> Trend:
    """
    Put a rehearsal behind those that began before it.

    Args:
        fact: The rehearsal that the report is about.
        run: Id of its run.
        earlier: Rehearsals of any run, profile and scenario, in any order.
        unreadable: Names of reports that could not be read.
    """
    before: dict[datetime, Past] = {
        past.fact.started: past
        for past in earlier
        if (past.fact.profile, past.fact.scenario) == (fact.profile, fact.scenario) and past.fact.started < fact.started
    }
    return Trend((*(before[at] for at in sorted(before)), Past(run, "", fact)), tuple(unreadable))


def read_earlier(reports: Path, folder: Path) -> tuple[list[Past], list[str]]:
    """
    Read the rehearsals of the earlier runs.

    Args:
        reports: The folder that holds the folders of runs.
        folder: The run's own folder, which is left out.

    Returns:
        The rehearsals, and the names of folders whose run.json could not be read. A run that judged old evidence
        again is no rehearsal.
    """
    found: list[Past] = []
    unreadable: list[str] = []
    for path in sorted(reports.glob(f"*/{_RUN_FILE}")):
        if path.parent.is_symlink() or path.parent.name == folder.name:
            continue
        try:
            content = path.read_bytes()
            if _HAS_REHEARSALS.search(content) is None and content.rstrip().endswith(b"}"):
                continue
            found += _rehearsals(json.loads(content), path.parent.name)
        except (OSError, ValueError, KeyError, TypeError, ValidationError):
            unreadable.append(path.parent.name)
    return found, unreadable


def _rehearsals(content: object, folder: str) -> list[Past]:
    if not isinstance(content, Mapping):
        raise TypeError("run.json")
    if content.get("replay_of"):
        return []
    facts = content["rehearsals"]
    if not isinstance(facts, list):
        raise TypeError("rehearsals")
    return [Past(str(content["id"]), folder, RehearsalFact.model_validate(fact)) for fact in facts]


def trends(run: Run, folder: Path) -> list[Trend]:
    """
    The trend of each rehearsal of a run.

    Args:
        run: The run.
        folder: The run's folder; the earlier runs lie beside it.
    """
    if not run.rehearsals:
        return []
    earlier, unreadable = read_earlier(folder.resolve().parent, folder.resolve())
    return [trend(fact, run.id, earlier, unreadable) for fact in run.rehearsals]
