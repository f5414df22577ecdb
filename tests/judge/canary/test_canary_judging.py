"""One criterion: limit and baseline, all states of data, early and at the end."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsproof.judge.canary.compare import Counts, Tolerance
from opsproof.judge.canary.judging import judge_counts, judge_latency, judge_samples, judge_state
from opsproof.judge.canary.latency import buckets_of
from opsproof.judge.canary.rules import Answer, Plan, Rule
from opsproof.judge.canary.series import State

PROMOTE, ROLLBACK, INCONCLUSIVE = Answer.PROMOTE, Answer.ROLLBACK, Answer.INCONCLUSIVE
ERRORS = Rule("errors", limit=0.01)
BESIDE = Rule("errors", limit=0.01, tolerance=Tolerance())
ONLY_BESIDE = Rule("errors", tolerance=Tolerance("ratio", 1.5))
P95 = Rule("latency", limit=2.5, allowed=0.05)
DEPTH = Rule("depth", limit=100, allowed=0.5)
BAD = [State.EMPTY, State.NAN, State.INF, State.STALE, State.QUERY_ERROR, State.SEVERAL_SERIES]


def counts(k, n, baseline=None, rule=ERRORS, *, final=True, parts=(), **plan):
    how = Plan.of([rule], 20, **plan)
    others = Counts(*baseline) if isinstance(baseline, tuple) else baseline
    return judge_counts(rule, Counts(k, n), others, how, final=final, parts=parts)


def latency(slow, total, rule=P95, edge="2.5", *, final=True):
    buckets = buckets_of({"1": 0.0, edge: total - slow, "10": float(total), "+Inf": float(total)})
    return judge_latency(rule, buckets, None, Plan.of([rule], 20), final=final)


def samples(canary, baseline=None, rule=DEPTH, *, final=True):
    return judge_samples(rule, canary, baseline, Plan.of([rule], 20), final=final)


@pytest.mark.parametrize(
    ("k", "n", "answer"),
    [
        (0, 298, INCONCLUSIVE),
        (0, 299, PROMOTE),
        (3, 1_000, PROMOTE),
        (10, 1_000, INCONCLUSIVE),
        (30, 600, ROLLBACK),
        (18, 600, ROLLBACK),
        (9, 10, ROLLBACK),
    ],
)
def test_a_share_against_its_limit(k, n, answer):
    assert counts(k, n).answer is answer


def test_nothing_is_promoted_before_the_planned_end_and_the_sick_is_rolled_back_at_once():
    early = counts(0, 5_000, final=False)

    assert (early.answer, early.reason["en"][:12]) == (INCONCLUSIVE, "holds so far")
    assert counts(5, 30, final=False).answer is ROLLBACK


def test_early_promotion_only_if_asked_and_with_more_evidence():
    assert counts(0, 5_000, final=False, early_promotion=True).answer is PROMOTE
    assert counts(0, 299, final=False, early_promotion=True).answer is INCONCLUSIVE
    assert counts(0, 299, early_promotion=True).answer is INCONCLUSIVE
    assert counts(0, 368, early_promotion=True).answer is PROMOTE


def test_what_is_still_needed_is_said():
    told = counts(3, 600)

    assert (told.more_needed, told.more_at_this_rate) == (173, 546)
    assert "173 more requests without a failure would do, or 546 at this rate" in told.reason["en"]
    assert "173건" in told.reason["ko"]
    assert counts(3, 773).answer is PROMOTE


@pytest.mark.parametrize(
    ("canary", "baseline", "answer", "says"),
    [
        ((30, 600), (5, 5_400), ROLLBACK, "surely worse than the baseline"),
        ((30, 600), (300, 5_400), INCONCLUSIVE, "the baseline itself is sick"),
        ((90, 600), (270, 5_400), ROLLBACK, "surely worse than the baseline"),
        ((30, 600), (0, 10), ROLLBACK, "surely above the limit"),
        ((20, 5_400), (1, 5_400), ROLLBACK, "although surely below the limit"),
        ((2, 5_400), (300, 5_400), PROMOTE, "surely below the limit"),
        ((2, 5_400), (3, 5_400), PROMOTE, "surely below the limit"),
        ((6, 600), (50, 5_400), INCONCLUSIVE, "can't be known yet"),
        ((8, 600), (1, 5_400), ROLLBACK, "surely worse than the baseline"),
    ],
)
def test_limit_and_baseline(canary, baseline, answer, says):
    told = counts(*canary, baseline, BESIDE)

    assert (told.answer, told.answer is ROLLBACK) == (answer, told.answer is ROLLBACK and told.state is State.VIOLATION)
    assert says in told.reason["en"]


def test_only_against_the_baseline():
    assert counts(60, 6_000, (540, 54_000), ONLY_BESIDE).answer is PROMOTE
    assert counts(6, 600, (54, 5_400), ONLY_BESIDE).answer is INCONCLUSIVE
    assert counts(30, 600, (54, 5_400), ONLY_BESIDE).answer is ROLLBACK


@pytest.mark.parametrize("state", BAD)
def test_a_baseline_without_data_keeps_from_promotion_and_not_from_a_roll_back(state):
    assert counts(0, 6_000, state, BESIDE).answer is INCONCLUSIVE
    assert counts(0, 6_000, state, BESIDE).state is state
    assert counts(0, 6_000, state, replace(BESIDE, on={state: ROLLBACK})).answer is ROLLBACK
    assert counts(60, 600, state, BESIDE).answer is ROLLBACK
    assert counts(0, 6_000, state, ERRORS).answer is PROMOTE


def test_a_comparison_that_was_asked_for_must_be_made():
    assert counts(0, 6_000, None, BESIDE).answer is INCONCLUSIVE
    assert counts(0, 6_000, (0, 0), BESIDE).answer is INCONCLUSIVE


def test_a_minimum_keeps_from_promotion_only():
    rule = replace(ERRORS, min_samples=1_000)

    told = counts(0, 600, rule=rule)
    assert (told.answer, told.more_needed) == (INCONCLUSIVE, 400)
    assert counts(0, 1_000, rule=rule).answer is PROMOTE
    assert counts(30, 600, rule=rule).answer is ROLLBACK


def test_errors_of_the_first_minute_only():
    """Early they roll back; at the end, were they few, they still count and still stand together."""
    assert counts(30, 300, final=False).answer is ROLLBACK
    parts = [(40.0, 300.0)] + [(0.0, 300.0)] * 19

    told = counts(40, 6_000, parts=parts)
    assert (told.answer, told.estimate) == (INCONCLUSIVE, pytest.approx(40 / 6_000))
    assert told.bursts > 30
    assert counts(40, 6_000, parts=[(2.0, 300.0)] * 20).answer is PROMOTE


def test_one_bad_minute_does_not_make_a_canary_worse_than_its_baseline():
    """Against its limit it counts in full; the comparison needs more than one burst."""
    plan = Plan.of([BESIDE], 20)
    steady, burst = [(4.0, 600.0)] * 20, [(84.0, 600.0)] + [(0.0, 600.0)] * 19
    how = {"final": True, "baseline_parts": [(4.0, 1_200.0)] * 20}

    alone = judge_counts(BESIDE, Counts(84, 12_000), Counts(80, 24_000), plan, parts=burst, **how)
    spread = judge_counts(BESIDE, Counts(84, 12_000), Counts(80, 24_000), plan, parts=steady, **how)
    assert (alone.answer, spread.answer) == (INCONCLUSIVE, ROLLBACK)
    assert (
        judge_counts(BESIDE, Counts(84, 600), Counts(4, 1_200), plan, final=False, parts=burst[:1]).answer is ROLLBACK
    )


@pytest.mark.parametrize("state", BAD)
def test_bad_data_never_promote(state):
    assert judge_state(ERRORS, state).answer is INCONCLUSIVE
    assert judge_state(replace(ERRORS, on={state: ROLLBACK}), state).answer is ROLLBACK
    assert str(state) in judge_state(ERRORS, state).reason["en"]
    with pytest.raises(ValueError, match="never promote"):
        replace(ERRORS, on={state: PROMOTE})


@pytest.mark.parametrize("state", [State.OK, State.VIOLATION])
def test_a_judgement_needs_numbers(state):
    with pytest.raises(ValueError, match="needs numbers"):
        judge_state(ERRORS, state)
    with pytest.raises(ValueError, match="only bad data"):
        replace(ERRORS, on={state: ROLLBACK})


@pytest.mark.parametrize(
    ("k", "n", "state"),
    [
        (0, 0, State.EMPTY),
        (math.nan, 10, State.NAN),
        (0, math.nan, State.NAN),
        (0, math.inf, State.INF),
    ],
)
def test_counts_that_are_none(k, n, state):
    told = counts(k, n)

    assert (told.state, told.answer) == (state, INCONCLUSIVE)


@pytest.mark.parametrize(("bad", "state"), [(math.nan, State.NAN), (math.inf, State.INF)])
def test_counts_of_a_baseline_that_are_none(bad, state):
    assert counts(0, 6_000, (0, bad), BESIDE).state is state
    assert counts(0, 6_000, (bad, 6_000), BESIDE).answer is INCONCLUSIVE


@given(st.integers(0, 3_000), st.integers(1, 3_000), st.booleans())
def test_promotion_only_from_ok_and_below_the_limit(k, n, final):
    told = counts(k, n, final=final)

    if told.answer is PROMOTE:
        assert final
        assert told.state is State.OK
        assert told.upper < 0.01
    if told.answer is ROLLBACK:
        assert told.state is State.VIOLATION
        assert told.lower > 0.01 * 0.999


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({}, "neither a limit nor a tolerance"),
        ({"limit": 0.0}, "more than 0"),
        ({"limit": 1.0}, "less than 1"),
        ({"limit": 2.5, "allowed": 0.0}, "more than 0"),
        ({"limit": 0.01, "weight": 0.0}, "weight"),
    ],
)
def test_rules_that_cannot_be_judged_are_refused(rule, says):
    with pytest.raises(ValueError, match=says):
        Rule("errors", **rule)


def test_latency_by_the_share_of_slower_requests():
    """Latency 3 s for 6 % of requests is over "p95 < 2.5 s"; for 2 % it is not."""
    assert latency(360, 6_000).answer is ROLLBACK
    well = latency(120, 6_000)
    assert (well.answer, well.limit, well.quantile.high) == (PROMOTE, 0.05, 2.5)
    assert latency(60, 1_000).answer is INCONCLUSIVE


def test_latency_between_two_edges_needs_both():
    told = latency(120, 6_000, edge="2")

    assert told.answer is PROMOTE
    assert "between the bucket edges 2 and 10" in told.reason["en"]
    open_one = latency(900, 6_000, edge="2")
    assert (open_one.answer, open_one.k, open_one.most) == (INCONCLUSIVE, 0, 900)


def test_latency_beyond_the_buckets_is_never_judged():
    told = latency(0, 6_000, rule=replace(P95, limit=30.0))

    assert told.answer is INCONCLUSIVE
    assert "above the last finite bucket edge (10)" in told.reason["en"]


def test_latency_without_requests_or_demand():
    assert latency(0, 0).state is State.EMPTY
    with pytest.raises(ValueError, match="latency needs"):
        latency(0, 10, rule=ERRORS)


def test_latency_against_the_baseline():
    rule = replace(P95, tolerance=Tolerance("ratio", 1.5))
    fast = buckets_of({"2.5": 5_940.0, "10": 6_000.0, "+Inf": 6_000.0})
    slow = buckets_of({"2.5": 5_800.0, "10": 6_000.0, "+Inf": 6_000.0})
    plan = Plan.of([rule], 20)

    assert judge_latency(rule, slow, fast, plan, final=True).answer is ROLLBACK
    assert judge_latency(rule, fast, fast, plan, final=True).answer is PROMOTE
    assert judge_latency(rule, fast, State.STALE, plan, final=True).answer is INCONCLUSIVE
    blunt = buckets_of({"1": 6_000.0, "+Inf": 6_000.0})
    assert judge_latency(rule, fast, blunt, plan, final=True).answer is INCONCLUSIVE


@pytest.mark.parametrize(
    ("values", "answer"),
    [([50.0] * 20, PROMOTE), ([150.0] * 20, ROLLBACK), ([50.0, 150.0] * 10, INCONCLUSIVE), ([50.0] * 4, INCONCLUSIVE)],
)
def test_samples_by_their_median(values, answer):
    assert samples(values).answer is answer
    assert (
        samples([-value for value in values], rule=Rule("depth", limit=-100, allowed=0.5, floor=True)).answer is answer
    )


def test_samples_by_another_share():
    rule = replace(DEPTH, allowed=0.05)

    assert samples([50.0] * 58, rule=rule).answer is INCONCLUSIVE
    assert samples([50.0] * 59, rule=rule).answer is PROMOTE
    assert samples([50.0] * 50 + [150.0] * 30, rule=rule).answer is ROLLBACK


@pytest.mark.parametrize(
    ("floor", "canary", "answer"), [(False, 1.0, PROMOTE), (False, 2.0, ROLLBACK), (True, 0.5, ROLLBACK)]
)
def test_samples_against_the_baseline(floor, canary, answer):
    random = np.random.default_rng(3)
    rule = Rule("rate", tolerance=Tolerance("ratio", 1.3), floor=floor)
    told = samples(canary * random.lognormal(5, 0.1, 80), random.lognormal(5, 0.1, 80), rule)

    assert told.answer is answer
    assert told.relative.canary == pytest.approx(canary * math.exp(5), rel=0.1)
    assert told.relative.baseline == pytest.approx(math.exp(5), rel=0.1)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_sample_that_is_no_number_keeps_from_promotion(bad):
    state = State.NAN if math.isnan(bad) else State.INF
    rule = replace(DEPTH, tolerance=Tolerance())

    assert samples([50.0] * 20 + [bad]).state is state
    assert samples([]).state is State.EMPTY
    with pytest.raises(ValueError, match="needs the share"):
        samples([1.0], rule=ERRORS)
    assert samples([50.0] * 20, [50.0] * 20 + [bad], rule).state is state
    assert samples([50.0] * 20, [], rule).answer is INCONCLUSIVE
    assert samples([50.0] * 20, [1.0, 2.0], rule).more_needed > 0
