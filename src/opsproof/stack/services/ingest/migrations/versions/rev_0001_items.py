"""The items table."""

from alembic import op

revision = "0001_items"
down_revision = None


def upgrade() -> None:
    """Create the table."""
    op.execute("""
        CREATE TABLE items (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            tenant text NOT NULL,
            key text NOT NULL,
            payload jsonb NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (tenant, key)
        )
    """)


def downgrade() -> None:
    """Drop the table with its rows."""
    op.execute("DROP TABLE items")
