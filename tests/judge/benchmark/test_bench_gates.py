"""A gate passes only if it surely holds, fails only if it surely does not; what is missing is said with its number."""

import math

import numpy as np
import pytest
from bench_parts import one_gate, times
from hypothesis import given
from hypothesis import strategies as st

from opsproof.judge.benchmark.decision import decide
from opsproof.judge.benchmark.gates import Judgement, Pace, Part, judge_errors, judge_rate, judge_times, mean_bounds
from opsproof.judge.statistics.proportions import upper
from opsproof.judge.verdict import Word
from opsproof.profile.load import requests_needed

P95 = one_gate("p95", "<= 400 ms")
MEAN = one_gate("mean", "<= 250 ms")
ERRORS = one_gate("errors", "< 1 %")
RATE = one_gate("rate", ">= 95 %")


def judged(gate, good=(), bad=(), ages=(), parts=()):
    good, bad, ages = list(good), list(bad), sorted(ages)
    return judge_times(gate, times(good + bad, ages), times(good, ages), list(parts), 0.95)


def steady(mean, *, seconds=20, each=20, spread=0.0):
    """So many seconds whose means differ by a spread."""
    return [Part(each, seconds=each * (mean + (spread if number % 2 else -spread))) for number in range(seconds)]


@pytest.mark.parametrize(("n", "answer"), [(58, Word.INCONCLUSIVE), (59, Word.PASS)])
def test_a_p95_passes_from_59_requests_on(n, answer):
    found = judged(P95, [0.05] * n)

    assert found.answer is answer
    if answer is not Word.PASS:
        assert found.more_needed == 1
        assert "1 more requests that are all fast would settle it" in found.reason["en"]


@pytest.mark.parametrize(("n", "answer"), [(298, Word.INCONCLUSIVE), (299, Word.PASS)])
def test_less_than_one_percent_of_errors_needs_299_requests(n, answer):
    found = judge_errors(ERRORS, 0, n, 0, [], 0.95)

    assert found.answer is answer


@given(st.sampled_from(["p50", "p75", "p90", "p95", "p99", "p99.9"]), st.sampled_from([0.5, 0.75, 0.9, 0.95, 0.99]))
def test_a_profile_knows_how_many_requests_a_gate_needs(measure, confidence):
    gate = one_gate(measure, "<= 1 s")
    needed = requests_needed(gate, confidence)

    assert upper(0, needed, confidence) < 1 - gate.q
    assert needed == 1 or upper(0, needed - 1, confidence) >= (1 - gate.q) * (1 - 1e-9)


def test_nothing_is_no_pass():
    for gate in (P95, MEAN):
        found = judged(gate)
        assert (found.answer, found.reason["en"]) == (Word.INCONCLUSIVE, "there was no request to judge")
    assert judge_errors(ERRORS, 0, 0, 0, [], 0.95).answer is Word.INCONCLUSIVE
    assert judge_rate(RATE, Pace(0, 0, by_target=True)).answer is Word.INCONCLUSIVE
    assert decide([], []).exit_status == 6


@pytest.mark.parametrize(
    ("slow", "answer"),
    [(0, Word.PASS), (37, Word.PASS), (45, Word.INCONCLUSIVE), (50, Word.INCONCLUSIVE), (80, Word.FAIL)],
)
def test_a_p95_is_a_count_of_what_was_slower(slow, answer):
    """Of a thousand, fifty may be; by chance of 5 % it is more than 38 or less than 62."""
    found = judged(P95, [0.05] * (1000 - slow) + [0.404] * slow)

    assert found.answer is answer
    assert f"{slow} of 1,000 were slower" in found.reason["en"]


@pytest.mark.parametrize(("slow", "answer"), [(0.396, Word.PASS), (0.404, Word.FAIL)])
def test_four_milliseconds_are_no_rounding(slow, answer):
    """Locust's own numbers are 400 for both."""
    assert judged(P95, [0.05] * 920 + [slow] * 80).answer is answer


@given(st.lists(st.floats(0.001, 2), max_size=400), st.lists(st.floats(0, 60), min_size=1, max_size=60))
def test_unfinished_requests_never_help_to_pass(ended, ages):
    gravity = [Word.PASS, Word.INCONCLUSIVE, Word.FAIL]
    parts = [Part(20, seconds=2.0)] * 20
    for gate in (P95, MEAN):
        if judged(gate, ended, ages=ages, parts=parts).answer is Word.PASS:
            assert judged(gate, ended, parts=parts).answer is Word.PASS
    without, found = (judge_errors(ERRORS, 0, len(ended), len(some), [], 0.95).answer for some in ([], ages))
    assert gravity.index(found) >= gravity.index(without)


def test_a_mean_with_an_unfinished_request_does_not_pass():
    found = judged(MEAN, [0.01] * 400, ages=[1.0], parts=steady(0.01))

    assert found.answer is Word.INCONCLUSIVE
    assert found.upper is None


def test_fast_failures_hide_no_slow_success():
    """One slow answer, twenty-five fast refusals: the p95 of all is 3 ms."""
    parts = [Part(260, failed=250, seconds=260 * 0.022)] * 20
    for gate in (P95, MEAN):
        found = judged(gate, [0.5] * 200, [0.003] * 5000, parts=parts)
        assert found.answer is Word.FAIL
        assert "of the good requests" in found.reason["en"]


def test_fast_successes_hide_no_slow_failure():
    found = judged(P95, [0.003] * 5000, [10.0] * 500)

    assert found.answer is Word.FAIL
    assert "of all requests" in found.reason["en"]


def test_only_failures_pass_no_time():
    fast, slow = judged(P95, bad=[0.003] * 500), judged(P95, bad=[10.0] * 500)

    assert (fast.answer, fast.reason["en"][:25]) == (Word.INCONCLUSIVE, "not one request was good,")
    assert slow.answer is Word.FAIL
    assert "500 of 500 were slower" in slow.reason["en"]


def test_a_burst_tells_less_for_a_pass_and_no_less_for_a_failure():
    """30 slow ones of 1000: one by one they pass; in one second they may well be 5 % of the next thousand."""
    values = [0.05] * 970 + [0.9] * 30
    spread_out = [Part(20, slow=0.6)] * 50
    at_once = [Part(20, slow=20), Part(20, slow=10), *[Part(20)] * 48]

    assert judged(P95, values, parts=spread_out).answer is Word.PASS
    assert judged(P95, values, parts=at_once).answer is Word.INCONCLUSIVE
    assert judged(P95, [0.05] * 920 + [0.9] * 80, parts=[Part(80, slow=80), *[Part(20)] * 46]).answer is Word.FAIL


@pytest.mark.parametrize(("failed", "answer"), [(0, Word.PASS), (10, Word.INCONCLUSIVE), (40, Word.FAIL)])
def test_errors_are_judged_by_their_bounds(failed, answer):
    found = judge_errors(ERRORS, failed, 1000, 0, [], 0.95)

    assert found.answer is answer
    assert f"{failed} of 1,000 failed" in found.reason["en"]


def test_unfinished_requests_may_have_failed():
    found = judge_errors(ERRORS, 0, 900, 100, [], 0.95)

    assert found.answer is Word.INCONCLUSIVE
    assert "0 of 1,000 failed (0 %), between 0 % and 11" in found.reason["en"]


@pytest.mark.parametrize(
    ("mean", "spread", "answer"),
    [(0.2, 0.05, Word.PASS), (0.25, 0.05, Word.INCONCLUSIVE), (0.3, 0.05, Word.FAIL), (0.3, 0.3, Word.INCONCLUSIVE)],
)
def test_a_mean_is_judged_by_how_its_seconds_differ(mean, spread, answer):
    assert judged(MEAN, [mean] * 400, parts=steady(mean, spread=spread)).answer is answer


@pytest.mark.parametrize(("seconds", "answer"), [(4, Word.INCONCLUSIVE), (5, Word.PASS)])
def test_a_mean_needs_five_seconds(seconds, answer):
    found = judged(MEAN, [0.1] * 400, parts=steady(0.1, seconds=seconds))

    assert found.answer is answer


def test_bounds_of_a_mean_hold_as_often_as_they_say():
    """Seconds whose requests share a second's luck: 400 benchmarks of 20 seconds."""
    held = [0, 0]
    for seed in range(400):
        random = np.random.default_rng(seed)
        luck = random.exponential(0.1, 20)
        values = luck[:, None] * random.uniform(0.5, 1.5, (20, 20))
        parts = [Part(20, seconds=float(row.sum())) for row in values]
        everything = times(values.ravel().tolist())
        bounds = mean_bounds(everything, parts, 0.95, everything)
        held[0] += bounds.lower <= 0.1
        held[1] += bounds.upper >= 0.1
    assert min(held) >= 0.87 * 400, "bounds by the t distribution of a skewed mean are a little short on one side"
    assert held[0] >= 0.95 * 400


def test_the_mean_of_few_good_ones_is_known_less_well_than_that_of_all():
    """A tenth of the requests is good, between 0 and 480 ms; the rest fails in the same time each."""
    good, bad = list(np.linspace(0.0, 0.48, 40)), [0.24] * 3960
    parts = [Part(200, failed=198, seconds=48.0 + 0.1 * (-1) ** number) for number in range(20)]
    everything = times(good + bad)

    of_all, of_good = (mean_bounds(some, parts, 0.95, everything) for some in (everything, times(good)))
    assert of_good.upper - of_good.value > 10 * (of_all.upper - of_all.value)
    assert judged(MEAN, good, bad, parts=parts).answer is Word.INCONCLUSIVE


@pytest.mark.parametrize(
    ("begun", "by_target", "answer", "why"),
    [
        (950, True, Word.PASS, "limit >= 95 %"),
        (949, True, Word.FAIL, "the target kept all users waiting"),
        (949, False, Word.INCONCLUSIVE, "the generator did not keep up"),
    ],
)
def test_too_little_load_fails_only_the_target(begun, by_target, answer, why):
    found = judge_rate(RATE, Pace(1000, begun, by_target=by_target))

    assert found.answer is answer
    assert why in found.reason["en"]


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ([Word.PASS], 0),
        ([Word.PASS, Word.INCONCLUSIVE], 6),
        ([Word.PASS, Word.FAIL, Word.INCONCLUSIVE], 1),
    ],
)
def test_one_answer_of_many(answers, status):
    gates = [Judgement(f"g{number}", answer, {"en": "x", "ko": "x"}) for number, answer in enumerate(answers)]

    assert decide(gates, []).exit_status == status


def test_numbers_that_are_not_known_are_none():
    """A report that writes an infinite bound as a number would be read as one."""
    found = judged(P95, [0.05] * 20)

    assert found.upper is None
    assert found.value == pytest.approx(0.05, rel=0.001)
    assert found.lower is not None
    assert math.isfinite(found.lower)
