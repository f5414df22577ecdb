"""Looking often must not make a healthy canary look sick."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsproof.judge.statistics.proportions import lower, upper
from opsproof.judge.statistics.sequential import dealt, evidence_above, evidence_below, lower_always, upper_always

COUNTS = st.integers(1, 20_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
LIMITS = st.sampled_from([0.001, 0.005, 0.01, 0.05, 0.5, 0.9])


def ever(evidence, share, limit, risk, *, looks=400, each=20, runs=4_000):
    """How often the evidence is enough at some look."""
    random = np.random.default_rng(11)
    failures = random.binomial(each, share, (runs, looks)).cumsum(axis=1)
    requests = each * np.arange(1, looks + 1)
    return (evidence(failures, requests, limit) >= -math.log(risk)).any(axis=1).mean()


@pytest.mark.parametrize("limit", [0.005, 0.01, 0.05, 0.5])
def test_400_looks_at_a_share_at_the_limit_are_wrong_as_rarely_as_the_risk_says(limit):
    assert ever(evidence_above, limit, limit, 0.02) <= 0.026
    assert ever(evidence_below, limit, limit, 0.02) <= 0.026


def test_400_looks_by_a_fixed_bound_are_wrong_far_more_often():
    """What this is for: the bound that is right for one look."""
    random = np.random.default_rng(11)
    failures = random.binomial(20, 0.01, (200, 400)).cumsum(axis=1)
    first = [lower(k, 20 * (look + 1), 0.98) > 0.01 for run in failures for look, k in enumerate(run)]

    assert np.reshape(first, failures.shape).any(axis=1).mean() > 0.06


def test_evidence_of_a_share_beyond_comes():
    assert ever(evidence_above, 0.03, 0.01, 0.005) > 0.99
    assert ever(evidence_below, 0.002, 0.01, 0.05) > 0.99


@given(COUNTS, LIMITS)
def test_more_failures_are_more_evidence(counts, limit):
    """Below 0 it says nothing, and at the smallest numbers that a computer has it is not exact."""
    k, n = counts

    assert max(0, evidence_above(k + 1, n + 1, limit)) >= max(0, evidence_above(k, n, limit)) - 1e-9
    assert max(0, evidence_below(k, n + 1, limit)) >= max(0, evidence_below(k, n, limit)) - 1e-9
    assert evidence_above(k, n, limit) <= 1e-9 or k / n > limit
    assert evidence_below(k, n, limit) <= 1e-9 or k / n < limit


@given(COUNTS, LIMITS)
def test_the_bounds_are_where_the_evidence_turns(counts, limit):
    k, n = counts
    least, most = lower_always(k, n, 0.01), upper_always(k, n, 0.01)
    enough = -math.log(0.01)

    assert least <= k / n <= most
    if least > limit * 1.001 or least < limit * 0.999:
        assert (least > limit) == (evidence_above(k, n, limit) >= enough)
    if most > limit * 1.001 or most < limit * 0.999:
        assert (most < limit) == (evidence_below(k, n, limit) >= enough)


@given(COUNTS)
def test_what_is_right_at_every_look_is_no_closer_than_what_is_right_at_one(counts):
    k, n = counts

    assert lower_always(k, n, 0.01) <= lower(k, n, 0.99) + 1e-4
    assert upper_always(k, n, 0.01) >= upper(k, n, 0.99) - 1e-4


def test_nothing_asked_says_nothing():
    assert (lower_always(0, 0, 0.01), upper_always(0, 0, 0.01)) == (0.0, 1.0)
    assert float(evidence_above(0, 0, 0.01)) == pytest.approx(0)
    assert float(evidence_above(12, 10, 0.01)) == float(evidence_above(10, 10, 0.01))


@pytest.mark.parametrize("looks", [1, 2, 20, 80])
def test_a_risk_is_dealt_out_once(looks):
    parts = [dealt(0.01, looks, final=False)] * (looks - 1) + [dealt(0.01, looks, final=True)]

    assert math.fsum(parts) == pytest.approx(0.01)
