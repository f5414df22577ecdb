"""An index for the newest items of a tenant."""

from alembic import op

revision = "0002_items_by_time"
down_revision = "0001_items"


def upgrade() -> None:
    """Create the index."""
    op.execute("CREATE INDEX items_by_time ON items (tenant, created_at DESC)")


def downgrade() -> None:
    """Drop the index; no row is lost."""
    op.execute("DROP INDEX items_by_time")
