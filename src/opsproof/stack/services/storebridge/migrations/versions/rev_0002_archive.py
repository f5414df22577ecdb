"""The archive of old jobs, and the audit log (runbook 004, monthly work)."""

from alembic import op

revision = "0002_archive"
down_revision = "0001_products"


def upgrade() -> None:
    """Create the tables; the archive has the columns of jobs in the same order."""
    op.execute("""
        CREATE TABLE jobs_archive (LIKE jobs);
        CREATE TABLE audit_logs (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            actor text NOT NULL,
            action text NOT NULL,
            subject text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        )
    """)


def downgrade() -> None:
    """Drop the tables with their rows."""
    op.execute("DROP TABLE audit_logs, jobs_archive")
