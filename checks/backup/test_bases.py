"""Base backups: each is whole, is what was stored, and would recover as the cluster that it is of."""

import pytest

from opsproof import needs, runbook

pytestmark = [pytest.mark.dr, pytest.mark.monthly]


@runbook(
    "FAI-123", severity="SEV-1", next_step="See why none was taken: the job's last run and its log; take one by hand."
)
@needs("backups.bases")
async def test_a_base_backup_is_fresh(stored):
    """The newest base backup is no older than the limit, and neither is its newest heartbeat."""
    found = await stored.a_base_backup_is_fresh()

    assert not found, "; ".join(found)


@runbook(
    "FAI-124",
    severity="SEV-1",
    next_step="Do not restore what is listed; take a new base backup, and see what the storage says of its disks.",
)
@needs("backups.bases")
async def test_every_base_backup_is_whole(stored):
    """pg_verifybackup finds every file, its checksum and its WAL; and none is such as no server could have."""
    found = await stored.every_base_backup_is_whole()

    assert not found, "; ".join(found)


@runbook(
    "FAI-124",
    severity="SEV-1",
    next_step="Do not restore what is listed. See who could write to the store; compare with another copy.",
)
@needs("backups.bases")
async def test_every_base_backup_is_what_was_stored(stored):
    """SHA-256 of every file equals what was noted, also of those that pg_verifybackup leaves out."""
    found = await stored.every_base_backup_is_what_was_stored()

    assert not found, "; ".join(found)


@runbook(
    "FAI-123",
    severity="SEV-2",
    next_step="See who removed it: retention must remove the note together with the backup.",
)
@needs("backups.bases")
async def test_no_base_backup_of_the_catalogue_is_gone(stored):
    """Every base backup that the catalogue knows is there."""
    found = await stored.no_base_backup_of_the_catalogue_is_gone()

    assert not found, "; ".join(found)


@runbook(
    "FAI-124",
    severity="SEV-1",
    next_step="Never start a server from what is listed: without its backup_label it would lose data and say nothing.",
)
@needs("backups.bases")
async def test_every_base_backup_says_where_it_begins(stored):
    """backup_label is there, and agrees with manifest, catalogue and control file."""
    found = await stored.every_base_backup_says_where_it_begins()

    assert not found, "; ".join(found)


@runbook(
    "FAI-124",
    severity="SEV-1",
    next_step="Remove the signal files and settings from a restored copy before it is started, and see who put them "
    "there.",
)
@needs("backups.bases")
async def test_no_base_backup_brings_orders_along(stored):
    """No signal file, foreign command or recovery target lies in a base backup."""
    found = await stored.no_base_backup_brings_orders_along()

    assert not found, "; ".join(found)


@runbook(
    "FAI-124",
    severity="SEV-1",
    next_step="See which server the job backs up: the system identifiers tell (pg_controldata).",
)
@needs("backups.bases")
async def test_every_base_backup_is_of_this_cluster(stored):
    """Every base backup is of the same cluster and version, by all that tells it."""
    found = await stored.every_base_backup_is_of_this_cluster()

    assert not found, "; ".join(found)


@runbook(
    "FAI-124",
    severity="SEV-1",
    next_step="With damaged pages: see the server's disks, and restore these tables from an older backup. With "
    "checksums off: pg_checksums -e at the next stop.",
)
@needs("backups.bases")
async def test_page_checksums_are_on_and_hold(stored):
    """Data checksums are on, and hold for every page."""
    found = await stored.page_checksums_are_on_and_hold()

    assert not found, "; ".join(found)


@runbook("FAI-124", severity="SEV-2", next_step="Take a new base backup in plain form with all its tablespaces.")
@needs("backups.bases")
async def test_every_base_backup_is_self_contained(stored):
    """No link leads out of a base backup, and every tablespace is in it."""
    found = await stored.every_base_backup_is_self_contained()

    assert not found, "; ".join(found)


@runbook("FAI-124", severity="SEV-3", next_step="chmod -R go-rwx on the folder; it holds the hashes of all passwords.")
@needs("backups.bases")
async def test_no_base_backup_is_open_to_others(stored):
    """Nobody else may enter the folder of a base backup."""
    found = await stored.no_base_backup_is_open_to_others()

    assert not found, "; ".join(found)


@runbook(
    "FAI-124",
    severity="SEV-1",
    next_step="Take a new full base backup: an increment without its chain restores nothing.",
)
@needs("backups.bases")
async def test_the_chain_of_increments_is_whole(stored):
    """Every increment has the backups that it builds on, and they can be combined."""
    found = await stored.the_chain_of_increments_is_whole()

    assert not found, "; ".join(found)


@runbook(
    "FAI-123", severity="SEV-2", next_step="Stop the removal of old base backups until so many whole ones are there."
)
@needs("backups.bases")
async def test_enough_whole_base_backups_are_kept(stored):
    """So many whole base backups are there as the profile wants."""
    found = await stored.enough_whole_base_backups_are_kept()

    assert not found, "; ".join(found)


@runbook(
    "FAI-123",
    severity="SEV-2",
    next_step="See the clock of the machine that takes them, and who renamed folders in the store.",
)
@needs("backups.bases")
async def test_every_base_backup_is_named_by_its_time(stored):
    """Names, labels, file times and catalogue tell the same time."""
    found = await stored.every_base_backup_is_named_by_its_time()

    assert not found, "; ".join(found)
