"""The standby could take over now: it has the newest writes, and what it needs to do the primary's work."""

import pytest

from opsproof import needs, runbook

pytestmark = [pytest.mark.dr, pytest.mark.monthly]


@needs("rehearsals.dr")
@runbook(
    "FAI-126",
    severity="SEV-1",
    next_step="Resume replay (SELECT pg_wal_replay_resume()), or rebuild the standby if it is none any more.",
)
async def test_the_standby_replays(standby_verification):
    """The standby is in recovery, and replay is not paused."""
    found = await standby_verification.the_standby_replays()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook(
    "FAI-126",
    severity="SEV-1",
    next_step="See the standby's log, its primary_conninfo and its password; rebuild it if its timeline has left.",
)
async def test_the_standby_streams(standby_verification):
    """The standby's WAL receiver is there, streams, and heard from its sender lately."""
    found = await standby_verification.the_standby_streams()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-126", severity="SEV-1", next_step="See whom the standby follows: pg_stat_wal_receiver.conninfo there.")
async def test_the_primary_sees_the_standby(standby_verification):
    """The server that the standby streams from sends to it, and had a reply lately."""
    found = await standby_verification.the_primary_sees_the_standby()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook(
    "FAI-117",
    severity="SEV-1",
    next_step="See the link and both logs; a sender that is frozen is ended by pg_terminate_backend on the primary.",
)
async def test_the_standby_replays_what_the_primary_wrote(standby_verification):
    """What the primary has written when we ask is replayed on the standby within the limit."""
    found = await standby_verification.the_standby_replays_what_the_primary_wrote()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook(
    "FAI-117",
    severity="SEV-1",
    next_step="See what the standby lacks; if the primary's newest heartbeat is as old, see what should write it.",
)
async def test_the_newest_writes_are_on_the_standby(standby_verification):
    """The newest heartbeat on the standby is no older than the RPO."""
    found = await standby_verification.the_newest_writes_are_on_the_standby()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-126", severity="SEV-1", next_step="Rebuild the standby from the primary (pg_basebackup, or pg_rewind).")
async def test_the_standby_is_a_copy_of_the_primary(standby_verification):
    """System identifier and timeline are the same, and it holds nothing that the primary never wrote."""
    found = await standby_verification.the_standby_is_a_copy_of_the_primary()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook(
    "FAI-126",
    severity="SEV-2",
    next_step="Make or drop the slot on the primary; a logical one needs failover = true and sync_replication_slots.",
)
async def test_the_slots_hold_what_the_standby_needs(standby_verification):
    """The slots are there, active and whole, and logical ones would outlive a promotion."""
    found = await standby_verification.the_slots_hold_what_the_standby_needs()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-126", severity="SEV-1", next_step="Raise the standby's limits to the primary's, and restart it.")
async def test_the_limits_of_the_standby_suffice(standby_verification):
    """Connections, workers, senders, slots, prepared transactions and locks are at least those of the primary."""
    found = await standby_verification.the_limits_of_the_standby_suffice()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-128", severity="SEV-2", next_step="Set them on the standby as on the primary, and restart or reload it.")
async def test_the_settings_of_both_agree(standby_verification):
    """What decides how statements behave and what is kept is the same on both."""
    found = await standby_verification.the_settings_of_both_agree()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-127", severity="SEV-2", next_step="Set recovery_min_apply_delay as agreed, or agree on what it is.")
async def test_the_standby_applies_at_once(standby_verification):
    """The standby's delay is what was agreed."""
    found = await standby_verification.the_standby_applies_at_once()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook(
    "FAI-117",
    severity="SEV-2",
    next_step="Switch wal_log_hints on (restart), or enable checksums (pg_checksums, offline), before the disaster.",
)
async def test_both_could_be_rewound(standby_verification):
    """pg_rewind would accept either server on the way back."""
    found = await standby_verification.both_could_be_rewound()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook(
    "FAI-126",
    severity="SEV-1",
    next_step="Take the missing name out of synchronous_standby_names and reload, or bring that standby back.",
)
async def test_no_commit_waits_for_a_standby_that_is_not_there(standby_verification):
    """Whoever synchronous_standby_names names is connected: now, and after a promotion of the standby."""
    found = await standby_verification.no_commit_waits_for_a_standby_that_is_not_there()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-125", severity="SEV-2", next_step="Give the standby the archive's command, as it is to be at its site.")
async def test_the_standby_would_archive(standby_verification):
    """The standby's archive is switched on, and its command does something."""
    found = await standby_verification.the_standby_would_archive()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-126", severity="SEV-1", next_step="Install the primary's packages on the standby's machine.")
async def test_the_extensions_are_installed_on_the_standby(standby_verification):
    """Every extension of the primary's database has its version there, and every library can be loaded."""
    found = await standby_verification.the_extensions_are_installed_on_the_standby()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-126", severity="SEV-1", next_step="Mount what is missing, or rebuild the standby with its tablespaces.")
async def test_the_tablespaces_are_on_the_standby(standby_verification):
    """Every tablespace leads to a folder on the standby."""
    found = await standby_verification.the_tablespaces_are_on_the_standby()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-126", severity="SEV-2", next_step="Mend the line; the standby would not start, or reload, with it.")
async def test_the_configuration_files_of_the_standby_can_be_read(standby_verification):
    """No line of postgresql.conf and pg_hba.conf is wrong, and no change waits for a restart."""
    found = await standby_verification.the_configuration_files_of_the_standby_can_be_read()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook(
    "FAI-126",
    severity="SEV-2",
    next_step="Bring both machines to one version of the library, or REINDEX after the promotion.",
)
async def test_the_collations_sort_as_on_the_primary(standby_verification):
    """The libraries that sort texts are of the version that the indexes were built with."""
    found = await standby_verification.the_collations_sort_as_on_the_primary()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-126", severity="SEV-1", next_step="Take the recovery target out of the standby's settings; restart it.")
async def test_nothing_ends_its_recovery_by_itself(standby_verification):
    """No recovery target is left in the standby's settings, and it follows its upstream to a new timeline."""
    found = await standby_verification.nothing_ends_its_recovery_by_itself()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook(
    "FAI-117",
    severity="SEV-2",
    next_step="ALTER TABLE ... SET LOGGED, or declare that the table may be empty after a promotion.",
)
async def test_no_table_is_left_behind(standby_verification):
    """No unlogged table holds what a promotion would throw away."""
    found = await standby_verification.no_table_is_left_behind()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-126", severity="SEV-1", next_step="Bring the primary's rules into the standby's pg_hba.conf, and reload.")
async def test_the_standby_lets_in_whom_the_primary_lets_in(standby_verification):
    """Every rule of the primary's pg_hba.conf is on the standby, addresses aside, and none rejects more."""
    found = await standby_verification.the_standby_lets_in_whom_the_primary_lets_in()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-126", severity="SEV-1", next_step="Rebuild the standby; see its disk and memory before.")
async def test_every_page_of_the_standby_can_be_read(standby_verification):
    """Every page of every table can be read on the standby."""
    found = await standby_verification.every_page_of_the_standby_can_be_read()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-126", severity="SEV-1", next_step="Rebuild the standby, and see by hand which of both is right.")
async def test_tables_at_rest_have_the_same_rows_on_both(standby_verification):
    """Rows of tables that nobody writes to meanwhile are the same on primary and standby."""
    found = await standby_verification.tables_at_rest_have_the_same_rows_on_both()
    assert not found, "; ".join(found)


@needs("rehearsals.dr")
@runbook("FAI-126", severity="SEV-1", next_step="Rebuild the standby; see its disk and memory before.")
async def test_no_page_of_the_standby_is_known_to_be_broken(standby_verification):
    """No page that was read on the standby failed its checksum."""
    found = await standby_verification.no_page_of_the_standby_is_known_to_be_broken()
    assert not found, "; ".join(found)
