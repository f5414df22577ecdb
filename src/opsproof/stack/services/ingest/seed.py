"""The ingest data that a fresh stack starts with."""

from __future__ import annotations

import psycopg

_SEED = """
    INSERT INTO items (id, tenant, key, payload)
    SELECT md5('item-' || n)::uuid, 'seed', 'item-' || n, jsonb_build_object('n', n) FROM generate_series(1, 20) AS n
    ON CONFLICT (tenant, key) DO UPDATE SET created_at = now()
"""


def seed(connection: psycopg.Connection) -> None:
    """Write the items; writing them again only renews their time."""
    connection.execute(_SEED)
