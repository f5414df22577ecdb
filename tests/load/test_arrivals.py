"""Arrivals of all workers together are the plan, each once and in time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsproof.load.arrivals import Arrivals

RATES = st.one_of(st.integers(1, 300), st.floats(0.5, 300))
DURATIONS = st.one_of(st.integers(1, 20), st.floats(0.1, 20))


def taken(arrivals: Arrivals) -> list[float]:
    return list(iter(arrivals.take, None))


@given(RATES, DURATIONS, st.integers(1, 7), st.floats(0, 1e6))
def test_arrivals_of_the_workers_together_are_the_plan(rate, duration, workers, begins):
    each = [Arrivals(rate, duration, begins, worker, workers) for worker in range(workers)]
    alone = taken(Arrivals(rate, duration, begins))

    due = sorted(moment for one in each for moment in taken(one))
    assert due == pytest.approx(alone, abs=1e-6)
    assert len(due) == pytest.approx(rate * duration, abs=1)
    assert all(begins <= moment < begins + duration + 1e-6 for moment in due)


@given(RATES, DURATIONS, st.integers(1, 7), st.floats(-1, 25))
def test_what_was_due_until_a_moment_is_what_was_due_until_it(rate, duration, workers, later):
    arrivals = Arrivals(rate, duration, 100.0, workers - 1, workers)

    until = arrivals.due_until(100.0 + later)
    assert until == pytest.approx(sum(due <= 100.0 + later for due in taken(arrivals)), abs=1)
    assert 0 <= until <= arrivals.planned


@given(RATES, DURATIONS, st.integers(0, 50), st.floats(0, 20))
def test_after_a_cut_nothing_is_planned_that_was_not_due(rate, duration, waited_for, cut):
    """Also not what users had taken already and wait for: nobody will begin it."""
    arrivals = Arrivals(rate, duration, 0.0)
    took = [arrivals.take() for _ in range(waited_for)]

    arrivals.cut(cut)

    assert arrivals.planned == arrivals.due_until(cut) == arrivals.due_until(1e9)
    assert arrivals.ends == min(duration, cut)
    left = arrivals.left()
    assert all(due <= cut + 1e-6 for due in left)
    begun = [due for due in took if due is not None and due <= cut]
    assert len(left) + len(begun) == pytest.approx(arrivals.planned, abs=1)
    assert taken(arrivals) == left


def test_what_nobody_took_is_left():
    arrivals = Arrivals(10, 1, 0.0)

    assert [arrivals.take() for _ in range(3)] == pytest.approx([0.0, 0.1, 0.2])
    assert arrivals.left() == pytest.approx([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    assert arrivals.planned == 10
