"""The exposure of each copy: the worst look counts."""

import pytest
from clock_histories import at, entry, ledger

from opsproof.errors import OpsproofError
from opsproof.rehearsal.clock.exposure import Exposures, newest_below
from opsproof.rehearsal.clock.ledger import Server


def test_the_worst_sample_is_kept():
    """One look just after a segment was switched flatters."""
    exposures = Exposures()
    for now, newest in ((10, 9), (20, 2), (30, 29)):
        exposures.sample("archive", at(now), at(newest), "end of 0001")

    (fact,) = exposures.facts()

    assert (fact.exposure, fact.newest) == (18, at(2))
    assert fact.why == f"end of 0001; the worst of 3 samples, of {at(20).isoformat()}"


def test_a_copy_that_gives_nothing_back_is_worse_than_any_number():
    """Unknown is never well."""
    exposures = Exposures()
    exposures.sample("dump", at(10), None, "no heartbeat in it")
    exposures.sample("dump", at(9999), at(0), "newest row")

    assert exposures.facts()[0].exposure is None


def test_the_worst_of_a_quarter_outlives_a_rehearsal(tmp_path):
    """The trend needs what was seen between two rehearsals."""
    Exposures(tmp_path / "e.json").sample("standby", at(50), at(1), "row")

    again = Exposures(tmp_path / "e.json")
    again.sample("standby", at(60), at(59), "row")

    assert again.facts()[0].exposure == 49
    assert "the worst of 2 samples" in again.facts()[0].why


@pytest.mark.parametrize("content", ["", "[]", '{"copies": {"a": 1}}'])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    """To begin anew would forget the worst sample in silence."""
    (tmp_path / "e.json").write_text(content)

    with pytest.raises(OpsproofError, match="the exposures of earlier samples cannot be read"):
        Exposures(tmp_path / "e.json")


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

    assert newest_below(ledger(*entries), lsn, timeline) == (None if newest is None else at(newest))
