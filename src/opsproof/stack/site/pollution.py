"""Polluted data: an UPDATE without WHERE that the service's own role commits."""

from __future__ import annotations

from dataclasses import dataclass

BAD_RULE = "UPDATE core.judgment_executions SET result = 'STOP'"
"""As a rule of the wrong version would: every judgment ever made says that the machine must stop."""


@dataclass(frozen=True)
class Pollution:
    """
    What was done, and what a recovery must stop before.

    Attributes:
        statement: The SQL.
        rows: How many rows it changed.
        xid: Its transaction, as recovery_target_xid takes it.
        began: Its now(), ISO with offset.
        committed: The time in its commit record, ISO with offset.
        lsn: Where the log was after its commit.
    """

    statement: str
    rows: int
    xid: int
    began: str
    committed: str
    lsn: str


def pollute(conninfo: str, statement: str) -> Pollution:
    """
    Run a statement and commit it.

    Args:
        conninfo: The database, as the role that does it.
        statement: SQL that changes data.
    """
    import psycopg

    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        with connection.transaction():
            rows = connection.execute(statement.encode()).rowcount
            row = connection.execute("SELECT pg_current_xact_id()::xid::text::bigint, now()").fetchone()
            assert row is not None
        xid, began = row
        known = connection.execute(
            "SELECT pg_xact_commit_timestamp(%s::text::xid), pg_current_wal_insert_lsn()::text", (str(xid),)
        ).fetchone()
        assert known is not None
        committed, lsn = known
    return Pollution(statement, rows, xid, began.isoformat(), committed.isoformat(), lsn)
