"""Exact bounds of a share, and how many more requests are needed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from opsproof.judge.statistics.proportions import burstiness, lower, needed, upper

COUNTS = st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS, st.sampled_from([0.9, 0.95, 0.99, 0.9999]))
def test_bounds_are_those_of_scipy(counts, confidence):
    k, n = counts

    above = binomtest(k, n, alternative="less").proportion_ci(confidence, method="exact").high
    below = binomtest(k, n, alternative="greater").proportion_ci(confidence, method="exact").low
    assert upper(k, n, confidence) == pytest.approx(above, abs=1e-9)
    assert lower(k, n, confidence) == pytest.approx(below, abs=1e-9)


@given(COUNTS, st.integers(1, 100))
def test_more_failures_raise_the_bounds_and_more_requests_lower_them(counts, more):
    k, n = counts

    assert upper(k + 1, n + 1, 0.95) >= upper(k, n, 0.95) > upper(k, n + more, 0.95) - 1e-12
    assert lower(k + 1, n + 1, 0.95) >= lower(k, n, 0.95) >= lower(k, n + more, 0.95) - 1e-12


@pytest.mark.parametrize("n", [1, 30, 300, 3_000])
@pytest.mark.parametrize("share", [0.001, 0.01, 0.05, 0.5])
def test_bounds_cover_the_truth_as_often_as_they_say(n, share):
    seen = range(n + 1)

    assert sum(binom.pmf(k, n, share) for k in seen if upper(k, n, 0.95) >= share) >= 0.95 - 1e-9
    assert sum(binom.pmf(k, n, share) for k in seen if lower(k, n, 0.95) <= share) >= 0.95 - 1e-9


def test_nothing_asked_says_nothing():
    assert (lower(0, 0, 0.95), upper(0, 0, 0.95)) == (0.0, 1.0)


def test_more_failures_than_requests_are_all_of_them():
    assert (lower(12, 10, 0.95), upper(12, 10, 0.95)) == (lower(10, 10, 0.95), 1.0)


@pytest.mark.parametrize(
    ("share", "n", "promoted", "rolled_back"),
    [
        (0.002, 300, 54, 0),
        (0.002, 1_000, 94, 0),
        (0.005, 300, 22, 0),
        (0.005, 1_000, 44, 0),
        (0.008, 300, 9, 1),
        (0.008, 5_000, 42, 0),
        (0.015, 300, 1, 16),
        (0.015, 5_000, 0, 93),
        (0.02, 300, 0, 38),
        (0.02, 1_000, 0, 85),
        (0.03, 300, 0, 79),
    ],
)
def test_what_a_watch_can_decide(share, n, promoted, rolled_back):
    """Percentages of runs, limit 1 %, from a simulation of a few thousand runs: within two points."""
    chances = [(binom.pmf(k, n, share), k) for k in range(n + 1)]

    assert 100 * sum(p for p, k in chances if upper(k, n, 0.95) < 0.01) == pytest.approx(promoted, abs=2.5)
    assert 100 * sum(p for p, k in chances if lower(k, n, 0.95) > 0.01) == pytest.approx(rolled_back, abs=2.5)


@pytest.mark.parametrize(("limit", "requests"), [(0.01, 299), (0.005, 598), (0.05, 59)])
def test_requests_without_a_failure(limit, requests):
    assert needed(0, 0, limit, 0.95).without_failure == requests
    assert needed(0, 100, limit, 0.95).without_failure == max(0, requests - 100)
    assert upper(0, requests, 0.95) < limit <= upper(0, requests - 1, 0.95)


@given(COUNTS, st.sampled_from([0.005, 0.01, 0.05]))
def test_so_many_more_do_and_one_less_does_not(counts, limit):
    k, n = counts
    more = needed(k, n, limit, 0.95).without_failure

    assert upper(k, n + more, 0.95) < limit
    assert more == 0 or upper(k, n + more - 1, 0.95) >= limit


def test_at_this_rate():
    few, at_limit, above = needed(3, 600, 0.01, 0.95), needed(6, 600, 0.01, 0.95), needed(20, 600, 0.01, 0.95)

    assert few.at_this_rate == 546
    assert upper(3 + 0.005 * 546, 1_146, 0.95) < 0.01
    assert at_limit.at_this_rate is None
    assert above.at_this_rate is None
    assert above.without_failure > 0


def test_nothing_is_below_no_share():
    with pytest.raises(ValueError, match="limit of 0"):
        needed(0, 10, 0.0, 0.95)


def test_failures_that_come_together_are_told():
    alone = [(2.0, 300.0)] * 20
    together = [(40.0, 300.0)] + [(0.0, 300.0)] * 19

    assert burstiness(alone) == 1.0
    assert burstiness(together) == pytest.approx(40, rel=0.1)
    assert burstiness([(4.0, 300.0)] + [(0.0, 300.0)] * 19) == 1.0
    assert burstiness([]) == burstiness([(10.0, 10.0)]) == burstiness([(0.0, 0.0), (9.0, 10.0)]) == 1.0
    assert math.isfinite(burstiness([(10.0, 10.0), (0.0, 10.0)]))
