"""The way of a recovery through an archive."""

import pytest

from opsproof.rehearsal.archive.histories import History
from opsproof.rehearsal.archive.names import parse, read_lsn, segment_name
from opsproof.rehearsal.archive.path import find_way, runs

SIZE = 16 << 20
HISTORIES = {2: History(2, ((1, 0x5000100),)), 3: History(3, ((1, 0x5000100), (2, 0x7000000)))}


def way(there, begin=(1, 0x2000028), timeline=1, newest=0x6000000, stop=0x2000100):
    return find_way(there, HISTORIES, begin=begin, stop=stop, timeline=timeline, newest=newest, size=SIZE)


def names(*parts):
    return {segment_name(timeline, number * SIZE, SIZE) for timeline, number in parts}


def test_a_way_goes_from_the_backup_to_the_newest_segment():
    """Every segment between the two is needed."""
    found = way(names(*((1, n) for n in range(1, 7))))

    assert found.unbroken
    assert [step.name[-2:] for step in found.steps] == ["02", "03", "04", "05", "06"]


def test_what_is_missing_is_said_and_cuts_the_way():
    """Neighbours are named together; what can still be read is read."""
    found = way(names((1, 2), (1, 5), (1, 6)))

    assert runs(found.missing, SIZE) == ["000000010000000000000003 to 000000010000000000000004 (2 segments)"]
    assert [len(stretch) for stretch in found.stretches()] == [1, 2]


def test_a_switch_of_timelines_takes_the_segment_of_the_new_one():
    """PostgreSQL too reads the segment with the switch from the timeline that goes on."""
    found = way(names((1, 2), (1, 3), (1, 4), (2, 5), (2, 6), (3, 7), (3, 8)), timeline=3, newest=8 * SIZE)

    assert found.unbroken
    assert [step.name[7] for step in found.steps] == ["1", "1", "1", "2", "2", "3", "3"]


def test_the_end_of_the_backup_must_be_reached():
    """A backup without the WAL up to its own end is not consistent."""
    assert runs(way(names((1, 2)), newest=0x2000000, stop=0x4000100).missing, SIZE) == [
        "000000010000000000000003 to 000000010000000000000004 (2 segments)"
    ]


def test_the_segment_of_the_switch_is_needed_even_if_nothing_came_behind_it():
    """A promotion whose first segment never came cannot be followed."""
    found = way(names((1, 2), (1, 3), (1, 4)), timeline=2, newest=None)

    assert [step.name for step in found.missing] == ["000000020000000000000005"]


@pytest.mark.parametrize(
    ("begin", "timeline"),
    [pytest.param((2, 0x6000000), 1, id="of-a-side-branch"), pytest.param((1, 0x6000000), 2, id="behind-the-switch")],
)
def test_a_backup_that_the_timeline_does_not_come_from_has_no_way(begin, timeline):
    """Its WAL is that of a history that was given up."""
    assert "does not come from" in way(set(), begin=begin, timeline=timeline).why


def test_names_and_positions_stand_for_each_other():
    """A wrong carry over the 4 GB of a log would find gaps where there are none."""
    name = segment_name(1, read_lsn("2/FF000000"), SIZE)

    assert name == "0000000100000002000000FF"
    assert parse(name).start(SIZE) + SIZE == read_lsn("3/0")
    assert parse("00000001000000020000001F.00000028.backup").kind == "backup"
    assert parse("00000002.history").timeline == 2
    assert [parse(odd) for odd in ("00000001.history.bad", name.lower(), f"{name}.gz", f"{name}.tmp")] == [None] * 4
