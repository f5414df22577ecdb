"""What a fresh assistant has: golden queries with what the seeded data answers, query assets, settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Rows = list[dict[str, Any]]
BlockType = Literal["table", "graph", "text"]


@dataclass(frozen=True)
class Plan:
    """
    How a golden query is answered.

    Args:
        question: In the words of the users.
        intent: What the planner makes of it.
        asset: The query asset that has the data.
        filters: The filters that the asset's statement applies.
        sums: The column whose sum is the answer; None where the number of rows is.
        block: How the answer is shown.
        expected_rows, expected_value: What the seeded data gives.
    """

    question: str
    intent: str
    asset: str
    block: BlockType
    expected_rows: int
    expected_value: int
    filters: tuple[tuple[str, Any], ...] = ()
    sums: str | None = None

    @property
    def tools(self) -> tuple[str, ...]:
        """The tool path, as the executor's configuration has it."""
        return (self.asset, "summarize")

    def value_of(self, rows: Rows) -> int:
        """The answer that rows of the asset give."""
        return sum(int(row[self.sums]) for row in rows) if self.sums else len(rows)


GOLDEN: dict[str, Plan] = {
    "total-cost": Plan("총 비용은?", "aggregate_cost", "cost_list", "text", 200, 100_000, sums="amount"),
    "service-count": Plan("서비스는 몇 개?", "count_services", "service_list", "table", 50, 50),
    "dependency-count": Plan("의존성은?", "list_dependencies", "dependency_list", "graph", 10, 10),
    "open-events": Plan(
        "열린 이벤트는?",
        "list_events",
        "event_list",
        "table",
        40,
        40,
        filters=(("status", "open"), ("period_days", 30)),
    ),
    "transactions": Plan("최근 거래는?", "list_transactions", "api_transactions", "table", 20, 20),
}
"""By name; the numbers of the first three are those of the runbook's examples."""

ASSETS: dict[str, tuple[str, str, bool]] = {
    "cost_list": ("sql", "SELECT id, service_id, amount FROM costs ORDER BY id", True),
    "service_list": ("sql", "SELECT id, name FROM services ORDER BY id", True),
    "dependency_list": ("sql", "SELECT source, target FROM dependencies ORDER BY source, target", True),
    "event_list": (
        "sql",
        "SELECT id, service_id, status, happened_at::text FROM events"
        " WHERE status = 'open' AND happened_at > now() - interval '30 days' ORDER BY id",
        True,
    ),
    "api_transactions": ("http", "/v1/transactions", True),
    "api_users": ("http", "/v1/users", True),
    "api_transactions_fallback": ("static", "[]", True),
    "api_users_cached": ("static", "[]", True),
    "cost_by_month": ("sql", "SELECT 1 AS month", False),
}
"""The query assets: kind, statement or path, and whether a query or a setting uses it."""

DEFAULTS: dict[str, Any] = {
    "db_connection_pool_size": 20,
    "db_query_timeout_seconds": 1,
    "ops_cache_ttl_seconds": 300,
    "ops_fallback_assets": {
        "api_transactions": "api_transactions_fallback",
        "api_users": "api_users_cached",
    },
    "tool_timeout_seconds": {"external": 30, "database": 60, "internal": 10},
    "tool_retry_attempts": 3,
    "tool_retry_backoff": 2,
}
"""The settings of a fresh system, with the runbook's values where it has one."""
