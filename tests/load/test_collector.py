"""What workers tell is put together, and an early end is one that nothing still to come could change."""

import pytest
from bench_parts import gate, load, requests, second, worker
from hypothesis import given
from hypothesis import strategies as st

from opsproof.benchmark.histograms import times_of
from opsproof.judge.benchmark.gates import judge_errors, judge_times
from opsproof.judge.verdict import Word
from opsproof.load.collector import Collector

P95, ERRORS = gate("p95", "<= 400 ms"), gate("errors", "< 10 %")
LOAD = load(P95, ERRORS, warm_up=2, rate=20)
"""160 requests to judge."""


def told(collector, slow=0, failed=0, fast=0, *, number=3, largest=1, name="one", plan=LOAD):
    seconds = [
        second(number, [0.5] * slow + [0.01] * (failed + fast), failed).model_copy(
            update={"begun": slow + failed + fast}
        )
    ]
    collector.take(worker(20, name=name, largest_arrival=largest), seconds, None, None)


@given(st.integers(0, 160), st.integers(0, 160), st.integers(1, 3), st.integers(0, 500))
def test_what_surely_fails_does_fail_whatever_good_requests_still_come(slow, failed, largest, more):
    """At most as many as were planned, all of them fast and good."""
    collector = Collector(LOAD)
    told(collector, slow, failed, largest=largest)
    gate_id = collector.surely_fails()
    if not gate_id:
        return

    still = min(more, max(0, 160 * largest - slow - failed))
    good, bad = [0.5] * slow + [0.01] * still, [0.01] * failed
    everything = times_of([requests(good=good, bad=bad).good, requests(good=good, bad=bad).bad])
    one = LOAD.gates[gate_id]
    if gate_id == "g1":
        found = judge_errors(one, failed, slow + failed + still, 0, [], LOAD.confidence)
    else:
        found = judge_times(one, everything, times_of([requests(good=good).good]), [], LOAD.confidence)
    assert found.answer is Word.FAIL


@pytest.mark.parametrize(
    ("slow", "failed", "largest", "ended_by"),
    [(20, 0, 1, "g0"), (0, 30, 1, "g1"), (5, 5, 1, ""), (20, 0, 3, ""), (40, 0, 3, "g0"), (0, 0, 1, "")],
)
def test_it_ends_early_when_it_is_sure(slow, failed, largest, ended_by):
    """Arrivals with three requests each leave three times as many to come."""
    collector = Collector(LOAD)
    told(collector, slow, failed, fast=20, largest=largest)

    assert collector.surely_fails() == ended_by


def test_a_bad_warm_up_ends_nothing():
    collector = Collector(LOAD)
    for number in (0, 1):
        told(collector, slow=100, failed=100, number=number)

    assert collector.surely_fails() == ""


def test_rate_and_mean_end_nothing_early():
    collector = Collector(load(gate("mean", "<= 1 ms"), gate("rate", ">= 95 %")))
    told(collector, slow=500)

    assert collector.surely_fails() == ""


@given(st.lists(st.lists(st.integers(1, 2_000_000), max_size=40), min_size=1, max_size=5))
def test_workers_are_added_up_never_averaged(workers):
    collector = Collector(LOAD)
    everything = [micros / 1_000_000 for one in workers for micros in one]
    for number, one in enumerate(workers):
        seconds = [micros / 1_000_000 for micros in one]
        asked = requests("GET /a", good=seconds, bad=[0.1] * number)
        if seconds:
            collector.take(worker(1, name=f"w{number}"), [second(3, seconds, number)], (asked,), "done")
        else:
            collector.take(worker(1, name=f"w{number}"), [], (asked,), "done")

    [fact] = collector.requests()
    assert fact.good == requests(good=everything).good
    assert fact.failed == sum(range(len(workers)))
    assert fact.ended == len(everything) + fact.failed
    assert len(collector.workers()) == len(workers)
    if everything:
        [together] = collector.seconds()
        assert times_of([together.times[""]]).total == len(everything)
    assert collector.ended(len(workers))
    assert not collector.ended(len(workers) + 1)


def test_what_a_worker_told_last_counts_and_its_seconds_are_kept():
    collector = Collector(LOAD)
    collector.take(worker(10), [second(0, [0.1])], (requests(good=[0.1]),), None)
    collector.take(worker(20), [second(1, [0.1])], None, None)
    collector.take(worker(30), [], (requests(good=[0.1] * 3),), "done")

    assert [one.begun for one in collector.workers()] == [30]
    assert [one.second for one in collector.seconds()] == [0, 1]
    assert [one.ended for one in collector.requests()] == [3]


@pytest.mark.parametrize(
    ("endings", "own", "why"),
    [
        (["done", "done"], None, "done"),
        (["done", "interrupted"], None, "interrupted"),
        (["down", "interrupted"], None, "down"),
        (["done", None], None, "done"),
        ([None], None, "interrupted"),
        (["most_requests", "done"], None, "most_requests"),
        (["sure", "sure"], "sure", "sure"),
    ],
)
def test_the_gravest_end_is_the_one_that_is_told(endings, own, why):
    collector = Collector(LOAD)
    collector.ending = own
    for number, ending in enumerate(endings):
        collector.take(worker(1, name=f"w{number}"), [], (), ending)

    assert collector.why_ended() == why
    assert collector.down is ("down" in endings)
