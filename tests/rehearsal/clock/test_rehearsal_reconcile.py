"""What became of every write: one class each, and none too good."""

import pytest
from clock_histories import WRITER, entry, ledger, rows
from hypothesis import given
from hypothesis import strategies as st

from opsproof.rehearsal.clock.ledger_table import Found
from opsproof.rehearsal.clock.reconcile import Became, reconcile


def test_acknowledged_and_unacknowledged_writes_are_told_apart():
    """Only what was acknowledged can be lost; what was not may be there or not."""
    sent = ledger(entry(1, 0, 0.1), entry(2, 1, 1.1), entry(3, 2), entry(4, 3))

    found = reconcile(sent, rows(1, 3, 9))

    assert found.became == {
        1: Became.OK,
        2: Became.LOST,
        3: Became.INDETERMINATE_PRESENT,
        4: Became.INDETERMINATE_ABSENT,
        9: Became.UNEXPECTED,
    }


@pytest.mark.parametrize(
    ("row", "words"),
    [
        pytest.param(Found(1, ("other",), (WRITER,)), "another value than was sent", id="value"),
        pytest.param(Found(1, ("v1",), ("else",)), "of another writer: else", id="writer"),
        pytest.param(Found(1, ("v1", "v1"), (WRITER, WRITER)), "2 rows have this id", id="two-rows"),
    ],
)
@pytest.mark.parametrize("side", ["recovered", "old"])
def test_a_row_that_is_not_what_was_sent_is_conflicting(row, words, side):
    """A row count would call it well; it is somebody else's data, or a broken index."""
    recovered, old = ([row], []) if side == "recovered" else (rows(1), [row])

    found = reconcile(ledger(entry(1, 0, 0.1)), recovered, old)

    assert found.ids(Became.CONFLICTING) == (1,)
    assert words in found.conflicts[1]


def test_rows_of_the_old_primary_alone_are_still_lost():
    """They can be exported from there, but the service no longer has them."""
    found = reconcile(ledger(entry(1, 0, 0.1), entry(2, 1, 1.1)), rows(1), rows(1, 2))

    assert found.ids(Became.LOST) == (2,)


@pytest.mark.parametrize(
    "back",
    [
        pytest.param({"timeline": 1}, id="old-timeline"),
        pytest.param({"timeline": 1, "system": "78"}, id="system-that-was-left"),
    ],
)
def test_acknowledgements_of_a_server_that_was_replaced_are_a_split(back):
    """Both sides take writes; it does not matter which of them is read later."""
    before = {"system": back.get("system", "77"), "timeline": 1}
    sent = ledger(entry(1, 0, 0.1, **before), entry(2, 1, 1.1, timeline=2), entry(3, 2, 2.1, **back))

    found = reconcile(sent, rows(1, 2, 3))

    assert found.ids(Became.CONFLICTING) == (3,)
    assert "after timeline 2 of system 77 had taken over" in found.conflicts[3]


def test_failover_and_failback_are_no_split():
    """Each takes over with a timeline of its own."""
    sent = ledger(*(entry(number, number, number + 0.1, timeline=number) for number in (1, 2, 3)))

    assert reconcile(sent, rows(1, 2, 3)).ids(Became.OK) == (1, 2, 3)


def test_the_sums_are_kept():
    """run.json has all of them, and the first lost ids."""
    sent = ledger(*(entry(number, number, number + 0.1) for number in range(1, 21)))

    fact = reconcile(sent, rows(1, 2)).fact(1.0)

    assert (fact.sent, fact.ok, fact.lost) == (20, 2, 18)
    assert fact.first_lost == tuple(range(3, 13))


IDS = st.integers(1, 40)
FOUND = st.builds(
    lambda one, value, writer, twice: Found(one, (value or f"v{one}",) * twice, (writer,) * twice),
    IDS,
    st.sampled_from(["", "", "", "other"]),
    st.sampled_from([WRITER, WRITER, WRITER, "else"]),
    st.sampled_from([1, 1, 1, 2]),
)


def by_id(found):
    return list({one.id: one for one in found}.values())


@given(
    writes=st.dictionaries(IDS, st.tuples(st.booleans(), st.integers(1, 3)), max_size=30),
    recovered=st.lists(FOUND, max_size=30).map(by_id),
    old=st.lists(FOUND, max_size=30).map(by_id),
)
def test_every_id_has_one_class(writes, recovered, old):
    """The sums of the classes are all ids that were sent or found; ok and lost are of acknowledged ones alone."""
    sent = ledger(
        *(
            entry(one, one, one + 0.5 if acked else None, timeline=timeline)
            for one, (acked, timeline) in sorted(writes.items())
        )
    )

    result = reconcile(sent, recovered, old)

    classes = [set(result.ids(what)) for what in Became]
    there, everywhere = {row.id for row in recovered}, {row.id for row in [*recovered, *old]}
    assert sum(map(len, classes)) == len(set().union(*classes)) == len(set(writes) | everywhere)
    acked = {one.id for one in sent.acknowledged}
    assert set(result.ids(Became.OK)) <= acked & there
    assert set(result.ids(Became.LOST)) <= acked - there
    assert set(result.ids(Became.INDETERMINATE_PRESENT)) <= there - acked
    assert not set(result.ids(Became.INDETERMINATE_ABSENT)) & (acked | there)
    assert set(result.ids(Became.UNEXPECTED)) == everywhere - set(writes)
    fact = result.fact(1.0)
    known = fact.ok + fact.lost + fact.indeterminate_present + fact.indeterminate_absent + fact.conflicting
    assert known == fact.sent
