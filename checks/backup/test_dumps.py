"""Dumps: each is whole, is what was stored, is of its time, and worth restoring."""

import pytest

from opsproof import needs, runbook

pytestmark = [pytest.mark.dr, pytest.mark.monthly]


@runbook(
    "FAI-024",
    "FAI-123",
    "SB-049",
    "SB-132",
    severity="SEV-1",
    next_step="See why no dump was made: the job's last run and its log; then make one by hand and run this again.",
)
@needs("backups.dumps")
async def test_a_dump_is_fresh(stored):
    """The newest dump is no older than the limit, by its name, its file and the catalogue."""
    found = await stored.a_dump_is_fresh()

    assert not found, "; ".join(found)


@runbook(
    "FAI-123",
    "SB-132",
    severity="SEV-1",
    next_step="See which server the job dumps: a copy that is behind, or an old file under a new name. Make a dump "
    "of the primary.",
)
@needs("backups.dumps")
async def test_the_newest_dump_holds_fresh_rows(stored):
    """The newest heartbeat in the newest dump is no older than the limit."""
    found = await stored.the_newest_dump_holds_fresh_rows()

    assert not found, "; ".join(found)


@runbook(
    "FAI-124",
    severity="SEV-2",
    next_step="Do not restore what is listed by its name: look up by its heartbeat which day it is of, and who "
    "could write to the store.",
)
@needs("backups.dumps")
async def test_every_dump_holds_the_rows_of_its_time(stored):
    """The newest heartbeat in each dump fits its name, the catalogue, and the dump before it."""
    found = await stored.every_dump_holds_the_rows_of_its_time()

    assert not found, "; ".join(found)


@runbook(
    "FAI-123",
    "SB-049",
    severity="SEV-2",
    next_step="Restore from the dated dump, not from the latest; repair the job that copies it.",
)
@needs("backups.dumps.latest")
async def test_latest_is_the_newest_dump(stored):
    """The latest dump is the newest one, byte by byte."""
    found = await stored.latest_is_the_newest_dump()

    assert not found, "; ".join(found)


@runbook(
    "FAI-124",
    severity="SEV-1",
    next_step="Do not restore what is listed. Compare with another copy; see who could write to the store, and note "
    "hashes when dumps are made.",
)
@needs("backups.dumps")
async def test_every_dump_is_what_was_stored(stored):
    """SHA-256 and size of each dump equal what was noted when it was made."""
    found = await stored.every_dump_is_what_was_stored()

    assert not found, "; ".join(found)


@runbook(
    "FAI-024",
    "SB-132",
    severity="SEV-2",
    next_step="See who removed it: retention must remove the note together with the dump.",
)
@needs("backups.dumps")
async def test_no_dump_of_the_catalogue_is_gone(stored):
    """Every dump that the catalogue knows is there."""
    found = await stored.no_dump_of_the_catalogue_is_gone()

    assert not found, "; ".join(found)


@runbook(
    "FAI-024",
    "FAI-025",
    "SB-133",
    severity="SEV-1",
    next_step="Make a new dump with `set -o pipefail`, and look into the job's log for what ended the old one.",
)
@needs("backups.dumps")
async def test_every_dump_reads_to_its_end(stored):
    """Every dump can be read to its last byte by what would restore it."""
    found = await stored.every_dump_reads_to_its_end()

    assert not found, "; ".join(found)


@runbook(
    "FAI-025",
    "SB-133",
    severity="SEV-1",
    next_step="See the options of pg_dump in the job, and whether the database itself has lost rows, before older "
    "dumps are removed.",
)
@needs("backups.dumps")
async def test_every_table_is_in_its_dump(stored):
    """Every table is in each dump, with the rows that were noted and the least that is expected."""
    found = await stored.every_table_is_in_its_dump()

    assert not found, "; ".join(found)


@runbook(
    "FAI-025",
    "SB-133",
    severity="SEV-1",
    next_step="See the options of pg_dump in the job (--data-only, --section): rows alone restore nothing.",
)
@needs("backups.dumps")
async def test_every_dump_defines_what_it_holds(stored):
    """Tables, keys, owners and all else are defined in each dump, as in the one before."""
    found = await stored.every_dump_defines_what_it_holds()

    assert not found, "; ".join(found)


@runbook(
    "FAI-024",
    "SB-049",
    "SB-132",
    severity="SEV-1",
    next_step="See the job's log; compare the tables of the newest dump with those of the one before.",
)
@needs("backups.dumps")
async def test_no_dump_is_too_small(stored):
    """No dump is below the least size, and the newest has not shrunk."""
    found = await stored.no_dump_is_too_small()

    assert not found, "; ".join(found)


@runbook(
    "FAI-024", "SB-132", severity="SEV-2", next_step="Stop the removal of old dumps until so many whole ones are there."
)
@needs("backups.dumps")
async def test_enough_whole_dumps_are_kept(stored):
    """So many whole dumps are there as the profile wants."""
    found = await stored.enough_whole_dumps_are_kept()

    assert not found, "; ".join(found)


@runbook(
    "SB-143",
    severity="SEV-2",
    next_step="Run the job with a pg_dump that is no older than its server, and install tools here that are no "
    "older than that.",
)
@needs("backups.dumps")
async def test_every_dump_is_of_a_fitting_version(stored):
    """Server, pg_dump and the tools here fit each other, so that each dump can be restored."""
    found = await stored.every_dump_is_of_a_fitting_version()

    assert not found, "; ".join(found)


@runbook(
    "FAI-024",
    "SB-132",
    severity="SEV-2",
    next_step="See the clock of the machine that makes them, and who copied or renamed files in the store.",
)
@needs("backups.dumps")
async def test_every_dump_is_named_by_its_time(stored):
    """Names, file times and catalogue tell the same time."""
    found = await stored.every_dump_is_named_by_its_time()

    assert not found, "; ".join(found)


@runbook("FAI-124", severity="SEV-2", next_step="See why the job stored an old file once more; make a new dump.")
@needs("backups.dumps")
async def test_no_two_dumps_are_the_same(stored):
    """No dump is the copy of another."""
    found = await stored.no_two_dumps_are_the_same()

    assert not found, "; ".join(found)


@runbook("FAI-124", severity="SEV-1", next_step="See the address that the job dumps from: it may be staging's.")
@needs("backups.dumps")
async def test_all_dumps_are_of_one_database(stored):
    """All dumps are of the same database and cluster."""
    found = await stored.all_dumps_are_of_one_database()

    assert not found, "; ".join(found)
