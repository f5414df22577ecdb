"""The data that a fresh stack starts with, and the baseline traces that it gives."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from opsproof.stack.services.ops_assistant.documents import ToolCall, trace_document
from opsproof.stack.services.ops_assistant.golden import ASSETS, GOLDEN, Plan

_ROWS = (
    "INSERT INTO services SELECT n, 'service-' || n FROM generate_series(1, 50) AS n ON CONFLICT DO NOTHING",
    "INSERT INTO costs SELECT n, 1 + n % 50, 500 FROM generate_series(1, 200) AS n ON CONFLICT DO NOTHING",
    "INSERT INTO dependencies SELECT n, n + 1 FROM generate_series(1, 10) AS n ON CONFLICT DO NOTHING",
    """
    INSERT INTO events
    SELECT n, 1 + n % 50, CASE WHEN n <= 40 THEN 'open' ELSE 'closed' END, now() - n * interval '1 hour'
    FROM generate_series(1, 60) AS n ON CONFLICT (id) DO UPDATE SET happened_at = EXCLUDED.happened_at
    """,
)
_TRACE = "INSERT INTO traces VALUES (%s, %s, clock_timestamp(), %s) ON CONFLICT (id) DO NOTHING"
_GOLDEN = "INSERT INTO golden_queries VALUES (%s, %s) ON CONFLICT (name) DO NOTHING"
_BASELINE_MS = 20.0


def seed(connection: psycopg.Connection) -> None:
    """Write the rows; writing them again only renews the time of the events."""
    for statement in _ROWS:
        connection.execute(statement)
    for name, plan in GOLDEN.items():
        for run in ("baseline", "first-run"):
            identity = uuid.uuid5(uuid.NAMESPACE_URL, f"opsproof-seed/{run}/{name}")
            connection.execute(_TRACE, (identity, name, Jsonb(_document(str(identity), name, plan))))
            connection.execute(_GOLDEN, (name, identity))


def _document(identity: str, name: str, plan: Plan) -> dict[str, Any]:
    kinds = (ASSETS[plan.asset][0], "internal")
    return trace_document(
        identity=identity,
        query=name,
        plan=plan,
        intent=plan.intent,
        calls=[
            ToolCall(f"step-{number}", tool, kind, _BASELINE_MS, 1)
            for number, (tool, kind) in enumerate(zip(plan.tools, kinds, strict=True), 1)
        ],
        row_count=plan.expected_rows,
        value=plan.expected_value,
        user={"name": "seed", "roles": ["operator"], "permissions": []},
    )
