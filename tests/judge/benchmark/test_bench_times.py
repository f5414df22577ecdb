"""Quantiles and counts of times: bounds that hold as often as they say, whatever the distribution."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from bench_parts import times
from hypothesis import given
from hypothesis import strategies as st

MOMENTS = st.integers(1_000, 20_000_000).map(lambda micros: micros / 1_000_000)
SECONDS = st.lists(MOMENTS, min_size=1, max_size=300)
AGES = st.lists(st.floats(0, 20), max_size=30)
PRECISION = 0.001
DRAWN = 400

Draw = Callable[[np.random.Generator, int], "np.ndarray"]
EXPONENTIAL: tuple[Draw, Callable[[float], float]] = (
    lambda random, n: random.exponential(0.1, n),
    lambda q: -0.1 * math.log(1 - q),
)
BIMODAL: tuple[Draw, Callable[[float], float]] = (
    lambda random, n: np.where(random.random(n) < 0.9, 0.02, 0.8) * (1 + 0.1 * random.random(n)),
    lambda q: 0.02 * (1 + 0.1 * q / 0.9) if q < 0.9 else 0.8 * (1 + 0.1 * (q - 0.9) / 0.1),
)


@pytest.mark.parametrize("distribution", [EXPONENTIAL, BIMODAL], ids=["exponential", "bimodal"])
@pytest.mark.parametrize(("q", "n"), [(0.5, 40), (0.95, 150), (0.99, 700)])
def test_bounds_of_a_quantile_hold_as_often_as_they_say(distribution, q, n):
    """By 400 samples of 95 % bounds: 92 % would be four standard deviations off."""
    draw, truth = distribution
    drawn = [times(draw(np.random.default_rng(seed), n).tolist()).quantile(q, confidence=0.95) for seed in range(DRAWN)]

    assert sum(one.lower <= truth(q) * (1 + PRECISION) for one in drawn) >= 0.92 * DRAWN
    assert sum(one.upper >= truth(q) * (1 - PRECISION) for one in drawn) >= 0.92 * DRAWN


@pytest.mark.parametrize(("q", "confidence", "fewest"), [(0.95, 0.95, 59), (0.5, 0.95, 5), (0.99, 0.95, 299)])
def test_an_upper_bound_exists_from_a_number_of_requests_on(q, confidence, fewest):
    short, enough = (times([0.1] * n).quantile(q, confidence=confidence) for n in (fewest - 1, fewest))

    assert short.upper == math.inf
    assert enough.upper == pytest.approx(0.1, rel=PRECISION)


def test_without_requests_nothing_is_known():
    nothing = times([])

    estimate = nothing.quantile(0.95, confidence=0.95)
    assert (estimate.lower, estimate.upper) == (-math.inf, math.inf)
    assert math.isnan(estimate.value)
    assert math.isnan(nothing.mean())
    assert nothing.deviation() == 0


@given(SECONDS, st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999]))
def test_a_quantile_is_the_sample_of_its_rank(seconds, q):
    seen = times(seconds).quantile(q, confidence=0.95).value

    wanted = sorted(seconds)[math.ceil(round(q * len(seconds), 6)) - 1]
    assert seen == pytest.approx(wanted, rel=PRECISION, abs=2e-6)


def test_the_p999_of_a_thousand_is_not_their_maximum():
    """0.999 * 1000 is a hair above 999 for a computer."""
    seen = times([0.1] * 999 + [9.0]).quantile(99.9 / 100, confidence=0.95)

    assert seen.value == pytest.approx(0.1, rel=PRECISION)


@given(SECONDS, AGES, st.floats(0.001, 20), st.sampled_from([0.5, 0.95]))
def test_what_had_not_ended_never_helps(seconds, ages, limit, q):
    """However long requests had waited: their end would have been no earlier, and may never have come."""
    without, censored = times(seconds), times(seconds, sorted(ages))

    assert censored.slower(limit).fewest >= without.slower(limit).fewest
    assert censored.slower(limit).most == without.slower(limit).most + len(ages)
    upper = [one.quantile(q, confidence=0.95).upper for one in (without, censored)]
    assert upper[1] >= upper[0] or upper[0] == math.inf


@given(SECONDS, AGES, st.data())
def test_bounds_hold_whenever_the_rest_would_have_ended(seconds, ages, data):
    """The value that all requests would have had lies where the censored ones say."""
    later = [age + data.draw(st.floats(0, 30)) for age in ages]
    censored, ended = times(seconds, sorted(ages)), times(seconds + later)

    for q in (0.5, 0.95):
        known, truth = (one.quantile(q, confidence=0.95) for one in (censored, ended))
        assert known.lower <= truth.lower * (1 + PRECISION) + 2e-6
        assert known.upper >= truth.upper * (1 - PRECISION) - 2e-6
    for limit in (0.1, 1.0, 10.0):
        assert censored.slower(limit).fewest <= ended.slower(limit).most
        assert ended.slower(limit).fewest <= censored.slower(limit).most


@given(SECONDS, MOMENTS)
def test_how_many_were_slower_is_known_but_for_one_class(seconds, limit):
    slow = times(seconds).slower(limit)

    assert slow.fewest <= sum(value > limit for value in seconds) <= slow.most
    near = sum(abs(value - limit) <= 2 * PRECISION * limit for value in seconds)
    assert slow.most - slow.fewest <= near


@given(SECONDS)
def test_mean_and_deviation_are_those_of_the_samples(seconds):
    seen = times(seconds)

    assert seen.mean() == pytest.approx(np.mean(seconds), rel=PRECISION, abs=2e-6)
    assert seen.deviation() == pytest.approx(np.std(seconds), rel=PRECISION, abs=0.02)
