"""History files are believed only where they agree with one another and with the WAL."""

from datetime import UTC, datetime

import pytest

from opsproof.rehearsal.archive.histories import History, contradictions, read_history, read_label, unexplained

LABEL = """\
START WAL LOCATION: 0/900028 (file 000000010000000000000009)
STOP WAL LOCATION: 0/900120 (file 000000010000000000000009)
BACKUP FROM: primary
START TIMELINE: 1
STOP TIME: 2026-11-21 18:02:18 UTC
"""


def test_a_history_file_is_read():
    """Comments and empty lines are PostgreSQL's to write."""
    text = "# a comment\n1\t0/D000A0\tno recovery target specified\n\n2\t1/20\tbefore 2026-01-01\n"

    assert read_history(3, text) == History(3, ((1, 0xD000A0), (2, (1 << 32) + 0x20)))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("\x00\x01garbage", id="garbage"),
        pytest.param("2\t0/1\tx\n", id="its-own-parent"),
        pytest.param("1\tD000A0\tx\n", id="no-position"),
        pytest.param("1\t0/5\tx\n1\t0/6\tx\n", id="twice-the-same"),
    ],
)
def test_what_cannot_be_a_history_file_is_refused(text):
    """A restore that cannot read it starts on another timeline, or not at all."""
    with pytest.raises(ValueError, match=r"."):
        read_history(2, text)


def test_a_backup_label_is_read():
    """The end is there in a backup history file alone; another zone than UTC is not guessed."""
    label = read_label(LABEL)

    assert (label.timeline, label.start, label.stop, label.of_primary) == (1, 0x900028, 0x900120, True)
    assert label.ended == datetime(2026, 11, 21, 18, 2, 18, tzinfo=UTC)
    assert read_label(LABEL.replace("UTC", "KST")).ended is None


def test_only_the_servers_own_past_and_known_promotions_explain_a_timeline():
    """A later timeline that nobody made is followed by the next restore."""
    histories = {2: History(2, ((1, 5),)), 3: History(3, ((1, 4),)), 4: History(4, ((1, 5), (2, 9)))}

    assert unexplained(histories, {1, 2}, current=2, known=()) == []
    assert unexplained(histories, {1, 2, 4}, current=4, known=()) == []
    assert unexplained(histories, {1, 2, 3, 4}, current=4, known=(3,)) == []
    assert "timeline 3 is in the archive, and neither" in unexplained(histories, {1, 2, 3, 4}, current=4, known=())[0]
    assert "a restore follows it" in unexplained(histories, {1, 2, 3}, current=2, known=())[0]
    assert "00000005.history is not" in unexplained(histories, {1}, current=5, known=())[0]


def test_history_files_that_contradict_the_wal_are_found():
    """The record that begins a timeline is where its history file says."""
    histories = {2: History(2, ((1, 0xD000A0),)), 3: History(3, ((1, 0xC00000), (2, 0xE00000)))}

    assert contradictions({2: histories[2]}, {2: 0xD00000}, {2: [0xD000A0]}, 1 << 20) == []
    assert contradictions({3: History(3, ((2, 0xE00000),))}, {}, {3: [0xE00028]}, 1 << 20) == []
    assert "its WAL begins it at 0/D000A8" in contradictions({2: histories[2]}, {}, {2: [0xD000A8]}, 1 << 20)[0]
    assert "tell different pasts" in contradictions(histories, {}, {}, 1 << 20)[0]
    assert "the archive has WAL of it from 0/A00000" in contradictions({2: histories[2]}, {2: 0xA00000}, {}, 1 << 20)[0]
