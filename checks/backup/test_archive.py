"""The WAL archive: a recovery from it comes to the newest commit, and the archiver does what it says."""

import pytest

from opsproof import needs, runbook

pytestmark = [pytest.mark.dr, pytest.mark.monthly]


@runbook("FAI-125", "FAI-118", severity="SEV-2", next_step="Remove it, or move it elsewhere; see who puts it there.")
@needs("backups.wal")
async def test_every_object_of_the_archive_has_a_known_name(archive):
    """Nothing is in the archive but segments of full size and history files, each a copy and no hard link."""
    found = await archive.every_object_of_the_archive_has_a_known_name()

    assert not found, "; ".join(found)


@runbook(
    "FAI-125",
    "FAI-118",
    severity="SEV-1",
    next_step="Fetch the right segment from a standby's or the server's pg_wal; else take a base backup now.",
)
@needs("backups.wal")
async def test_every_segment_belongs_where_it_is(archive):
    """The head of each segment agrees with its name, and with the cluster that the backups are of."""
    found = await archive.every_segment_belongs_where_it_is()

    assert not found, "; ".join(found)


@runbook(
    "FAI-125",
    "FAI-118",
    severity="SEV-1",
    next_step="Fetch what is missing from a standby's or the server's pg_wal; else take a base backup now.",
)
@needs("backups.wal", "backups.bases")
async def test_the_archive_has_no_gap(archive):
    """From the start of every base backup to the newest segment nothing is missing, over all timelines."""
    found = await archive.the_archive_has_no_gap()

    assert not found, "; ".join(found)


@runbook(
    "FAI-125",
    "FAI-118",
    severity="SEV-1",
    next_step="Fetch the segment from a standby's or the server's pg_wal; else take a base backup now.",
)
@needs("backups.wal", "backups.bases")
async def test_every_record_of_the_archive_can_be_read(archive):
    """pg_waldump reads all that a recovery replays, record by record, with every checksum."""
    found = await archive.every_record_of_the_archive_can_be_read()

    assert not found, "; ".join(found)


@runbook("FAI-125", "FAI-118", severity="SEV-1", next_step="See who writes there; take a base backup now.")
@needs("backups.wal.hashes", "backups.bases")
async def test_every_segment_is_what_was_archived(archive):
    """SHA-256 of each segment equals what was noted when it was archived, and none that was noted is gone."""
    found = await archive.every_segment_is_what_was_archived()

    assert not found, "; ".join(found)


@runbook(
    "FAI-125",
    "FAI-118",
    severity="SEV-1",
    next_step="Move what no promotion explains out of the archive; name known ones in backups.wal.timelines.",
)
@needs("backups.wal", "backups.bases")
async def test_every_timeline_is_explained(archive):
    """Every history file can be read, agrees with the WAL, and comes of a promotion that is known."""
    found = await archive.every_timeline_is_explained()

    assert not found, "; ".join(found)


@runbook("FAI-125", "FAI-118", severity="SEV-2", next_step="See who removed or changed it; take a base backup.")
@needs("backups.wal", "backups.bases")
async def test_every_base_backup_has_its_history_file(archive):
    """The archive's backup history file of each base backup says the same as the backup."""
    found = await archive.every_base_backup_has_its_history_file()

    assert not found, "; ".join(found)


@runbook(
    "FAI-125", "FAI-118", severity="SEV-1", next_step="Take a base backup now: none before can be recovered past it."
)
@needs("backups.wal", "backups.bases")
async def test_no_wal_was_made_at_the_minimal_level(archive):
    """Nowhere on the way of a recovery was wal_level minimal."""
    found = await archive.no_wal_was_made_at_the_minimal_level()

    assert not found, "; ".join(found)


@runbook("FAI-125", "FAI-118", severity="SEV-1", next_step="Mend the settings that it names, and reload or restart.")
@needs("backups.wal")
async def test_the_archiver_is_set_up(archive):
    """archive_mode, archive_command and wal_level are such that WAL can come into the archive, in time."""
    found = await archive.the_archiver_is_set_up()

    assert not found, "; ".join(found)


@runbook(
    "FAI-125",
    "FAI-118",
    severity="SEV-1",
    next_step="Read the server's log for the archiver's error, mend it, and watch the .ready files go.",
)
@needs("backups.wal")
async def test_no_wal_waits_for_the_archiver(archive):
    """The archiver keeps up: few .ready files, no failure since its last success, the archive near the server."""
    found = await archive.no_wal_waits_for_the_archiver()

    assert not found, "; ".join(found)


@runbook(
    "FAI-125",
    "FAI-118",
    severity="SEV-1",
    next_step="Let archive_command fail when it fails; copy what pg_wal still has; take a base backup now.",
)
@needs("backups.wal", "backups.bases")
async def test_what_was_archived_is_in_the_archive(archive):
    """What the server holds for archived is there, and is what the server wrote."""
    found = await archive.what_was_archived_is_in_the_archive()

    assert not found, "; ".join(found)


@pytest.mark.hourly
@runbook("FAI-125", severity="SEV-1", next_step="See why the newest segments do not come; pg_switch_wal() closes one.")
@needs("backups.wal", "backups.bases")
async def test_the_newest_commit_is_in_the_archive(archive):
    """No commit of the server is older than the limit and not yet in the archive; a quiet server is not stale."""
    found = await archive.the_newest_commit_is_in_the_archive()

    assert not found, "; ".join(found)


@runbook("FAI-118", severity="SEV-2", next_step="Keep base backups, and WAL from the oldest on, for the whole stretch.")
@needs("backups.wal.reach", "backups.bases")
async def test_every_moment_can_be_recovered(archive):
    """From the oldest base backup that is old enough, WAL is unbroken and can be read."""
    found = await archive.every_moment_can_be_recovered()

    assert not found, "; ".join(found)


@runbook(
    "FAI-125", severity="SEV-1", next_step="Choose a target that it does not object to, before anything is restored."
)
@needs("backups.wal", "backups.bases")
async def test_a_point_in_time_can_be_recovered(archive):
    """There is a target behind a backup's end and before the last commit, with a marker on each side."""
    found = await archive.a_point_in_time_can_be_recovered()

    assert not found, "; ".join(found)
