"""An index for the jobs of the last hour, which every incident asks for."""

from alembic import op

revision = "0003_jobs_by_time"
down_revision = "0002_evaluation_runs"


def upgrade() -> None:
    """Create the index."""
    op.execute("CREATE INDEX jobs_by_time ON jobs (created_at DESC)")


def downgrade() -> None:
    """Drop the index; no row is lost."""
    op.execute("DROP INDEX jobs_by_time")
