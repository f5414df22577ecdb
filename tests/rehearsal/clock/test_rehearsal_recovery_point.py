"""RPO by the ledger: its bounds hold the truth, and an idle ledger proves nothing."""

from dataclasses import replace

import pytest
from clock_histories import at, entry, ledger, rows
from hypothesis import given
from hypothesis import strategies as st

from opsproof.rehearsal.clock.ledger_table import Found
from opsproof.rehearsal.clock.reconcile import reconcile
from opsproof.rehearsal.clock.recovery_point import bounds, polluted_rpo, rpo
from opsproof.rehearsal.facts import Proof

LIMIT = 60.0


def each_second(count, *, first=1):
    return [entry(number, number, number + 0.1) for number in range(first, first + count)]


@pytest.mark.parametrize(
    ("survive", "failure", "proof", "lower", "upper", "words"),
    [
        pytest.param(100, 100.5, Proof.PROVEN, 0, 0.5, "no acknowledged write is lost", id="nothing-lost"),
        pytest.param(90, 100.5, Proof.PROVEN, 9.4, 10.5, "10 acknowledged writes are lost", id="some-lost"),
        pytest.param(41, 100.5, Proof.PROVEN, 58.4, 59.5, "59 acknowledged", id="just-within"),
        pytest.param(40, 100.5, Proof.FAILED, 59.4, 60.5, "up to 60.50 s are lost", id="perhaps-over"),
        pytest.param(20, 100.5, Proof.FAILED, 79.4, 80.5, "at least 79.40 s are lost", id="over"),
        pytest.param(0, 100.5, Proof.FAILED, 99.4, None, "at least 99.40 s are lost", id="all-lost"),
        pytest.param(100, 107.0, Proof.NOT_PROVEN, 0, 7.0, "idle or too slow", id="idle-before-the-failure"),
        pytest.param(100, 999.0, Proof.NOT_PROVEN, 0, 899.0, "898.90 s without", id="idle-for-long"),
        pytest.param(99, 161.0, Proof.FAILED, 60.9, 62.0, "at least 60.90 s", id="lost-for-sure-though-idle"),
    ],
)
def test_rpo_is_judged_by_bounds_and_resolution(survive, failure, proof, lower, upper, words):
    """No loss in a ledger that nobody wrote to is not a loss of nothing."""
    found = reconcile(ledger(*each_second(100)), rows(*range(1, survive + 1)))

    fact = rpo(LIMIT, at(failure), found)

    assert fact.proof is proof, fact.why
    assert fact.lower == pytest.approx(lower)
    assert fact.upper == (None if upper is None else pytest.approx(upper))
    assert words in fact.why


def test_what_survived_after_the_first_loss_shortens_nothing():
    """A hole in the data (a damaged table) begins with the first lost write."""
    found = reconcile(ledger(*each_second(100)), rows(*range(1, 70), *range(80, 101)))

    fact = rpo(LIMIT, at(100.5), found)

    assert (fact.lower, fact.upper) == (pytest.approx(30.4), pytest.approx(31.5))


def test_a_writer_that_is_too_slow_for_the_objective_proves_nothing():
    """Its interval is the resolution: at most a tenth of the limit."""
    slow = [entry(number, 10 * number, 10 * number + 0.1) for number in range(1, 20)]

    fact = rpo(LIMIT, at(190.5), reconcile(ledger(*slow, interval=10), rows(*range(1, 20))))

    assert fact.proof is Proof.NOT_PROVEN
    assert fact.resolution == pytest.approx(10)
    assert "at most 6 s can prove it" in fact.why


@pytest.mark.parametrize(
    ("failure", "known", "words"),
    [
        pytest.param(None, True, "T0 was not measured", id="no-failure"),
        pytest.param(5, False, "there is no ledger", id="no-ledger"),
        pytest.param(0.5, True, "no acknowledged write from before the failure", id="ledger-begins-later"),
    ],
)
def test_without_its_ground_rpo_is_not_proven(failure, known, words):
    """Never zero seconds."""
    found = reconcile(ledger(*each_second(5)), rows(*range(1, 6)))

    fact = rpo(LIMIT, None if failure is None else at(failure), found if known else None)

    assert fact.proof is Proof.NOT_PROVEN
    assert words in fact.why


def test_what_should_not_be_there_is_never_proven():
    """A row count that is right may be made of wrong rows."""
    sent = ledger(*each_second(10))
    conflicting = [*rows(*range(1, 10)), Found(10, ("other",), ("opsproof-test",))]

    assert rpo(LIMIT, at(10.5), reconcile(sent, conflicting)).proof is Proof.FAILED
    assert rpo(LIMIT, at(10.5), reconcile(sent, rows(*range(1, 12)))).proof is Proof.NOT_PROVEN


def test_times_of_two_clocks_prove_nothing():
    """The wall clocks of two machines may lie apart by more than was lost."""
    sent = replace(ledger(*each_second(10)), uncertainty="its times are by the wall clock of another machine")

    fact = rpo(LIMIT, at(10.5), reconcile(sent, rows(*range(1, 11))))

    assert fact.proof is Proof.NOT_PROVEN
    assert "the clocks cannot be compared" in fact.why


def test_a_loss_after_the_noted_failure_counts_from_there():
    """A server that still acknowledges has not failed yet; what it took is lost with it."""
    found = reconcile(ledger(*each_second(100)), rows(*range(1, 91)))

    fact = rpo(LIMIT, at(95.5), found)

    assert fact.upper == pytest.approx(10.1)
    assert "5 of them were acknowledged after the noted failure" in fact.why


@given(
    steps=st.lists(
        st.tuples(*(st.floats(0.001, 5) for _ in range(3)), st.booleans()),
        min_size=1,
        max_size=40,
    ),
    survive=st.integers(0, 40),
    within=st.floats(0, 0.999),
    rest=st.floats(0, 50),
)
def test_the_bounds_enclose_the_truth(steps, survive, within, rest):
    """However long writes took to be committed and acknowledged, the end of the recovered data is between them."""
    entries, commits, now = [], [], 0.0
    for number, (pause, to_commit, to_ack, answered) in enumerate(steps, start=1):
        sent = now + pause
        committed = sent + to_commit
        now = committed + to_ack
        entries.append(entry(number, sent, now if answered else None))
        commits.append(committed)
    failure = now + rest
    survive = min(survive, len(commits))
    begin = commits[survive - 1] if survive else 0.0
    end = commits[survive] if survive < len(commits) else failure
    recovered_to = begin + within * (end - begin)
    truth = failure - recovered_to

    seen = bounds(at(failure), reconcile(ledger(*entries), rows(*range(1, survive + 1))), LIMIT)

    assert seen.lower <= truth + 1e-4
    assert seen.upper is None or seen.upper >= truth - 1e-4
    assert len(seen.lost) == sum(answered for *_, answered in steps[survive:])
    assert (seen.upper is None) == (not any(answered for *_, answered in steps[:survive]))


def test_after_a_pollution_the_commits_before_it_are_given_up_and_those_after_it_counted():
    """Recovery to 5 s before the pollution gives up 5 s; the hour until somebody saw it is work to replay."""
    found = reconcile(ledger(*each_second(100)), rows(*range(1, 56)))

    fact = polluted_rpo(LIMIT, at(60.5), at(55.5), found)

    assert fact.proof is Proof.PROVEN, fact.why
    assert (fact.lower, fact.upper) == (pytest.approx(4.4), pytest.approx(5.5))
    assert "recovered to 5.00 s before the pollution" in fact.why
    assert "5 acknowledged writes before it are given up" in fact.why
    assert "40 acknowledged writes after it are gone and must be replayed" in fact.why


@pytest.mark.parametrize(
    ("target", "there", "proof", "words"),
    [
        pytest.param(70.5, 71, Proof.FAILED, "10.00 s after the pollution, which is therefore still there", id="late"),
        pytest.param(55.5, 40, Proof.PROVEN, "15 of them are from before the target", id="earlier-than-it-says"),
        pytest.param(-10.0, 0, Proof.FAILED, "at least", id="too-much-given-up"),
        pytest.param(None, 55, Proof.NOT_PROVEN, "missing: the recovery's target", id="no-target"),
    ],
)
def test_a_recovery_that_did_not_go_where_it_says_is_told(target, there, proof, words):
    """The setting of the target is no proof of what was recovered."""
    found = reconcile(ledger(*each_second(100)), rows(*range(1, there + 1)))

    fact = polluted_rpo(LIMIT - 1, at(60.5), None if target is None else at(target), found)

    assert fact.proof is proof, fact.why
    assert words in fact.why
