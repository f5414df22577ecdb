"""The numbers as Markdown."""

from collections.abc import Iterable, Mapping

from measuring.goals import Goal
from measuring.peers import GATE, Cell
from measuring.rounds import Measured

_HEAD = "| | wall | of opsproof's | first request | peak memory | at once | rounds |\n|---|--:|--:|--:|--:|--:|--:|"


def cell_table(cell: Cell, rows: list[Measured], budget: int) -> str:
    """
    One cell, all peers.

    Args:
        cell: What was asked.
        rows: What was measured.
        budget: The concurrency budget of the opsproof that the others are compared with.
    """
    gate = next((row.wall for row in rows if row.peer.name == GATE.format(budget)), None)
    lines = [f"### {cell.checks} checks, answers after {cell.delay} ms", "", _HEAD]
    return "\n".join([*lines, *(_line(row, gate) for row in rows)])


def goal_table(goals: Iterable[Goal]) -> str:
    """The goals, each with its number."""
    lines = ["### Goals", "", "| goal | at most | measured | |", "|---|--:|--:|---|"]
    for goal in goals:
        measured = "-" if goal.measured is None else _with_unit(f"{goal.measured:.2f}", goal.unit)
        lines.append(f"| {goal.text} | {_with_unit(f'{goal.limit:g}', goal.unit)} | {measured} | {goal.word} |")
    return "\n".join(lines)


def cost_table(costs: Mapping[str, float | None]) -> str:
    """What one more check costs, in milliseconds, by peer."""
    known = [f"| {name} | {cost:.2f} ms |" for name, cost in costs.items() if cost is not None]
    return (
        "\n".join(["### One more check, answers after 0 ms", "", "| | costs |", "|---|--:|", *known]) if known else ""
    )


def _line(row: Measured, gate: float | None) -> str:
    if row.missing or row.wall is None:
        return f"| {row.peer.name} | {row.missing} | | | | | |"
    ratio = f"{row.wall / gate:.2f}" if gate else "-"
    first = "-" if row.first is None else f"{row.first:.2f} s"
    peak = "-" if row.peak is None else f"{row.peak / 1e6:.0f} MB"
    at_once = row.most_at_once or "-"
    spread = f"{row.wall:.2f} s" + (f" ({min(row.walls):.2f} to {max(row.walls):.2f})" if len(row.walls) > 1 else "")
    return f"| {row.peer.name} | {spread} | {ratio} | {first} | {peak} | {at_once} | {len(row.walls)} |"


def _with_unit(number: str, unit: str) -> str:
    return f"{number} {unit}".rstrip()
