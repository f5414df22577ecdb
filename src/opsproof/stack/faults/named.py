"""The named faults of processes, cache, database and settings: one entry each."""

import secrets
from typing import LiteralString

from opsproof.stack.credentials import token_variables
from opsproof.stack.faults import database
from opsproof.stack.faults.cache import MemoryFull, PasswordRequired, Replica
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.migrations import MigrationBehind
from opsproof.stack.faults.processes import PartFrozen, PartStopped
from opsproof.stack.faults.read_only import ReadOnly
from opsproof.stack.faults.seen import component_is_unhealthy
from opsproof.stack.faults.settings import CallersChanged, Settings, SettingsChanged
from opsproof.stack.parts.service import CACHE_DATABASE, CORE_PATH

INGEST = frozenset({"ingest"})
EVALUATION = frozenset({"evaluation"})
EVERY = frozenset(CACHE_DATABASE)
"""The faults of what all systems share."""
WORKED = frozenset({"evaluation", "storebridge"})
"""The systems with a worker."""
WORKERS = tuple(f"{system}-worker" for system in sorted(WORKED))
APIS = tuple(f"{system}-api" for system in CACHE_DATABASE)
WRONG_VERSION = "0.0.0-wrong"
_TABLES: dict[str, LiteralString] = {
    "ingest": "items",
    "evaluation": "jobs",
    "storebridge": "products",
    "factory-ai": "workflow_instances",
    "ops-assistant": "app_settings",
}
"""The table of each system that its health asks."""

_TOO_SHORT_BYTES = 31
_NO_WORKER = component_is_unhealthy("background_tasks")  # seen once the worker's last report has expired


def tokens_with_the_new_secret(system: str, settings: Settings) -> dict[str, str]:
    """Callers get tokens that the changed service accepts, so that only the secret's length is wrong."""
    return token_variables(system, settings["JWT_SECRET"] or "")


def expired_tokens(system: str, jwt_secret: str) -> dict[str, str]:
    """Callers have tokens that expired an hour ago."""
    return token_variables(system, jwt_secret, seconds=-3600)


PROCESSES: tuple[Fault, ...] = (
    PartStopped("redis-stopped", "Valkey has ended; connections are refused", EVERY, ("valkey",)),
    PartFrozen("redis-frozen", "Valkey stands still; connections open, nothing answers", EVERY, ("valkey",)),
    PartStopped("postgres-stopped", "PostgreSQL has ended; connections are refused", EVERY, ("postgres",)),
    PartFrozen("postgres-frozen", "PostgreSQL and its children stand still", EVERY, ("postgres",)),
    PartStopped("api-stopped", "the APIs have ended; connections are refused", EVERY, APIS),
    PartFrozen("api-frozen", "the APIs stand still; connections open, nothing answers", EVERY, APIS),
    PartStopped("worker-stopped", "the workers have ended; jobs stay queued", WORKED, WORKERS, _NO_WORKER),
    PartFrozen("worker-frozen", "the workers stand still; jobs stay queued", WORKED, WORKERS, _NO_WORKER),
)

CACHE: tuple[Fault, ...] = (
    PasswordRequired("redis-password-required", "Valkey wants a password that the services do not have", EVERY),
    MemoryFull("cache-full", "Valkey's memory is full; reads work, writes fail", EVERY),
    Replica("redis-replica", "Valkey is a replica of a master that is not there; reads work, writes fail", EVERY),
)

DATABASE: tuple[Fault, ...] = (
    database.PasswordChanged("database-password-changed", "the services' database password is refused", EVERY),
    database.Held(
        "pool-exhausted",
        "all connections of PostgreSQL are in use",
        EVERY,
        database.all_connections,
        database.connections_are_used_up,
    ),
    database.Held(
        "table-locked",
        "a table of each system is locked by somebody else",
        EVERY,
        database.locks(_TABLES),
        database.table_is_locked,
    ),
    ReadOnly("database-read-only", "PostgreSQL begins every transaction read-only", EVERY),
    MigrationBehind("migration-behind", "the schemas are one revision behind", EVERY),
    database.ContentChanged(
        "migration-unknown",
        "alembic_version names a revision that nobody knows",
        EVERY,
        change="""
            CREATE TABLE opsproof_fault.revision AS TABLE alembic_version;
            UPDATE alembic_version SET version_num = 'ffffffffffff'
        """,
        restore="""
            CREATE TABLE IF NOT EXISTS opsproof_fault.revision (version_num text);
            UPDATE alembic_version SET version_num = kept.version_num FROM opsproof_fault.revision AS kept;
            DROP TABLE opsproof_fault.revision
        """,
        seen="SELECT version_num = 'ffffffffffff' FROM alembic_version",
    ),
    database.ContentChanged(
        "migration-table-missing",
        "the table alembic_version is not there",
        EVERY,
        change="ALTER TABLE alembic_version SET SCHEMA opsproof_fault",
        restore="ALTER TABLE IF EXISTS opsproof_fault.alembic_version SET SCHEMA public",
        seen="SELECT to_regclass('public.alembic_version') IS NULL",
    ),
    database.ContentChanged(
        "metadata-key-missing",
        "the newest evaluation run was stored without data_snapshot_id",
        EVALUATION,
        change="""
            CREATE TABLE opsproof_fault.metadata AS SELECT run_id, run_metadata FROM evaluation_runs
                WHERE run_metadata ? 'data_snapshot_id' ORDER BY created_at DESC LIMIT 1;
            UPDATE evaluation_runs AS run SET run_metadata = run.run_metadata - 'data_snapshot_id'
                FROM opsproof_fault.metadata AS kept WHERE run.run_id = kept.run_id
        """,
        restore="""
            CREATE TABLE IF NOT EXISTS opsproof_fault.metadata (run_id uuid, run_metadata jsonb);
            UPDATE evaluation_runs AS run SET run_metadata = kept.run_metadata
                FROM opsproof_fault.metadata AS kept WHERE run.run_id = kept.run_id;
            DROP TABLE opsproof_fault.metadata
        """,
        seen="SELECT EXISTS (SELECT FROM evaluation_runs WHERE NOT run_metadata ? 'data_snapshot_id')",
    ),
    database.ContentChanged(
        "no-evaluation-runs",
        "there is not one evaluation run",
        EVALUATION,
        change="""
            CREATE TABLE opsproof_fault.runs AS TABLE evaluation_runs;
            DELETE FROM evaluation_runs
        """,
        restore="""
            CREATE TABLE IF NOT EXISTS opsproof_fault.runs AS TABLE evaluation_runs WITH NO DATA;
            INSERT INTO evaluation_runs SELECT * FROM opsproof_fault.runs ON CONFLICT DO NOTHING;
            DROP TABLE opsproof_fault.runs
        """,
        seen="SELECT NOT EXISTS (SELECT FROM evaluation_runs)",
    ),
)

SETTINGS: tuple[Fault, ...] = (
    SettingsChanged(
        "missing-secret", "the APIs run without POSTGRES_PASSWORD", EVERY, lambda: {"POSTGRES_PASSWORD": None}
    ),
    SettingsChanged(
        "default-secret", "POSTGRES_PASSWORD of the APIs is a default", EVERY, lambda: {"POSTGRES_PASSWORD": "postgres"}
    ),
    SettingsChanged(
        "placeholder-secret",
        "JWT_SECRET of the APIs is long, and a placeholder",
        EVERY,
        lambda: {"JWT_SECRET": "please-change-me-please-change-me-2026"},
        tokens_with_the_new_secret,
    ),
    SettingsChanged(
        "weak-jwt-secret",
        f"JWT_SECRET of the APIs has {_TOO_SHORT_BYTES} bytes",
        EVERY,
        lambda: {"JWT_SECRET": secrets.token_hex(16)[:_TOO_SHORT_BYTES]},
        tokens_with_the_new_secret,
    ),
    SettingsChanged(
        "secret-rotated",
        "the APIs have new secrets, callers still have the old credentials",
        EVERY,
        lambda: {"JWT_SECRET": secrets.token_urlsafe(48), "API_KEY": secrets.token_urlsafe(24)},
    ),
    CallersChanged("token-expired", "the callers' tokens have expired", EVERY, CORE_PATH, expired_tokens),
    SettingsChanged("wrong-version", "the APIs run another version", EVERY, lambda: {"APP_VERSION": WRONG_VERSION}),
    SettingsChanged("body-limit-off", "bodies of any size are taken", EVERY, lambda: {"MAX_REQUEST_BODY_BYTES": "0"}),
    SettingsChanged(
        "batch-limit-off", "batches of any length are taken", INGEST, lambda: {"INGEST_MAX_BATCH_ITEMS": "0"}
    ),
    SettingsChanged(
        "jobs-in-process",
        "the API does jobs itself, not the worker",
        EVALUATION,
        lambda: {"JOB_RUNNER_MODE": "inprocess"},
    ),
)
