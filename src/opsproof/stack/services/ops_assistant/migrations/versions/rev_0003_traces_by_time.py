"""An index for the newest trace of a query."""

from alembic import op

revision = "0003_traces_by_time"
down_revision = "0002_inspector"


def upgrade() -> None:
    """Create the index."""
    op.execute("CREATE INDEX traces_by_time ON traces (query, asked_at DESC)")


def downgrade() -> None:
    """Drop the index; no row is lost."""
    op.execute("DROP INDEX traces_by_time")
