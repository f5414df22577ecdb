"""The jobs table."""

from alembic import op

revision = "0001_jobs"
down_revision = None


def upgrade() -> None:
    """Create the table."""
    op.execute("""
        CREATE TABLE jobs (
            job_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            type text NOT NULL,
            status text NOT NULL DEFAULT 'queued'
                CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
            error_message text,
            attempts integer NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT now(),
            started_at timestamptz,
            finished_at timestamptz,
            payload jsonb NOT NULL DEFAULT '{}',
            result jsonb
        )
    """)


def downgrade() -> None:
    """Drop the table with its rows."""
    op.execute("DROP TABLE jobs")
