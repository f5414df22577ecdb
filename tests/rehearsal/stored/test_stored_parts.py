"""The small parts: names, settings, labels, headers, the catalogue."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from opsproof.probes.backup import Objects
from opsproof.profile.targets import StoreTarget
from opsproof.rehearsal.damage.stored import bases, dumps, plain
from opsproof.rehearsal.damage.stored.lab import BASE_CHECKS, DUMP_CHECKS
from opsproof.rehearsal.stored import BaseVerification, DumpVerification
from opsproof.rehearsal.stored.catalogue import read_catalogue
from opsproof.rehearsal.stored.header import header
from opsproof.rehearsal.stored.label import lsn, read_label
from opsproof.rehearsal.stored.names import named
from opsproof.rehearsal.stored.settings import commands_in

LABEL = """\
START WAL LOCATION: 0/900028 (file 000000010000000000000009)
CHECKPOINT LOCATION: 0/900080
BACKUP METHOD: streamed
BACKUP FROM: primary
START TIME: 2026-11-21 18:05:26 UTC
LABEL: pg_basebackup base backup
START TIMELINE: 1
"""


def test_a_name_with_a_zone_is_exact():
    """Five minutes are for the clocks."""
    found = named("postgres/daily/20261121T020000Z.dump.gz")

    assert found is not None
    assert found.latest - found.earliest == timedelta(minutes=10)
    assert found.earliest < datetime(2026, 11, 21, 2, tzinfo=UTC) < found.latest


def test_a_name_with_a_day_alone_leaves_the_zone_open():
    """storebridge-20251015.sql.gz is written at 02:00 of a zone that nobody noted."""
    found = named("storebridge-20251015.sql.gz")

    assert found is not None
    assert found.earliest == datetime(2025, 10, 14, 10, tzinfo=UTC)
    assert found.latest == datetime(2025, 10, 16, 14, tzinfo=UTC)


@pytest.mark.parametrize("name", ["latest.dump.gz", "20261341.dump", "backup-1.sql", "1234567890123.dump"])
def test_what_names_no_time_says_so(name):
    """A time that was guessed would let an old dump pass for a new one."""
    assert named(name) is None


def test_commands_are_named_where_nothing_confirms_the_file():
    """The values may hold credentials and are left out."""
    text = "archive_command = 'curl secret'\nport=5432\n#restore_command = 'x'\narchive_library = ''\n"

    assert commands_in(text, confirmed=True) == []
    (found,) = commands_in(text, confirmed=False)
    assert "archive_command" in found
    assert "secret" not in found


def test_a_recovery_target_is_named_always():
    """It would end the recovery of the day of the disaster there."""
    assert commands_in("recovery_target_lsn '0/1'", confirmed=True)
    assert not commands_in("recovery_target_timeline = 'latest'", confirmed=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(LABEL.replace("CHECKPOINT", "CHECK"), "does not say CHECKPOINT", id="line-changed"),
        pytest.param(LABEL[:80], "does not say", id="cut"),
        pytest.param(LABEL + "curl evil\n", "do not belong", id="line-more"),
        pytest.param(LABEL.replace("TIMELINE: 1", "TIMELINE: 2"), "timeline 2", id="timeline"),
        pytest.param(LABEL.replace("0/900028", "nowhere"), "cannot be parsed", id="lsn"),
    ],
)
def test_a_label_that_cannot_be_relied_on_says_why(text, words, tmp_path):
    """A server would start from the wrong place."""
    path = tmp_path / "backup_label"
    path.write_text(text)

    label, problem = read_label(path)

    assert label is None
    assert words in problem


def test_a_label_is_read(tmp_path):
    """The sound one of PostgreSQL 18."""
    path = tmp_path / "backup_label"
    path.write_text(LABEL)

    label, problem = read_label(path)

    assert problem == ""
    assert label is not None
    assert (lsn(label.start), label.timeline, label.parent) == (0x900028, 1, "")


@pytest.mark.parametrize(
    "start", [b"", bytes(100), b"Salted__abc", b"PGDMP\x01\x10\x00\x04\x08\x01", b"--\n-- Postgre"]
)
def test_what_is_no_custom_dump_says_what_it_is(start):
    """An operator wants to know what was stored in its place."""
    with pytest.raises(ValueError, match=r"empty|zeros|encrypted|damaged|plain"):
        header(start)


def test_the_catalogue_is_read_and_what_is_wrong_in_it_is_told(tmp_path):
    """An entry that cannot be read proves nothing, and must not hide the others."""
    good = {"name": "d/1.dump", "sha256": "a" * 64, "started": "2026-11-21T02:00:00Z"}
    (tmp_path / "d").mkdir()
    (tmp_path / "d/1.dump.json").write_text(json.dumps(good))
    (tmp_path / "d/2.dump.json").write_text(json.dumps(good))
    (tmp_path / "d/3.dump.json").write_text(json.dumps(good | {"name": "d/3.dump", "started": "2026-11-21T02:00:00"}))
    (tmp_path / "d/4.dump.json").write_text("{")
    (tmp_path / "d/5.dump.sha256").write_text(f"{'b' * 64}  5.dump\n")
    (tmp_path / "d/6.dump.sha256").write_text("nothing")

    found = read_catalogue(Objects(StoreTarget(kind="store", url=f"local://{tmp_path}")), "d/")

    assert found.entries["d/1.dump"].sha256 == "a" * 64
    assert found.entries["d/5.dump"].sha256 == "b" * 64
    assert set(found.problems) == {"d/2.dump", "d/3.dump", "d/4.dump", "d/6.dump"}


def test_every_check_is_asked_and_is_known_to_catch_something():
    """A check that no fault turns red is a decoration; a detector that no check asks is none."""
    for kind, names in ((DumpVerification, DUMP_CHECKS), (BaseVerification, BASE_CHECKS)):
        assert {name for name in vars(kind) if not name.startswith("_")} == set(names)
    caught = {name for area in (dumps.AREA, plain.AREA, bases.AREA) for one in area.damages for name in one.caught_by}
    assert caught == {f"backup.{name}" for name in (*DUMP_CHECKS, *BASE_CHECKS)}
