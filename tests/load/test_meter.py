"""What a generator measures: nothing is lost between its seconds, its names and its ledger."""

import pytest
from bench_parts import gate, load
from hypothesis import given
from hypothesis import strategies as st

from opsproof.benchmark.facts import NEVER_BEGUN
from opsproof.benchmark.histograms import times_of
from opsproof.load.arrivals import Arrival, Arrivals
from opsproof.load.meter import LOOK_SECONDS, Meter, Sent

LOAD = load(gate("p95", "<= 400 ms"), gate("errors", "< 10 %", request="GET /b"), warm_up=2)
ENDED = st.lists(
    st.tuples(
        st.sampled_from(["GET /a", "GET /b"]), st.floats(0, 9), st.floats(0, 1), st.floats(0.001, 3), st.booleans()
    ),
    max_size=60,
)


def meter(plan=LOAD):
    return Meter(plan, Arrivals(plan.rate, plan.duration, 0.0), "one", 0.04)


def arrive(one: Meter, late: float = 0.0, *, waited: bool = True) -> Arrival:
    arrival = Arrival(one.arrivals.take())
    one.begin(arrival, arrival.due + late, waited=waited)
    return arrival


@given(ENDED)
def test_nothing_is_lost_between_seconds_and_names(ended):
    """Requests by the moments of their ends, a second rolled whenever one is over."""
    one = meter()
    rolled = 0
    for name, due, late, service, failed in sorted(ended, key=lambda it: it[1] + it[2] + it[3]):
        now = due + late + service
        while now >= rolled + 1:
            rolled += 1
            one.roll(float(rolled))
        one.end(Sent(name, due, due + late, None), service, "HTTP 500" if failed else "", answered=name == "GET /a")
    one.roll(rolled + 1.0)
    judged = [it for it in ended if it[1] >= 2]
    requests = one.requests_so_far()

    assert sum(fact.ended for fact in requests) == len(judged)
    assert sum(fact.failed for fact in requests) == sum(it[4] for it in judged)
    assert sum(fact.unanswered for fact in requests) == sum(it[4] for it in judged if it[0] != "GET /a")
    assert sum(times_of([fact.good, fact.bad]).total for fact in requests) == len(judged)
    seconds = one.new_seconds()
    late_seconds = [second for second in seconds if second.second >= 2]
    assert [second.second for second in seconds] == list(range(rolled + 1))
    for name in ("", "GET /b"):
        of_name = [it for it in judged if not name or it[0] == name]
        assert sum(times_of([s.times.get(name, "")]).total for s in late_seconds) == len(of_name)
        assert sum(s.failed.get(name, 0) for s in late_seconds) == sum(it[4] for it in of_name)


def test_a_request_has_waited_since_it_was_due():
    one = meter()
    one.end(Sent("GET /a", 3.0, 3.5, None), 0.1, "")

    [fact] = one.requests_so_far()
    assert times_of([fact.good]).mean() == pytest.approx(0.6, rel=0.001)
    assert times_of([fact.service]).mean() == pytest.approx(0.1, rel=0.001)


def test_what_was_due_in_the_warm_up_is_in_no_second_after_it():
    """A target that was slow to start releases all at once; no gate may look at that."""
    one = meter()
    one.end(Sent("GET /a", 0.5, 0.5, None), 0.1, "")
    one.roll(1.0)
    told = one.new_seconds()
    one.roll(2.0)
    one.end(Sent("GET /a", 1.0, 1.0, None), 1.5, "")
    one.roll(3.0)
    told += one.new_seconds()

    assert [(second.second, bool(second.times)) for second in told] == [(0, True), (1, False), (2, False)]
    assert one.requests_so_far() == ()


def test_what_never_ended_is_counted_at_its_age():
    one = meter()
    for _ in range(300):
        arrive(one)
    one.in_flight = {
        1: [Sent("GET /a", 1.0, 1.0, None), Sent("GET /a", 4.0, 4.5, None)],
        2: [Sent("GET /b", 5.0, 5.0, None)],
    }
    one.roll(6.0)
    one.arrivals.cut(6.0)
    one.close(6.0)

    ages = {fact.name: fact.ages for fact in one.requests_so_far()}
    assert one.new_seconds()[-1].in_flight == 3
    assert ages["GET /a"] == (2.0,)
    assert ages["GET /b"] == (1.0,)
    assert len(ages[NEVER_BEGUN]) == 301
    assert max(ages[NEVER_BEGUN]) == pytest.approx(3.0)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=200), st.integers(0, 5))
def test_the_ledger_adds_up(lates, requests_each):
    one = meter()
    for late, waited in lates:
        arrival = arrive(one, late, waited=waited)
        arrival.requests = requests_each
        one.finish(arrival, arrival.begun + 0.1)
    ledger = one.ledger(20.0, final=True)

    assert ledger.planned == 1000
    assert ledger.begun == ledger.finished == len(lates)
    assert ledger.begun_judged == max(0, len(lates) - 200)
    assert ledger.late + ledger.busy <= ledger.begun_judged
    assert ledger.requests_finished == requests_each * len(lates)
    assert ledger.thinking == pytest.approx(0.1 * len(lates))
    assert ledger.begun + len(one.arrivals.left()) == ledger.planned


def test_who_was_late_is_told_apart():
    one = meter()
    for _ in range(200):
        arrive(one)
    for late, waited in ((0.03, True), (0.05, True), (0.05, False)):
        arrive(one, late, waited=waited)

    assert (one.begun_judged, one.late, one.busy) == (3, 1, 1)


def test_a_frozen_loop_counts_for_as_long_as_it_was_frozen():
    """One look that comes a second late is not one of two hundred."""
    one = meter()
    one.look(1.0, 5.0, 1.0)
    for number in range(160):
        one.look(2.0 + LOOK_SECONDS * number, 0.001, 0.2)
    one.look(11.0, 1.0, None)

    assert one.held_up == 20
    assert one.looks == 181
    assert (one.longest_lag, one.cpu) == (1.0, 0.2)


def test_failures_in_a_row_end_with_a_success():
    one = meter()
    for number in range(5):
        one.end(Sent("GET /a", 3.0, 3.0 + number, None), 0.1, "HTTP 500")
    assert (one.failures_in_a_row, one.last_success) == (5, 0.0)

    one.end(Sent("GET /a", 3.0, 9.0, None), 0.5, "")
    assert (one.failures_in_a_row, one.last_success) == (0, 9.5)


def test_kinds_of_errors_are_bounded():
    one = meter()
    for number in range(80):
        one.end(Sent("GET /a", 3.0, 3.0, None), 0.1, f"error {number}")
    [fact] = one.requests_so_far()

    assert len(fact.errors) == 51
    assert fact.errors["other errors"] == 30
    assert sum(fact.errors.values()) == fact.failed == 80
