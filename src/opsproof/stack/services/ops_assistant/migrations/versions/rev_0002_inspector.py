"""What the assistant works with: query assets and settings, as the release brings them, golden queries, traces."""

import json

from alembic import op
from sqlalchemy import text

from opsproof.stack.services.ops_assistant.golden import ASSETS, DEFAULTS

revision = "0002_inspector"
down_revision = "0001_data"


def upgrade() -> None:
    """Create the tables."""
    op.execute("""
        CREATE TABLE query_assets (
            name text PRIMARY KEY,
            kind text NOT NULL CHECK (kind IN ('sql', 'http', 'static')),
            statement text NOT NULL,
            status text NOT NULL CHECK (status IN ('draft', 'published')),
            in_use boolean NOT NULL,
            version integer NOT NULL,
            published_by text,
            published_at timestamptz
        )
    """)
    op.execute("""
        CREATE TABLE traces (
            id uuid PRIMARY KEY,
            query text NOT NULL,
            asked_at timestamptz NOT NULL DEFAULT now(),
            document jsonb NOT NULL
        )
    """)
    op.execute("CREATE TABLE golden_queries (name text PRIMARY KEY, baseline uuid NOT NULL REFERENCES traces (id))")
    op.execute("""
        CREATE TABLE app_settings (
            key text PRIMARY KEY,
            value jsonb NOT NULL,
            changed_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    asset = text(
        "INSERT INTO query_assets VALUES (:name, :kind, :statement, CASE WHEN :used THEN 'published' ELSE 'draft' END,"
        " :used, 1, 'release', now())"
    )
    for name, (kind, statement, used) in ASSETS.items():
        op.execute(asset.bindparams(name=name, kind=kind, statement=statement, used=used))
    setting = text("INSERT INTO app_settings (key, value) VALUES (:key, CAST(:value AS jsonb))")
    for key, value in DEFAULTS.items():
        op.execute(setting.bindparams(key=key, value=json.dumps(value)))


def downgrade() -> None:
    """Drop the tables with their rows."""
    op.execute("DROP TABLE golden_queries, traces, query_assets, app_settings")
