"""The account of a rehearsal: what was measured, against what was to be held."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from opsproof.errors import NoData
from opsproof.judge.outcome import Outcome, Status
from opsproof.rehearsal.clock.objectives import Scale, phases, rto
from opsproof.rehearsal.clock.reconcile import Reconciled
from opsproof.rehearsal.clock.recovery_point import polluted_rpo, rpo, to_replay
from opsproof.rehearsal.clock.stopwatch import Stopwatch
from opsproof.rehearsal.facts import (
    CopyFact,
    FindingFact,
    LedgerFact,
    ObjectiveFact,
    PhaseFact,
    RehearsalFact,
    StepFact,
)
from opsproof.rehearsal.procedure.plan import Plan, PlannedStep
from opsproof.rehearsal.seeded import seeded_of

if TYPE_CHECKING:
    from opsproof.rehearsal.procedure.rehearsal import Rehearsal

NOT_EXECUTED = "not executed"
_POLLUTED = "polluted-data"
_BAD = (Status.FAILED, Status.UNKNOWN)


class Account:
    """
    Gathers numbers while the rehearsal goes on, and judges them at its end.

    Args:
        plan: What was to be held.
        watch: The clock.
        embedded: True if it ran on sites of opsproof's own.
    """

    def __init__(self, plan: Plan, watch: Stopwatch, *, embedded: bool) -> None:
        self._plan = plan
        self._watch = watch
        self._embedded = embedded
        self.system_identifier = ""
        self.versions: dict[str, str] = {}
        self.copies: tuple[CopyFact, ...] = ()
        self.reconciled: Reconciled | None = None
        self.target: datetime | None = None
        self.scale: Scale | None = None
        self.declared_by = ""
        self.clean_up: tuple[str, ...] = ()

    def objectives(self) -> tuple[ObjectiveFact, ...]:
        """RTO and RPO."""
        wanted, moments = self._plan.objectives, self._watch.moments
        # Where opsproof itself noticed and declared it, nothing was measured of either: what is declared counts.
        by_people = moments if self.declared_by else moments.model_copy(update={"t1": None, "t2": None})
        time = rto(
            wanted.rto,
            moments if wanted.declared is None else by_people,
            declared=wanted.declared,
            scale=self.scale,
            uncertainty=self._watch.uncertainty,
            embedded=self._embedded,
        )
        if self._plan.scenario == _POLLUTED:
            point = polluted_rpo(wanted.rpo, moments.t0, self.target, self.reconciled, embedded=self._embedded)
        else:
            point = rpo(wanted.rpo, moments.t0, self.reconciled, embedded=self._embedded)
        return time, point

    def phases(self) -> tuple[PhaseFact, ...]:
        """Every phase against its budget, and the time that none accounts for."""
        return phases(self._plan.objectives.phases, self._watch.durations())

    def ledger(self) -> LedgerFact:
        """What became of every write. Raises NoData before the ledger was reconciled."""
        if self.reconciled is None:
            next_step = "See why the ledger was not compared with the recovered database."
            raise NoData("the ledger was not reconciled", where=self._plan.scenario, next_step=next_step)
        point = self.objectives()[1]
        fact = self.reconciled.fact(point.resolution or self.reconciled.ledger.interval)
        pollution = self._watch.moments.t0 if self._plan.scenario == _POLLUTED else None
        return fact.model_copy(update={"to_replay": to_replay(self.reconciled, pollution)}) if pollution else fact

    def fact(self, outcomes: Mapping[str, Outcome | None], rehearsal: Rehearsal) -> RehearsalFact:
        """
        What came of the rehearsal.

        Args:
            outcomes: Of its steps, by name of the check.
            rehearsal: The rehearsal.
        """
        steps = tuple(
            _step(step, outcomes.get(step.check), rehearsal.acted.get(step.check, "")) for step in self._plan.steps
        )
        bad = [one for one in outcomes.values() if one is not None and one.status in _BAD]
        ran = [one for one in bad if not one.message.startswith(NOT_EXECUTED)]
        assert rehearsal.began is not None
        return RehearsalFact(
            profile=self._plan.profile,
            scenario=self._plan.scenario,
            title=self._plan.objectives.title.model_dump(),
            plan=self._plan.sha256,
            embedded=self._embedded,
            started=rehearsal.began,
            finished=datetime.now(UTC),
            declared=self._plan.objectives.declared or 0.0,
            declared_by=self.declared_by,
            moments=self._watch.moments,
            phases=self.phases(),
            steps=steps,
            objectives=self.objectives(),
            ledger=self.ledger() if self.reconciled else None,
            copies=self.copies,
            projected=self.scale.words() if self.scale else "",
            seeded=seeded_of(rehearsal.folder.parents[1], self._plan.profile),
            findings=tuple(FindingFact(what=f"{o.title}: {o.message}", owner="", due=None) for o in ran),
            not_executed=tuple(f"{step.title['en']}: {step.words}" for step in steps if step.status == NOT_EXECUTED),
            clean_up=self.clean_up,
            aborted=rehearsal.aborted,
            system_identifier=self.system_identifier,
            versions=self.versions,
        )


def _step(step: PlannedStep, outcome: Outcome | None, by: str) -> StepFact:
    executed = outcome is not None and not outcome.message.startswith(NOT_EXECUTED)
    return StepFact(
        check=outcome.check if outcome else step.check,
        title=dict(step.title),
        phase=step.phase,
        status=str(outcome.status) if outcome and executed else NOT_EXECUTED,
        seconds=outcome.duration if outcome and executed else None,
        by=by,
        words=outcome.message if outcome else "it was not reached",
    )
