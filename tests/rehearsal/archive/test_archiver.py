"""What a server says of its archiving is not taken at its word."""

import pytest

from opsproof.rehearsal.archive.archiver import objections

SOUND = {
    "archive_mode": "on",
    "archive_command": "test ! -f /archive/%f && cp %p /archive/%f",
    "archive_library": "",
    "archive_timeout": "60",
    "wal_level": "replica",
}


@pytest.mark.parametrize(
    "command",
    [
        "cp %p /archive/%f",
        "pgbackrest --stanza=main archive-push %p",
        "/usr/bin/envdir /etc/wal-e.d/env wal-g wal-push %p",
        "test ! -f /archive/%f && cp %p /archive/%f && sync /archive/%f",
        "aws s3 cp %p s3://bucket/wal/%f >/dev/null",
        "cp %p /archive/%f 2>/dev/null",
        "/srv/true/archive.sh %p %f",
    ],
)
def test_an_honest_archive_command_is_let_through(command):
    """These are in use, and fail when they fail."""
    assert objections({**SOUND, "archive_command": command}, 900, True) == []


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        pytest.param({"archive_mode": "off"}, "archive_mode is off", id="off"),
        pytest.param({"archive_command": ""}, "are empty", id="empty"),
        pytest.param({"archive_command": "/bin/true"}, "exit status says nothing", id="true"),
        pytest.param({"archive_command": ":"}, "exit status says nothing", id="colon"),
        pytest.param({"archive_command": "/bin/false %p"}, "exit status says nothing", id="false"),
        pytest.param({"archive_command": "cp %p /a/%f || true"}, "exit status says nothing", id="or-true"),
        pytest.param({"archive_command": "cp %p /a/%f; exit 0"}, "exit status says nothing", id="exit-0"),
        pytest.param({"archive_command": "cp %p /dev/null"}, "exit status says nothing", id="to-null"),
        pytest.param({"archive_command": "/usr/local/bin/archive %f"}, "without %p", id="without-the-segment"),
        pytest.param({"archive_timeout": "0"}, "archive_timeout is 0", id="no-timeout"),
        pytest.param({"archive_timeout": "3600"}, "archive_timeout is 3600 s", id="long-timeout"),
        pytest.param({"wal_level": "minimal"}, "wal_level is minimal", id="minimal"),
    ],
)
def test_a_setting_that_loses_wal_is_named(changed, word):
    """All of these leave archive_mode, pg_stat_archiver or both in order."""
    assert word in "; ".join(objections({**SOUND, **changed}, 900, None))


def test_a_program_that_is_not_there_is_named():
    """pg_stat_archiver counts no failure for exit status 127."""
    settings = {**SOUND, "archive_command": "/nonexistent/archive %p"}

    assert "/nonexistent/archive, which is not on the server" in objections(settings, 900, False)[0]
    assert objections(settings, 900, None) == []


def test_a_library_in_place_of_a_command_is_enough():
    """archive_library takes the command's place from PostgreSQL 15 on."""
    assert objections({**SOUND, "archive_command": "", "archive_library": "basic_archive"}, 900, None) == []
