"""Two rehearsals of a scenario side by side: one moment of failure may flatter, two of them tell by how much."""

from collections.abc import Iterator
from dataclasses import dataclass

from opsproof.rehearsal.facts import ObjectiveFact, PhaseFact, RehearsalFact


@dataclass(frozen=True)
class Change:
    """
    One number of both rehearsals.

    Attributes:
        name: `RTO`, `RPO`, `phase database`, `exposure of archive`.
        earlier: Seconds in the earlier one; None if it was not measured.
        later: Seconds in the later one; None if it was not measured.
    """

    name: str
    earlier: float | None
    later: float | None

    @property
    def worst(self) -> float | None:
        """The larger of both; None unless both were measured, for the one that is missing may have been larger."""
        return None if self.earlier is None or self.later is None else max(self.earlier, self.later)

    @property
    def change(self) -> float | None:
        """Seconds by which it grew; negative if it shrank; None unless both were measured."""
        return None if self.earlier is None or self.later is None else self.later - self.earlier


@dataclass(frozen=True)
class Comparison:
    """
    What two rehearsals say together.

    Attributes:
        apart: Seconds between their failures; None if one has none.
        changes: Number by number.
        doubts: Why they cannot be compared as they stand; empty if they can.
    """

    apart: float | None
    changes: tuple[Change, ...]
    doubts: tuple[str, ...]


def compare(one: RehearsalFact, other: RehearsalFact) -> Comparison:
    """
    Compare two rehearsals; the one that began first is the earlier one.

    RTO and RPO are compared by their upper bounds, which are what is judged.
    """
    earlier, later = sorted((one, other), key=lambda fact: fact.started)
    first, second = earlier.moments.t0, later.moments.t0
    apart = (second - first).total_seconds() if first and second else None
    return Comparison(apart, tuple(_changes(earlier, later)), tuple(_doubts(earlier, later, apart)))


def _changes(earlier: RehearsalFact, later: RehearsalFact) -> Iterator[Change]:
    before, after = _objectives(earlier.objectives), _objectives(later.objectives)
    for name in dict.fromkeys([*before, *after]):
        yield Change(name, before.get(name), after.get(name))
    before, after = _phases(earlier.phases), _phases(later.phases)
    for name in dict.fromkeys([*before, *after]):
        yield Change(f"phase {name}", before.get(name), after.get(name))
    before, after = ({copy.name: copy.exposure for copy in fact.copies} for fact in (earlier, later))
    for name in dict.fromkeys([*before, *after]):
        yield Change(f"exposure of {name}", before.get(name), after.get(name))


def _doubts(earlier: RehearsalFact, later: RehearsalFact, apart: float | None) -> Iterator[str]:
    if (earlier.profile, earlier.scenario) != (later.profile, later.scenario):
        both = f"{earlier.profile} {earlier.scenario} and {later.profile} {later.scenario}"
        yield f"they are of different scenarios: {both}"
    if earlier.plan != later.plan:
        yield "the plan was changed between them: the numbers are not of the same steps"
    if earlier.embedded != later.embedded:
        yield "one ran on clusters of its own, the other in an environment"
    if earlier.versions != later.versions:
        yield "the versions of the tools or servers are not the same"
    for fact in (earlier, later):
        if fact.aborted:
            yield f"the rehearsal of {fact.started.isoformat(timespec='seconds')} was aborted: {fact.aborted}"
    if apart is None:
        yield "one of them has no T0"
    elif apart == 0:
        yield "both have the same T0: they are one rehearsal, and say nothing together"


def _objectives(objectives: tuple[ObjectiveFact, ...]) -> dict[str, float | None]:
    return {one.name: one.upper for one in objectives}


def _phases(phases: tuple[PhaseFact, ...]) -> dict[str, float | None]:
    return {one.name: one.seconds for one in phases}
