"""Who is measured: opsproof, its peers, and the limit."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from measuring import suites

GATE = "opsproof, budget {}"
PLAIN = "plain pytest"
TWO_PROCESSES = "plain pytest -n 2"
NEWMAN = "newman"
RAW = "raw requests, budget {}"
EMPTY = "pytest, empty tests"
ALL_AT_ONCE = 60

_PYTEST = [sys.executable, "-m", "pytest", "checks"]


@dataclass(frozen=True)
class Cell:
    """
    What is asked.

    Attributes:
        checks: How many checks, each of a path of its own.
        delay: Milliseconds until the server answers.
    """

    checks: int
    delay: int


@dataclass(frozen=True)
class Peer:
    """
    One way to run the checks.

    Attributes:
        name: As the table calls it.
        command: How it is started, in its folder; a text says why it cannot be.
        write: Writes its checks into a folder, given the server's address.
        at_once: How many checks it has under way at one time; 0 if it asks nothing.
    """

    name: str
    command: list[str] | str
    write: Callable[[Path, str, Cell], None]
    at_once: int


def peers(budgets: list[int], newman: list[str] | str) -> list[Peer]:
    """All that are measured side by side."""
    gates = [_gate(budget) for budget in budgets]
    raws = [_raw(budget) for budget in dict.fromkeys([*budgets, ALL_AT_ONCE])]
    plain = Peer(PLAIN, [*_PYTEST], lambda folder, url, cell: suites.write_plain(folder, url, _asked(cell)), 1)
    two = Peer(TWO_PROCESSES, [*_PYTEST, "-n", "2"], plain.write, 2)
    collection = Peer(
        NEWMAN,
        newman if isinstance(newman, str) else [*newman, "run", "collection.json", "--silent"],
        lambda folder, url, cell: suites.write_newman(folder, url, _asked(cell)),
        1,
    )
    empty = Peer(EMPTY, [*_PYTEST], lambda folder, url, cell: suites.write_empty(folder, _asked(cell)), 0)
    return [*gates, plain, two, collection, *raws, empty]


def environment(compiled: Path) -> dict[str, str]:
    """
    What every peer gets: this environment without what would change Python, pytest or opsproof.

    Args:
        compiled: Where Python keeps what it compiled, for all peers alike; the repository stays as it is.
    """
    left_out = ("PYTEST_", "OPSPROOF_", "GITHUB_STEP_SUMMARY", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    path = os.environ.get("PYTHONPATH")
    return kept | {"PYTHONPYCACHEPREFIX": str(compiled)} | ({"PYTHONPATH": path} if path else {})


def _asked(cell: Cell) -> list[str]:
    return suites.paths(cell.checks, cell.delay)


def _gate(budget: int) -> Peer:
    return Peer(
        GATE.format(budget),
        [*_PYTEST, "--profile", "bench/local", "--lang", "en"],
        lambda folder, url, cell: suites.write_opsproof(folder, url, _asked(cell), budget),
        budget,
    )


def _raw(budget: int) -> Peer:
    return Peer(
        RAW.format(budget),
        [sys.executable, "raw.py"],
        lambda folder, url, cell: suites.write_raw(folder, url, _asked(cell), budget),
        budget,
    )
