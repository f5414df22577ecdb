"""A benchmark in a profile: what could never be judged, or would be too much, is refused when it is read."""

import pytest
from bench_parts import gate, load
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from opsproof.judge.benchmark.gates import judge_errors
from opsproof.judge.verdict import Word
from opsproof.profile.load import requests_needed

P95 = gate("p95", "<= 400 ms")


def refused(*gates, **more) -> str:
    with pytest.raises(ValidationError) as caught:
        load(*gates, **more)
    return str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (gate("p95", None), "has neither a `limit` nor `worse`"),
        (gate("rate", None, worse={"ratio": 1.1}), "`rate` is of all requests together"),
        (gate("rate", ">= 95 %", request="GET /"), "`rate` is of all requests together"),
        (gate("p95", "<= 5 %"), "does not fit"),
        (gate("p95", "<= 400"), "has no unit; write 400 ms or 2.5 s"),
        (gate("errors", "< 1"), "has no %"),
        (gate("errors", "<= 400 ms"), "does not fit"),
        (gate("p95", ">= 400 ms"), "expected < or <= for `p95`"),
        (gate("rate", "< 95 %"), "expected > or >= for `rate`"),
        (gate("p95", "100 ms .. 200 ms"), "expected < or <= for `p95`"),
        (gate("errors", "< 0 %"), "cannot be judged"),
        (gate("errors", "< 100 %"), "cannot be judged"),
        (gate("rate", ">= 101 %"), "cannot be judged"),
        (gate("p95", "<= 0 ms"), "cannot be judged"),
        (gate("p0", "<= 400 ms"), "pattern"),
        (gate("p100", "<= 400 ms"), "pattern"),
        (gate("median", "<= 400 ms"), "pattern"),
        (gate("p95", "<= 400 ms", runbook=[]), "at least 1 item"),
        (gate("p95", None, worse={}), "exactly one of `ratio` and `difference`"),
    ],
)
def test_a_gate_that_cannot_be_judged_is_refused(wrong, text):
    assert text in refused(wrong)


@pytest.mark.parametrize(
    ("measure", "q", "unit"),
    [("p50", 0.5, "s"), ("p99.9", 0.999, "s"), ("mean", None, "s"), ("errors", None, "%"), ("rate", None, "%")],
)
def test_what_a_gate_looks_at(measure, q, unit):
    limit = "<= 400 ms" if unit == "s" else ">= 95 %" if measure == "rate" else "< 1 %"
    one = load(gate(measure, limit), rate=10_000).gates["g0"]

    assert (one.id, one.q, one.unit, one.severity) == ("g0", q, unit, "SEV-2")


@pytest.mark.parametrize(
    ("one", "rate", "text"),
    [
        (P95, 5.8, "58 requests after the warm-up, and p95 needs at least 59; raise `duration` or `rate`"),
        (gate("errors", "< 1 %"), 29.8, "298 requests after the warm-up, and errors needs at least 299"),
        (gate("p99.9", "<= 9 s"), 299, "2990 requests after the warm-up, and p99.9 needs at least 2995"),
    ],
)
def test_too_short_a_plan_is_refused_with_what_it_needs(one, rate, text):
    assert text in refused(one, rate=rate)


def test_enough_of_a_plan_is_not_refused():
    assert load(P95, rate=5.9).gates["g0"].id == "g0"
    assert load(gate("errors", "< 1 %"), rate=29.9)
    assert load(gate("mean", "<= 1 s"), duration=10, warm_up=5)


def test_a_mean_needs_five_seconds():
    text = refused(gate("mean", "<= 1 s"), duration=10, warm_up=5.5)

    assert "gate g0 cannot be passed: a mean needs 5 seconds after the warm-up for its bounds, and there are 4" in text


def test_the_warm_up_is_no_time_to_judge():
    assert "2 s are left of 10 s after a warm_up of 8 s, and 3 s are needed" in refused(P95, warm_up=8)
    assert "50 requests after the warm-up" in refused(P95, rate=10, warm_up=5)


@given(st.floats(0.0001, 0.9), st.floats(0.5, 0.9999))
def test_from_the_needed_number_on_a_gate_can_be_passed_and_below_not(share, confidence):
    limit = f"< {100 * share:.4f} %"
    assume(limit != "< 0.0000 %")
    one = load(gate("errors", limit), rate=20_000, duration=600, confidence=0.5).gates["g0"]
    needed = requests_needed(one, confidence)

    assert judge_errors(one, 0, needed, 0, [], confidence).answer is Word.PASS
    if needed > 1:
        assert judge_errors(one, 0, needed - 1, 0, [], confidence).answer is not Word.PASS


def test_users_are_twice_what_rate_and_limits_need():
    assert load(P95, gate("p99", "<= 1 s")).users_at_once == 200
    assert load(P95, rate=6).users_at_once == 10
    assert load(gate("p95", "<= 9 s"), rate=1000).users_at_once == 2000
    assert "at least 40, better twice that" in refused(P95, users=39)
    assert load(P95, users=40).users_at_once == 40


def test_without_a_limit_on_a_time_the_time_out_is_what_is_waited_for():
    one = load(gate("errors", "< 5 %"), timeout=3)

    assert (one.shortest_limit, one.longest_limit, one.users_needed) == (3, 3, 300)


def test_requests_are_bounded():
    assert load(P95).requests_at_most == 10_000
    assert load(P95, most_requests=500).requests_at_most == 500


@pytest.mark.parametrize(
    ("environment", "allowed", "text"),
    [
        ("staging", None, ""),
        ("staging", False, "`load.allowed: false`"),
        ("production", None, "production is not put under load unless its profile says `load.allowed: true`"),
        ("production", False, "`load.allowed: false`"),
        ("production", True, ""),
    ],
)
def test_where_there_may_be_load(environment, allowed, text):
    assert text in load(P95, allowed=allowed).refused(environment)
    assert bool(text) == bool(load(P95, allowed=allowed).refused(environment))


@pytest.mark.parametrize(
    "wrong",
    [{"rate": 0}, {"rate": 20_001}, {"duration": 0}, {"timeout": 0}, {"users": 2001}, {"confidence": 1}, {"gates": {}}],
)
def test_bounds_of_a_plan(wrong):
    with pytest.raises(ValidationError):
        load(**wrong)


def test_a_limit_beyond_the_time_out_is_refused():
    """A request is given up before it could be too slow."""
    assert "gate g0 can hardly fail: `limit` (<= 400 ms) is not below the `timeout` of 0.4 s" in refused(
        P95, timeout="400ms"
    )
