"""The goals, and whether they were met."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from measuring.peers import ALL_AT_ONCE, GATE, NEWMAN, PLAIN, RAW, Cell
from measuring.rounds import Measured

Results = Mapping[Cell, list[Measured]]


@dataclass(frozen=True)
class Goal:
    """
    A goal and what was measured.

    Attributes:
        text: What is wanted.
        limit: At most this.
        measured: The number, or None if it was not measured.
        unit: Of both.
    """

    text: str
    limit: float
    measured: float | None
    unit: str

    @property
    def word(self) -> str:
        """`met`, `missed` or `not measured`."""
        if self.measured is None:
            return "not measured"
        return "met" if self.measured <= self.limit else "missed"


def goals(results: Results, budgets: Iterable[int]) -> list[Goal]:
    """The goals of the gate, for each concurrency budget."""
    return [goal for budget in budgets for goal in _goals(results, budget)]


def _goals(results: Results, budget: int) -> list[Goal]:
    cell = Cell(60, 50)
    gate = _row(results, cell, GATE.format(budget))
    wall = gate.wall if gate else None
    with_budget = f"budget {budget}"
    return [
        Goal(f"60 checks, 50 ms, {with_budget}: wall time / plain pytest", 0.25, _ratio(results, gate, PLAIN), ""),
        Goal(f"60 checks, 50 ms, {with_budget}: wall time / newman", 0.2, _ratio(results, gate, NEWMAN), ""),
        Goal(
            f"60 checks, 50 ms, {with_budget}: wall time above raw requests of the same budget",
            0.8,
            _minus(wall, _wall(results, cell, RAW.format(budget))),
            "s",
        ),
        Goal(
            f"60 checks, 50 ms, {with_budget}: wall time above raw requests all at once",
            0.8,
            _minus(wall, _wall(results, cell, RAW.format(ALL_AT_ONCE))),
            "s",
        ),
        Goal(
            f"60 checks, 50 ms, {with_budget}: from start to the first request",
            0.5,
            gate.first if gate else None,
            "s",
        ),
        Goal(
            f"600 checks, 0 ms, {with_budget}: what a check costs above plain pytest",
            1.5,
            engine_cost(results, budget),
            "ms",
        ),
        Goal(f"the most of all cells, {with_budget}: peak memory", 120, _memory(results, budget), "MB"),
    ]


def engine_cost(results: Results, budget: int) -> float | None:
    """Milliseconds that a check at 0 ms costs more than in plain pytest, which asks the same: engine and report."""
    return _minus(cost_of_one_more(results, GATE.format(budget)), cost_of_one_more(results, PLAIN))


def cost_of_one_more(results: Results, name: str) -> float | None:
    """
    Milliseconds of one more check at 0 ms: the difference of 600 and 60 checks, without what a run costs once.

    Args:
        results: What was measured.
        name: Of whom.
    """
    more = _minus(_wall(results, Cell(600, 0), name), _wall(results, Cell(60, 0), name))
    return None if more is None else more / 540 * 1000


def _row(results: Results, cell: Cell, name: str) -> Measured | None:
    return next((row for row in results.get(cell, ()) if row.peer.name == name), None)


def _wall(results: Results, cell: Cell, name: str) -> float | None:
    row = _row(results, cell, name)
    return row.wall if row else None


def _ratio(results: Results, gate: Measured | None, name: str) -> float | None:
    other = _wall(results, Cell(60, 50), name)
    return gate.wall / other if gate and gate.wall and other else None


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _memory(results: Results, budget: int) -> float | None:
    rows = [_row(results, cell, GATE.format(budget)) for cell in results]
    peaks = [row.peak for row in rows if row and row.peak]
    return max(peaks) / 1e6 if peaks else None
