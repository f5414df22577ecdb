"""What the assistant answers about: services, their costs, their dependencies, and events."""

from alembic import op

revision = "0001_data"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.execute("CREATE TABLE services (id integer PRIMARY KEY, name text NOT NULL)")
    op.execute("""
        CREATE TABLE costs (
            id integer PRIMARY KEY,
            service_id integer NOT NULL REFERENCES services (id),
            amount integer NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE dependencies (
            source integer NOT NULL REFERENCES services (id),
            target integer NOT NULL REFERENCES services (id),
            PRIMARY KEY (source, target)
        )
    """)
    op.execute("""
        CREATE TABLE events (
            id integer PRIMARY KEY,
            service_id integer NOT NULL REFERENCES services (id),
            status text NOT NULL CHECK (status IN ('open', 'closed')),
            happened_at timestamptz NOT NULL
        )
    """)


def downgrade() -> None:
    """Drop the tables with their rows."""
    op.execute("DROP TABLE events, dependencies, costs, services")
