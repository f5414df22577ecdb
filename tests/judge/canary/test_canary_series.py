"""The states of data; only `ok` is a number to judge."""

import math

import pytest

from opsproof.judge.canary.series import Series, State, apart, state_of

NOW = 1_000.0


def a_series(value: float, at: float = NOW) -> Series:
    return Series({"track": "canary"}, [(at - 15, 1.0), (at, value)])


@pytest.mark.parametrize(
    ("series", "state"),
    [
        ([a_series(0.0)], State.OK),
        ([], State.EMPTY),
        ([Series({}, [])], State.EMPTY),
        ([a_series(math.nan)], State.NAN),
        ([a_series(math.inf)], State.INF),
        ([a_series(-math.inf)], State.INF),
        ([a_series(1.0, NOW - 60)], State.OK),
        ([a_series(1.0, NOW - 61)], State.STALE),
        ([a_series(math.nan, NOW - 61)], State.STALE),
        ([a_series(1.0), a_series(2.0)], State.SEVERAL_SERIES),
    ],
)
def test_state_of_an_answer(series, state):
    assert state_of(series, NOW, staleness_s=60) is state


def test_the_states_are_those_of_the_profile():
    expected = {"ok", "violation", "empty", "nan", "inf", "stale", "query_error", "several_series"}

    assert {str(state) for state in State} == expected


def test_points_that_overlap_are_left_out():
    points = [(float(at), 1.0) for at in range(0, 600, 15)]

    assert [at for at, _ in apart(points, 300)] == [0.0, 300.0]
    assert apart(points, 0) == points
    assert apart([], 300) == []
