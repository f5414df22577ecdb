"""The simulation judges in arrays as the real judge does, and notices a promise that is not kept."""

import canary
import numpy as np
import pytest
from canary import MINUTES, NEVER, Judged


@pytest.mark.parametrize("every", [60, 15])
@pytest.mark.parametrize("times", [0.25, 1.0, 2.0])
def test_arrays_are_judged_as_run_by_run(times, every):
    looks = MINUTES * 60 // every
    data = canary._data(np.random.default_rng(5), 8, 30, looks, 0.01 * times, 0.005)
    bursts = canary._in_bursts(np.random.default_rng(5), data)

    for one in (data, bursts):
        assert canary._differences("here", one, canary._ours(one, 0.01, canary.Plan(looks, 2)), looks) == []


def test_a_judge_that_differs_is_told():
    data = canary._data(np.random.default_rng(5), 3, 300, 20, 0.001, 0.001)
    wrong = Judged(np.full(3, 1.0), np.full(3, False))

    assert len(canary._differences("here", data, wrong, 20)) == 3


@pytest.mark.parametrize(
    ("back", "promoted", "healthy", "sick", "broken"),
    [(11, 0, True, False, 1), (10, 0, True, False, 0), (0, 2, False, True, 1), (0, 1, False, True, 0)],
)
def test_a_promise_that_is_not_kept_is_told(back, promoted, healthy, sick, broken):
    judged = Judged(np.where(np.arange(1_000) < back, 1.0, NEVER), np.arange(1_000) < promoted)

    assert len(canary._promises("here", judged, healthy=healthy, sick=sick)) == broken


def test_the_whole_simulation(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["canary.py", "--runs", "400", "--compared", "2"])

    assert canary.main() == 0
    assert (
        "| 3,000 | 3x the limit, baseline 0.25x | opsproof, limit alone | 100.00% | 0.00% | 0.00% | 1 |"
        in capsys.readouterr().out
    )
