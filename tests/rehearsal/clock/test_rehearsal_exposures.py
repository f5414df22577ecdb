"""The exposure of each copy: the worst look counts."""

import pytest
from clock_histories import at, entry, ledger

from opsproof.rehearsal.archive.names import read_lsn
from opsproof.rehearsal.clock.exposure import Sample, copy_fact, newest_below
from opsproof.rehearsal.clock.ledger import Server


def test_the_worst_sample_counts():
    """One look just after a segment was switched flatters."""
    samples = [Sample(at(now), at(newest), "end of 0001") for now, newest in ((10, 9), (20, 2), (30, 29))]

    fact = copy_fact("archive", samples)

    assert (fact.exposure, fact.newest) == (18, at(2))
    assert fact.why == f"end of 0001; the worst of 3 samples over 20.0 s, of {at(20).isoformat()}"


def test_a_copy_that_gives_nothing_back_is_worse_than_any_number():
    """Unknown is never well."""
    samples = [Sample(at(10), None, "no heartbeat in it"), Sample(at(9999), at(0), "newest row")]

    assert copy_fact("dump", samples).exposure is None


def test_a_single_sample_is_called_one():
    """Nobody should take it for the worst of many."""
    assert copy_fact("dump", [Sample(at(9), at(1), "row")]).why == f"row; one sample, of {at(9).isoformat()}"


@pytest.mark.parametrize(
    ("lsn", "timeline", "newest"),
    [
        pytest.param("0/150", 1, None, id="before-the-second"),
        pytest.param("0/200", 1, 1, id="at-the-second"),
        pytest.param("1/0", 1, 2, id="the-last-of-a-timeline-is-not-known-to-be-whole"),
        pytest.param("1/0", 2, 4, id="next-timeline"),
        pytest.param("1/0", 3, None, id="unknown-timeline"),
    ],
)
def test_an_archive_gives_back_what_is_committed_below_its_end(lsn, timeline, newest):
    """A row is there only with its commit, which is behind the position that the row was told."""
    told = [(1, "0/100"), (1, "0/200"), (1, "0/300"), (2, "0/380"), (2, "0/400")]
    entries = []
    for number, (line, position) in enumerate(told, start=1):
        one = entry(number, number, number + 0.1)
        entries.append(type(one)(one.id, one.value, one.sent, one.acked, Server("77", line, position, "on")))

    assert newest_below(ledger(*entries), read_lsn(lsn), timeline) == (None if newest is None else at(newest))
