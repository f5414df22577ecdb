"""The database answers with the service's own address and credential, takes writes, and has the release's schema."""

import pytest

from opsproof import Hopeless, proven_by, runbook

pytestmark = [pytest.mark.smoke, pytest.mark.recovery, pytest.mark.diagnosis]


@pytest.mark.hourly
@pytest.mark.dr
@runbook(
    "EVAL-005",
    "FAI-083",
    "OPS-025",
    "SB-073",
    "SB-089",
    "SB-153",
    severity="SEV-1",
    verifies="reach",
    next_step="Check endpoint and credential of DATABASE_URL, then the server itself.",
)
@proven_by("postgres-stopped", "postgres-frozen", "database-password-changed", "pool-exhausted")
async def test_the_database_answers(database):
    """The database accepts the service's credential and answers a query."""
    assert await database.value("SELECT 1") == 1


@pytest.mark.hourly
@pytest.mark.dr
@runbook(
    "EVAL-005",
    "OPS-025",
    "SB-073",
    severity="SEV-2",
    next_step="Point DATABASE_URL at the primary, or promote the standby; if read-only was set, see why and reset it.",
)
@proven_by("database-read-only")
async def test_the_database_takes_writes(database):
    """The database is no standby, and a transaction there is read-write unless somebody asks otherwise."""
    # Nothing is written. A default of the role that asks is its own and says nothing about the service's.
    (found,) = await database.rows("""
        SELECT pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') = 'on' AND NOT EXISTS (
            SELECT FROM pg_db_role_setting JOIN pg_roles ON pg_roles.oid = setrole, unnest(setconfig) AS setting
            WHERE rolname = session_user AND setting LIKE 'default_transaction_read_only=%'
        ) AS read_only
    """)

    assert not found["standby"], "the database is a standby (pg_is_in_recovery() is true): it refuses every write"
    assert not found["read_only"], "default_transaction_read_only is on: the database refuses every write"


@pytest.mark.release
@runbook(
    "EVAL-007",
    "EVAL-008",
    "FAI-072",
    severity="SEV-1",
    next_step="Run the release's migrations (`alembic upgrade head`), or roll back to the release of this schema.",
)
@proven_by("migration-behind", "migration-unknown", "migration-table-missing")
async def test_migrations_are_at_head(database, migrations):
    """The revisions that the database is at are exactly the head revisions of the release's scripts."""
    # `alembic current` of the runbook exits 0 when the database is behind, or empty: current and heads are compared.
    begun = await database.value("SELECT to_regclass('alembic_version') IS NOT NULL")
    rows = await database.rows("SELECT version_num FROM alembic_version") if begun else []
    at = {row["version_num"] for row in rows}
    heads = set(await migrations.heads())

    if unknown := sorted([revision for revision in at if not await migrations.knows(revision)]):
        raise Hopeless(f"the database is at {', '.join(unknown)}, which the release's scripts do not know")
    pending = [] if at == heads else await migrations.pending(at)
    assert at == heads, (
        f"the database is at {', '.join(sorted(at)) or 'no revision'}, head is {', '.join(sorted(heads))};"
        f" not applied: {', '.join(pending) or 'unknown'}"
    )
