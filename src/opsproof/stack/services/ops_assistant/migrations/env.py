"""Alembic's entry point for this system."""

from opsproof.stack.services.common.migration_run import run_migrations

run_migrations()
