"""From what was measured to the one answer: what is missing keeps from passing, and what failed stays a failure."""

import pytest
from bench_parts import benchmark, gate, load, plan, requests, second, worker

from opsproof.benchmark.facts import NEVER_BEGUN
from opsproof.benchmark.judged import generator_of, judged
from opsproof.benchmark.selecting import parts_of
from opsproof.judge.verdict import Word

P95, ERRORS, RATE = gate("p95", "<= 400 ms"), gate("errors", "< 1 %"), gate("rate", ">= 95 %")
ALL = load(P95, ERRORS, RATE)
GOOD = benchmark(requests(good=[0.05] * 1000))


def answers(fact):
    return [one.answer for one in fact.gates]


def test_a_good_benchmark_passes():
    fact = judged(GOOD, ALL)

    assert (fact.answer, fact.exit_status, fact.reasons, fact.doubts) == (Word.PASS, 0, (), ())
    assert [one.name for one in fact.gates] == ["g0", "g1", "g2"]


def test_judging_again_says_the_same():
    once = judged(GOOD, ALL)

    assert judged(once, ALL) == once


@pytest.mark.parametrize(
    ("fact", "status", "text"),
    [
        (benchmark(requests(good=[0.05] * 900 + [0.5] * 100)), 1, "100 of 1,000 were slower"),
        (benchmark(requests(good=[0.05] * 970, bad=[0.01] * 30)), 1, "30 of 1,000 failed"),
        (benchmark(requests(good=[0.05] * 900, ages=[9.0] * 100)), 1, "100 of 1,000 were slower"),
        (benchmark(requests(good=[0.05] * 100, bad=[0.002] * 900)), 1, "900 of 1,000 failed"),
        (benchmark(requests(good=[0.05] * 50)), 6, "would settle it"),
        (benchmark(), 6, "not one arrival was begun"),
        (benchmark(workers=()), 6, "not one arrival was begun"),
        (GOOD.model_copy(update={"workers": (worker(1000, told_its_end=False),)}), 6, "1 of 1 workers were lost: one"),
        (GOOD.model_copy(update={"plan": plan(workers=2)}), 6, "1 of 2 workers never began"),
        (GOOD.model_copy(update={"missing_workers": 1, "plan": plan(workers=2)}), 6, "1 of 2 workers never began"),
        (GOOD.model_copy(update={"ending": "interrupted", "workers": (worker(1000, ran=4),)}), 6, "after 4 s of 10 s"),
        (GOOD.model_copy(update={"ending": "most_requests"}), 6, "the profile's most_requests"),
        (GOOD.model_copy(update={"ending": "down", "workers": (worker(1000, ran=4),)}), 6, "answered nothing well"),
        (
            GOOD.model_copy(update={"workers": (worker(1000, planned=1100),)}),
            6,
            "100 of 1,100 arrivals were never begun",
        ),
    ],
)
def test_what_went_wrong_is_the_answer(fact, status, text):
    found = judged(fact, ALL)

    assert found.exit_status == status
    assert any(text in reason["en"] for reason in found.reasons), found.reasons


def test_an_early_end_for_a_failure_is_no_doubt_and_without_one_it_is():
    """It was ended because a gate surely fails; should none fail after all, it is no pass."""
    early = {"ending": "sure", "workers": (worker(300, ran=3),)}
    failing = judged(benchmark(requests(good=[0.5] * 300)).model_copy(update=early), ALL)
    passing = judged(benchmark(requests(good=[0.05] * 300)).model_copy(update=early), ALL)

    assert (failing.exit_status, failing.doubts) == (1, ())
    assert passing.exit_status == 6
    assert "it was ended after 3 s of 10 s" in passing.doubts[0]["en"]


def test_a_gate_of_one_name_is_of_its_requests_alone():
    named = load(gate("p95", "<= 400 ms", request="GET /slow"), gate("p95", "<= 400 ms", request="GET /quick"))
    fact = judged(benchmark(requests("GET /quick", [0.05] * 900), requests("GET /slow", [0.5] * 100)), named)

    assert answers(fact) == [Word.FAIL, Word.PASS]
    assert [one.requests for one in fact.gates] == [100, 900]


def test_a_name_that_nobody_asked_for_passes_nothing():
    fact = judged(GOOD, load(gate("p95", "<= 400 ms", request="GET /typo")))

    assert fact.exit_status == 6
    assert "there was no request to judge" in fact.reasons[0]["en"]


def test_arrivals_that_were_never_begun_may_have_been_of_each_name():
    """They never help to pass, and fail no gate of a name that they may not have been of."""
    named = load(gate("p95", "<= 400 ms", request="GET /a"), gate("errors", "< 1 %", request="GET /a"))
    begun = [requests("GET /a", [0.05] * 400), requests("GET /b", [0.05] * 600)]
    fact = judged(benchmark(*begun, requests(NEVER_BEGUN, ages=[9.0] * 40)), named)

    assert answers(judged(benchmark(*begun), named)) == [Word.PASS, Word.PASS]
    assert answers(fact) == [Word.INCONCLUSIVE, Word.INCONCLUSIVE]


@pytest.mark.parametrize(
    ("unanswered", "cpu", "answer"),
    [(40, 0.2, Word.FAIL), (40, 1.0, Word.INCONCLUSIVE), (1, 1.0, Word.FAIL)],
    ids=["quiet generator", "busy generator, no answers", "busy generator, wrong answers"],
)
def test_answers_that_did_not_come_to_a_busy_generator_accuse_nobody(unanswered, cpu, answer):
    """A wrong answer is the target's, however busy the generator is; one that did not come in time may be its own."""
    asked = requests(good=[0.05] * 960, bad=[3.0] * 40).model_copy(update={"unanswered": unanswered})
    measured = benchmark(asked).model_copy(update={"workers": (worker(1000, cpu=cpu),)})
    fact = judged(measured, load(gate("errors", "< 1 %")))

    assert answers(fact) == [answer]
    assert fact.gates[0].reason["en"].startswith("40 of 1,000")


def test_a_worker_that_was_told_to_end_keeps_from_passing():
    """A pod that is evicted says farewell in order, and its arrivals are no longer planned."""
    workers = (worker(400), worker(400), worker(150, name="evicted", ran=4.0))
    fact = judged(GOOD.model_copy(update={"workers": workers, "plan": plan(workers=3)}), load(P95))

    assert answers(fact) == [Word.INCONCLUSIVE]
    assert "it was ended after 4 s of 10 s" in fact.doubts[0]["en"]


def test_tasks_that_send_nothing_are_no_load():
    idle = (worker(1000, idle={"the task sends no request": 950}),)
    fact = judged(GOOD.model_copy(update={"workers": idle}), load(P95, gate("rate", ">= 95 %")))

    assert answers(fact) == [Word.INCONCLUSIVE, Word.INCONCLUSIVE]
    assert "950 tasks (95 %) did not do what they are for" in fact.doubts[0]["en"]


def test_requests_of_a_log_in_alone_are_no_benchmark():
    fact = judged(GOOD.model_copy(update={"requests": ()}), load(gate("rate", ">= 95 %")))

    assert answers(fact) == [Word.INCONCLUSIVE]
    assert "not one request was made after the warm-up" in fact.doubts[0]["en"]


def test_arrivals_that_were_never_begun_count_in_total():
    fact = judged(benchmark(requests(good=[0.05] * 900), requests(NEVER_BEGUN, ages=[9.0] * 100)), load(P95))

    assert answers(fact) == [Word.FAIL]


def test_seconds_of_the_warm_up_tell_nothing_of_bursts():
    seconds = [second(number, [0.5 if number < 3 else 0.05] * 10, failed=number) for number in range(6)]
    parts = parts_of(GOOD.model_copy(update={"plan": plan(warm_up=3), "seconds": seconds}), "", 0.4)

    assert [(part.requests, part.failed, part.slow) for part in parts] == [(10, 3, 0), (10, 4, 0), (10, 5, 0)]


def test_ledgers_of_workers_are_added_up():
    workers = [worker(400, late=2, cpu=0.2, longest_lag=0.5), worker(600, late=1, cpu=0.7, user_errors={"x": 2})]
    found = generator_of(workers, plan(workers=2), 10, 0, "done")

    assert (found.planned, found.begun_judged, found.late, found.judged) == (1000, 1000, 3, 10)
    assert (found.cpu, found.longest_lag, found.user_errors) == (0.7, 0.5, {"x": 2})
    assert (found.lost, found.missing, found.requests_per_arrival) == ((), 0, 1.0)


WORSE = load(gate("p95", None, worse={"ratio": 1.1}), gate("errors", None, worse={"difference": 0.01}))


@pytest.mark.parametrize(
    ("earlier", "text"),
    [
        (None, "none was given (--baseline)"),
        (
            GOOD.model_copy(update={"profile": "demo/other"}),
            "the earlier benchmark is of demo/other, and this one is of",
        ),
        (GOOD.model_copy(update={"plan": plan(selected="--tags read")}), "the plans differ: selected was --tags read"),
        (GOOD.model_copy(update={"plan": plan(rate=50)}), "the plans differ: rate was 50, and is 100 now"),
        (GOOD.model_copy(update={"plan": plan(writes=True)}), "the plans differ: writes was True, and is False now"),
        (GOOD.model_copy(update={"plan": plan(timeout=9)}), "the plans differ: timeout was 9"),
        (GOOD.model_copy(update={"plan": plan(warm_up=4)}), "the plans differ: warm_up was 4"),
        (
            GOOD.model_copy(update={"workers": (worker(1000, cpu=1.0),)}),
            "cannot be believed itself: the generator used",
        ),
        (GOOD.model_copy(update={"workers": (worker(1000, ran=2),)}), "cannot be believed itself: it was ended after"),
        (benchmark(), "had other requests: GET /"),
    ],
)
def test_no_comparison_is_no_pass(earlier, text):
    fact = judged(GOOD, WORSE, earlier)

    assert fact.exit_status == 6
    assert text in fact.gates[0].reason["en"]


@pytest.mark.parametrize(
    ("p95", "failed", "expected"),
    [
        (0.05, 0, [Word.PASS, Word.PASS]),
        (0.2, 0, [Word.FAIL, Word.PASS]),
        (0.05, 55, [Word.INCONCLUSIVE, Word.FAIL]),
        (0.02, 0, [Word.PASS, Word.PASS]),
    ],
)
def test_a_comparison_is_judged_by_its_bounds(p95, failed, expected):
    fact = judged(benchmark(requests(good=[p95] * (1000 - failed), bad=[0.2] * failed)), WORSE, GOOD)

    assert answers(fact) == expected
    assert fact.compared_with == "demo/local, 2026-01-01 00:00 UTC"
    assert fact.gates[0].compared.by == "ratio"


def test_a_limit_and_a_comparison_are_both_told_and_the_worse_counts():
    both = load(gate("p95", "<= 400 ms", worse={"ratio": 1.1}))
    fact = judged(benchmark(requests(good=[0.2] * 1000)), both, GOOD)

    assert answers(fact) == [Word.FAIL]
    assert "0 of 1,000 were slower" in fact.gates[0].reason["en"]
    assert "worse than the earlier benchmark (2026-01-01 00:00 UTC): 200 ms against 50 ms" in fact.gates[0].reason["en"]
