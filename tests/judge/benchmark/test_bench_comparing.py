"""Two benchmarks: worse or better only where that is sure, as often right as is said."""

import math

import numpy as np
import pytest
from bench_parts import times
from hypothesis import given
from hypothesis import strategies as st

from opsproof.judge.benchmark.comparing import Standing, compare_estimates, compare_failures
from opsproof.judge.benchmark.times import Estimate

SECONDS = st.lists(st.floats(0.001, 20), min_size=1, max_size=200)


def exponential(seed, mean, n=600):
    return times(np.random.default_rng(seed).exponential(mean, n).tolist())


def compare_quantile(ours, theirs, q, by, confidence):
    each = math.sqrt(confidence)
    return compare_estimates(ours.quantile(q, confidence=each), theirs.quantile(q, confidence=each), by)


@pytest.mark.parametrize("by", ["ratio", "difference"])
def test_bounds_of_an_effect_hold_as_often_as_they_say(by):
    truth = 1.2 if by == "ratio" else 0.02 * math.log(20)
    found = [
        compare_quantile(exponential(seed, 0.12), exponential(10_000 + seed, 0.1), 0.95, by, 0.95)
        for seed in range(300)
    ]

    assert sum(one.lower <= truth for one in found) >= 0.95 * 300
    assert sum(one.upper >= truth for one in found) >= 0.95 * 300


def test_alike_is_called_worse_as_seldom_as_is_said():
    found = [
        compare_quantile(exponential(seed, 0.1), exponential(10_000 + seed, 0.1), 0.95, "ratio", 0.95).standing
        for seed in range(300)
    ]

    assert found.count(Standing.WORSE) <= 15
    assert found.count(Standing.BETTER) <= 15


@pytest.mark.parametrize(("mean", "standing"), [(0.2, Standing.WORSE), (0.1, Standing.OPEN), (0.05, Standing.BETTER)])
def test_a_clear_effect_is_told(mean, standing):
    for by in ("ratio", "difference"):
        assert compare_quantile(exponential(1, mean), exponential(2, 0.1), 0.95, by, 0.95).standing is standing


@given(SECONDS, SECONDS, st.sampled_from(["ratio", "difference"]))
def test_bounds_are_around_the_effect_and_turn_with_the_sides(ours, theirs, by):
    one = compare_quantile(times(ours), times(theirs), 0.5, by, 0.95)
    other = compare_quantile(times(theirs), times(ours), 0.5, by, 0.95)

    assert one.lower <= one.effect <= one.upper
    assert {one.standing, other.standing} in ({Standing.OPEN}, {Standing.BETTER, Standing.WORSE})


def test_too_few_requests_say_nothing():
    few = compare_quantile(times([0.1]), times([9.0]), 0.95, "ratio", 0.95)
    none = compare_quantile(times([]), times([9.0] * 100), 0.95, "difference", 0.95)

    assert few.standing is none.standing is Standing.OPEN
    assert few.upper == math.inf


def test_what_had_not_ended_is_no_better():
    hung = compare_quantile(times([0.01] * 90, [5.0] * 10), times([0.1] * 100), 0.95, "ratio", 0.95)

    assert hung.upper == math.inf
    assert hung.standing is not Standing.BETTER


@pytest.mark.parametrize(
    ("ours", "theirs", "standing"),
    [
        ((30, 1000), (10, 1000), Standing.WORSE),
        ((10, 1000), (30, 1000), Standing.BETTER),
        ((12, 1000), (10, 1000), Standing.OPEN),
        ((0, 1000), (0, 1000), Standing.OPEN),
        ((0, 0), (10, 1000), Standing.OPEN),
    ],
)
def test_shares_of_failures(ours, theirs, standing):
    for by in ("ratio", "difference"):
        assert compare_failures(ours, theirs, by, 0.95).standing is standing


@pytest.mark.parametrize(
    ("ours", "standing"),
    [
        (Estimate(0.2, 0.18, 0.22), Standing.WORSE),
        (Estimate(0.1, 0.08, 0.13), Standing.OPEN),
        (Estimate(0.05, 0.04, 0.06), Standing.BETTER),
        (Estimate(0.05, -math.inf, math.inf), Standing.OPEN),
    ],
)
def test_means(ours, standing):
    for by in ("ratio", "difference"):
        assert compare_estimates(ours, Estimate(0.1, 0.09, 0.11), by).standing is standing
