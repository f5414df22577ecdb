"""Indexes for the newest jobs and registrations, which every round asks for."""

from alembic import op

revision = "0003_by_time"
down_revision = "0002_archive"


def upgrade() -> None:
    """Create the indexes."""
    op.execute("""
        CREATE INDEX idx_jobs_created_at ON jobs (created_at DESC);
        CREATE INDEX idx_product_registrations_created_at ON product_registrations (created_at DESC)
    """)


def downgrade() -> None:
    """Drop the indexes; no row is lost."""
    op.execute("DROP INDEX idx_jobs_created_at, idx_product_registrations_created_at")
