"""Every damage to an archive turns the checks red that are to catch it, and a sound archive none."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from opsproof.rehearsal.archive import commits
from opsproof.rehearsal.damage.archive import AREA, DETECTORS
from opsproof.rehearsal.damage.archive.lab import verification

WORDS = {
    "archive-mode-off-at-the-next-start": "another one in the server's files",
    "segment-missing": "missing, or not whole: 0000",
    "segment-corrupt": "checksum",
    "segment-cut-off": "bytes, a segment has",
    "segment-longer": "1049088 bytes",
    "segment-empty": "is empty",
    "segment-ends-in-zeros": "cannot be read on",
    "segment-with-a-hole": "zeros from byte 16384 to 24576",
    "byte-behind-the-switch": "other bytes behind them",
    "segment-under-another-name": "holds what belongs into",
    "segments-swapped": "holds what belongs into",
    "segment-of-another-cluster": "is of cluster",
    "segment-of-a-history-given-up": "cannot be read on",
    "partial-in-place-of-a-segment": "missing, or not whole: 0000",
    "newest-segments-gone": "was archived last, and it is not in the archive",
    "archive-gone": "no WAL in the archive",
    "wal-expired-below-the-base": "(2 segments)",
    "old-base-expired": "required are 1d",
    "half-copied-file": ".tmp is nothing that PostgreSQL archives",
    "name-twice": "is there 2 times",
    "history-gone": "leads nowhere",
    "history-edited": "its WAL begins it at",
    "history-garbage": "cannot be read",
    "history-of-the-future": "timeline 7 is in the archive",
    "archive-polluted-by-a-rehearsal": "a restore follows it by default",
    "two-primaries": "is not what the server wrote",
    "minimal-in-between": "wal_level=minimal",
    "backup-history-gone": "of base backup",
    "backup-history-edited": "name different starts",
    "archive-by-link": "has 2 names",
    "archive-command-drops": "'/bin/true'",
    "archive-script-drops": "was archived last, and it is not in the archive",
    "archive-failure-hidden": "|| true",
    "archive-command-fails": "archiving fails",
    "archive-program-missing": "files wait for the archiver",
    "archive-command-empty": "are empty",
    "archive-full": "archiving fails",
    "archive-mode-off": "archive_mode is off",
    "archive-timeout-off": "archive_timeout is 0",
    "commit-waits-too-long": "commits of the last",
    "archive-elsewhere": "bytes are not in it",
    "target-behind-the-last-commit": "nothing ends it",
    "target-before-the-backup": "no base backup ended before",
    "two-targets": "exactly one",
    "target-without-an-offset": "no offset",
    "target-with-a-zone-name": "no offset",
    "target-in-the-wrong-zone": "nothing ends it",
    "target-in-the-other-wrong-zone": "is to be there",
    "target-stays-paused": "means pause",
    "target-on-an-unknown-timeline": "timeline 9",
    "target-transaction-unknown": "nobody looked",
}


def detected(lab):
    return {name: said for name, said in asyncio.run(AREA.detect(lab)).items() if said}


def test_a_sound_archive_turns_nothing_red(grounds):
    """Two timelines, two base backups, a server that archives."""
    with AREA.lab(grounds) as lab:
        assert detected(lab) == {}


def test_an_idle_primary_is_not_stale(grounds):
    """B14: an hour without a write is no hour of lost writes, though last_archived_time is an hour old."""
    with AREA.lab(grounds) as lab:
        lab.later = timedelta(hours=1)

        assert detected(lab) == {}


@pytest.mark.parametrize("dated", [False, True], ids=["without-times", "by-commit-timestamps"])
def test_without_a_heartbeat_transactions_tell_what_is_missing(dated, grounds):
    """An idle server stays green; one that wrote an hour ago, and did not archive it, does not."""
    with AREA.lab(grounds) as lab:
        lab.server.sql("ALTER TABLE opsproof_heartbeat RENAME TO elsewhere")
        if dated:
            lab.server.stop()
            lab.server.start({"track_commit_timestamp": "on"})
        lab.server.sql("INSERT INTO filler VALUES ('the last one in the archive')")
        lab.server.sql("SELECT pg_switch_wal()")
        lab.archived()
        assert asyncio.run(verification(lab).the_newest_commit_is_in_the_archive()) == []

        lab.later = timedelta(hours=1)
        assert asyncio.run(verification(lab).the_newest_commit_is_in_the_archive()) == []

        lab.server.sql("INSERT INTO filler VALUES ('one that is not in it')")
        said = asyncio.run(verification(lab).the_newest_commit_is_in_the_archive())
        assert "commits of the last" in said[0]
        assert ("its commit timestamp" if dated else "the server ended 1 transactions since") in said[0]


def test_every_detector_catches_some_damage():
    """A check that no damage turns red is a decoration."""
    assert {name for damage in AREA.damages for name in damage.caught_by} == {f"backup.{name}" for name in DETECTORS}
    assert {damage.name for damage in AREA.damages} == set(WORDS)


@pytest.mark.parametrize("damage", AREA.damages, ids=lambda damage: damage.name)
def test_a_damage_turns_its_checks_red(damage, grounds):
    """Each for its own reason, whatever the usual check says."""
    with AREA.lab(grounds) as lab:
        damage.inject(lab)
        usual = damage.usual(lab)
        found = detected(lab)

    assert usual
    assert set(damage.caught_by) <= set(found)
    assert WORDS[damage.name] in "; ".join(line for name in damage.caught_by for line in found[name])


def test_commits_are_those_that_the_server_made(grounds):
    """Their transactions, times and order, from the segments alone."""
    with AREA.lab(grounds) as lab:
        rows = dict(lab.server.sql("SELECT xmin::text::bigint, at FROM opsproof_heartbeat ORDER BY id DESC LIMIT 4"))
        lab.grounds.programs.own(lab.archive)
        found = list(commits(lab.grounds.programs, lab.archive, "0/E00000", "0/1500000", timeline=2))

        assert rows.keys() <= {one.xid for one in found}
        assert all(abs(one.at - rows[one.xid]) < timedelta(minutes=1) for one in found if one.xid in rows)
        assert [one.at for one in found] == sorted(one.at for one in found)
        assert all(one.at.tzinfo and one.at <= datetime.now(UTC) for one in found)


def test_commits_of_a_live_server_end_where_its_wal_ends(grounds):
    """The end of pg_wal is in the middle of a segment; that is no damage."""
    with AREA.lab(grounds) as lab:
        start = lab.server.sql("SELECT pg_current_wal_lsn()::text")[0][0]
        lab.server.sql("INSERT INTO filler VALUES ('one more')")

        found = list(commits(lab.grounds.programs, lab.server.data / "pg_wal", start, timeline=2))

        assert len(found) == 1
