"""What every system's alembic `env.py` does: run the revisions over a psycopg connection."""

from __future__ import annotations

import os

import psycopg
from alembic import context
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool


def engine_for(url: str) -> Engine:
    """An SQLAlchemy engine for a libpq URL, kept as it is, options included."""
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)


def run_migrations() -> None:
    """Run them over the connection that the caller attached, else over DATABASE_URL."""
    attached: Connection | None = context.config.attributes.get("connection")
    if attached is not None:
        _run(attached)
        return
    with engine_for(os.environ["DATABASE_URL"]).connect() as connection:
        _run(connection)


def _run(connection: Connection) -> None:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
