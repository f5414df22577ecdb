"""The parts of the benchmark: a number that it prints was measured, and says what it seems to say."""

import os
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from measuring import newman, peers, rounds
from measuring.goals import goals
from measuring.peers import Cell, Peer
from measuring.process import run
from measuring.rounds import Measured, RunFailed, measure
from measuring.server import Seen, Server, serving
from measuring.table import cell_table, cost_table, goal_table

NO_NEWMAN = "newman not installed: there is no npm"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def ask(server: Server, path: str) -> bytes:
    with urllib.request.urlopen(server.url + path, timeout=10) as answer:
        content: bytes = answer.read()
    return content


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def a_row(name: str, *walls: float, first: float = 0.3, peak: int = 60_000_000) -> Measured:
    return Measured(Peer(name, [], lambda *_: None, 8), list(walls), [first], [peak], most_at_once=8)


def test_the_server_counts_what_it_is_asked_and_knows_when_it_began(server: Server) -> None:
    """The time to the first request is half of what a short run lasts; it is taken where the request arrives."""
    server.forget()
    before = time.monotonic()
    assert b'"healthy"' in ask(server, "/after/0/check/1")
    between = time.monotonic()
    ask(server, "/after/20/check/2")

    seen = server.seen()

    assert seen.requests == 2
    assert seen.first is not None
    assert before <= seen.first <= between


def test_the_server_forgets_the_run_before(server: Server) -> None:
    """Every run is counted on its own."""
    ask(server, "/after/0/check/1")

    server.forget()

    assert server.seen() == Seen(requests=0, first=None, most_at_once=0)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_memory_of_children_counts(tmp_path: Path) -> None:
    """A runner with two processes needs the memory of both."""
    hungry = "import time; held = bytearray(60_000_000); time.sleep(0.6)"

    alone = run(python("pass"), tmp_path, os.environ)
    family = run(
        python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hungry!r}])"), tmp_path, os.environ
    )

    assert alone.peak is not None
    assert family.peak is not None
    assert family.peak > alone.peak + 60_000_000


def test_a_run_is_told_with_its_exit_status_and_what_it_printed(tmp_path: Path) -> None:
    """What failed must not pass for fast."""
    ran = run(python("import sys; print('no such check'); sys.exit(4)"), tmp_path, os.environ)

    assert ran.status == 4
    assert "no such check" in ran.output


def test_every_peer_asks_every_path_once(server: Server, tmp_path: Path) -> None:
    """The peers do the same work; what is shared or left out would be no measure."""
    said: list[str] = []

    rows = measure(
        Cell(3, 1), peers.peers([2], NO_NEWMAN), server, tmp_path / "cell", rounds=1, longest=0, say=said.append
    )

    measured = {row.peer.name: row for row in rows}
    assert measured[peers.NEWMAN].missing == NO_NEWMAN
    assert all(len(row.walls) == 1 for name, row in measured.items() if name != peers.NEWMAN)
    assert measured[peers.GATE.format(2)].first is not None
    assert measured[peers.EMPTY].first is None
    assert measured[peers.GATE.format(2)].most_at_once <= 2
    assert len(said) == 2 * (len(rows) - 1)


def test_a_peer_that_fails_ends_the_benchmark(server: Server, tmp_path: Path) -> None:
    """Its time would be that of a run that did something else."""
    broken = Peer("broken", python("print('it broke')"), lambda *_: None, 1)

    with pytest.raises(RunFailed, match=r"(?s)broken.*0 of 3 requests.*it broke"):
        measure(Cell(3, 0), [broken], server, tmp_path / "cell", rounds=1, longest=0, say=lambda _: None)


def test_who_would_take_too_long_is_named_and_has_no_number(server: Server, tmp_path: Path) -> None:
    """A number that was not measured is not printed."""
    slow = Peer(peers.PLAIN, python("pass"), lambda *_: None, 1)

    (row,) = measure(Cell(600, 200), [slow], server, tmp_path / "cell", rounds=1, longest=45, say=lambda _: None)

    assert row.wall is None
    assert "| plain pytest | not run: takes at least 120 s" in cell_table(Cell(600, 200), [row], 8)


def test_peers_get_nothing_that_changes_python_or_pytest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PYTEST_ADDOPTS of the shell, or Python told to keep nothing compiled, would measure something else."""
    for name in ("PYTEST_ADDOPTS", "PYTHONDONTWRITEBYTECODE", "OPSPROOF_STACK", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(name, "1")

    given = peers.environment(tmp_path)

    assert not {"PYTEST_ADDOPTS", "PYTHONDONTWRITEBYTECODE", "OPSPROOF_STACK", "GITHUB_STEP_SUMMARY"} & given.keys()
    assert given["PYTHONPYCACHEPREFIX"] == str(tmp_path)


def test_goals_are_met_missed_or_not_measured() -> None:
    """Nothing that was not measured counts as met."""
    gate, raw = peers.GATE.format(8), peers.RAW.format(8)
    rows = [a_row(gate, 0.7, 0.8, 2.0), a_row(peers.PLAIN, 3.4), a_row(raw, 0.5)]

    found = {goal.text.partition(": ")[2]: goal for goal in goals({Cell(60, 50): rows}, [8])}

    assert found["wall time / plain pytest"].word == "met"
    assert found["wall time / newman"].word == "not measured"
    assert found["wall time above raw requests of the same budget"].measured == pytest.approx(0.3)
    assert "| not measured |" in goal_table(found.values())


def test_the_cost_of_a_check_leaves_out_what_a_run_costs_once() -> None:
    """Starting Python is no cost of a check."""
    gate = peers.GATE.format(8)
    results = {
        Cell(60, 0): [a_row(gate, 1.0), a_row(peers.PLAIN, 0.4)],
        Cell(600, 0): [a_row(gate, 2.08), a_row(peers.PLAIN, 0.94)],
    }

    (cost,) = [goal for goal in goals(results, [8]) if goal.unit == "ms"]

    assert cost.measured == pytest.approx(1.0)
    assert cost.word == "met"


def test_a_cell_compares_with_opsproof_and_shows_the_spread() -> None:
    """A ratio is of medians; how far the rounds lie apart says how much it is worth."""
    rows = [a_row(peers.GATE.format(8), 1.0, 1.0, 1.4), a_row(peers.PLAIN, 3.0)]

    table = cell_table(Cell(60, 50), rows, 8)

    assert "| opsproof, budget 8 | 1.00 s (1.00 to 1.40) | 1.00 | 0.30 s | 60 MB | 8 | 3 |" in table
    assert "| plain pytest | 3.00 s | 3.00 |" in table


def test_costs_that_are_not_known_are_left_out() -> None:
    """A table of nothing is no table."""
    assert cost_table({"newman": None}) == ""
    assert "| plain pytest | 0.94 ms |" in cost_table({"plain pytest": 0.94, "newman": None})


def test_without_npm_newman_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a number that nobody measured."""
    monkeypatch.setenv("PATH", "")

    assert newman.find_newman() == NO_NEWMAN


def test_what_the_answers_alone_take_is_known_beforehand() -> None:
    """So that nobody waits two minutes for a peer that asks one after the other."""
    serial = Peer(peers.PLAIN, [], lambda *_: None, 1)

    assert rounds.at_least(serial, Cell(600, 200)) == pytest.approx(120)
