"""The evaluation runs and the metadata that makes them reproducible."""

from alembic import op

revision = "0002_evaluation_runs"
down_revision = "0001_jobs"


def upgrade() -> None:
    """Create the table."""
    op.execute("""
        CREATE TABLE evaluation_runs (
            run_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            job_id uuid REFERENCES jobs ON DELETE SET NULL,
            dataset text NOT NULL,
            status text NOT NULL DEFAULT 'queued'
                CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
            score double precision,
            error_message text,
            created_at timestamptz NOT NULL DEFAULT now(),
            finished_at timestamptz,
            run_metadata jsonb
        )
    """)


def downgrade() -> None:
    """Drop the table with its rows."""
    op.execute("DROP TABLE evaluation_runs")
