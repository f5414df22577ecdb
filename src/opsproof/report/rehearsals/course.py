"""How a rehearsal went from T0 to its last moment: which phase took which time, and what no phase explains."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from opsproof.judge.outcome import Outcome
from opsproof.rehearsal.clock.stopwatch import UNEXPLAINED
from opsproof.rehearsal.facts import Proof, RehearsalFact
from opsproof.report.rehearsals.proving import proof_of_phase

_UNSEEN = 0.005
"""Share of the whole below which a gap between two phases is not drawn: it is in the sum all the same."""


@dataclass(frozen=True)
class Bar:
    """
    A phase, or a time that no phase explains.

    Attributes:
        name: Of the phase; "" if no phase explains the time.
        start: Seconds after T0; None if the phase was not gone through.
        seconds: How long; None likewise.
        budget: Of the phase, in seconds.
        proof: Of the phase.
    """

    name: str
    start: float | None
    seconds: float | None
    budget: float | None = None
    proof: Proof = Proof.NOT_PROVEN


@dataclass(frozen=True)
class Course:
    """
    A rehearsal as a picture shows it.

    Attributes:
        bars: In order of time; phases that were not gone through stand where they belong.
        moments: Seconds after T0, by name (T0 to T6); those that happened.
        length: Seconds from the first to the last of it.
        unexplained: Seconds that no phase explains; None if that is not known.
    """

    bars: tuple[Bar, ...]
    moments: dict[str, float]
    length: float
    unexplained: float | None


def course(fact: RehearsalFact, outcomes: Iterable[Outcome]) -> Course:
    """
    Lay the phases out.

    Args:
        fact: The rehearsal.
        outcomes: Of the run: a phase begins with the first check of its steps. One without such a check is taken to
            begin where the phase before it ended.
    """
    zero = fact.moments.t0
    moments = {name.upper(): (at - zero).total_seconds() for name, at in fact.moments if at is not None} if zero else {}
    begun = _begun(fact, outcomes)
    phases = [*_phases(fact, begun)]
    end = max(moments.values(), default=0.0)
    gaps = [*_gaps(phases, end)] if moments else []
    length = max([end, *(bar.start + bar.seconds for bar in _taken(phases))], default=0.0)
    drawn = [gap for gap in gaps if (gap.seconds or 0.0) > length * _UNSEEN]
    return Course(
        bars=tuple(_merged(phases, drawn)),
        moments=moments,
        length=length,
        unexplained=_unexplained(fact) if moments else None,
    )


@dataclass(frozen=True)
class _Taken:
    start: float
    seconds: float


def _taken(bars: Iterable[Bar]) -> Iterator[_Taken]:
    for bar in bars:
        if bar.start is not None and bar.seconds is not None:
            yield _Taken(bar.start, bar.seconds)


def _begun(fact: RehearsalFact, outcomes: Iterable[Outcome]) -> dict[str, float]:
    zero = fact.moments.t0
    if zero is None:
        return {}
    phase_of = {step.check: step.phase for step in fact.steps if step.seconds is not None}
    begun: dict[str, float] = {}
    for outcome in outcomes:
        phase = phase_of.get(outcome.check)
        within = fact.started - timedelta(seconds=1) <= outcome.started <= fact.finished
        if phase is not None and within:
            seconds = max(0.0, (outcome.started - zero).total_seconds())
            begun[phase] = min(seconds, begun.get(phase, seconds))
    return begun


def _phases(fact: RehearsalFact, begun: dict[str, float]) -> Iterator[Bar]:
    reached = 0.0
    for phase in fact.phases:
        if phase.name == UNEXPLAINED:
            continue
        proof = proof_of_phase(fact, phase)
        if phase.seconds is None:
            yield Bar(phase.name, None, None, phase.budget, proof)
            continue
        start = max(reached, begun.get(phase.name, reached))
        yield Bar(phase.name, start, phase.seconds, phase.budget, proof)
        reached = start + phase.seconds


def _unexplained(fact: RehearsalFact) -> float | None:
    """As the stopwatch says; a rehearsal that keeps none has none."""
    return next((phase.seconds for phase in fact.phases if phase.name == UNEXPLAINED), None)


def _gaps(bars: Iterable[Bar], end: float) -> Iterator[Bar]:
    reached = 0.0
    for bar in sorted(_taken(bars), key=lambda one: one.start):
        if bar.start > reached:
            yield Bar("", reached, min(bar.start, end) - reached)
        reached = max(reached, bar.start + bar.seconds)
        if reached >= end:
            return
    if end > reached:
        yield Bar("", reached, end - reached)


def _merged(phases: list[Bar], gaps: list[Bar]) -> Iterator[Bar]:
    """Gaps before the phase that begins after them; phases keep their order."""
    left = sorted(gaps, key=lambda gap: gap.start or 0.0)
    for phase in phases:
        while left and phase.start is not None and (left[0].start or 0.0) < phase.start:
            yield left.pop(0)
        yield phase
    yield from left
