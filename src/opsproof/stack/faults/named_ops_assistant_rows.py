"""The named faults of the ops assistant that are made in its database: one entry each."""

from typing import LiteralString

from opsproof.stack.faults import held
from opsproof.stack.faults.assistant_seen import in_numbers, row_ratio_is, says
from opsproof.stack.faults.database import ContentChanged, Held
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.named_ops_assistant import ASSISTANT
from opsproof.stack.faults.seen import Seen
from opsproof.stack.faults.shown import Shown

_DENIED = in_numbers(
    'sum(increase(ops_tool_errors_total{system="ops-assistant",type="denied"}[10s]))',
    otherwise=says("/api/ops/history", lambda found: any(one["status"] == "error" for one in found["history"])),
)


def _asset(name: str, title: str, change: LiteralString, seen: LiteralString, shown: Seen) -> Fault:
    content = ContentChanged(
        f"ops-{name}",
        title,
        ASSISTANT,
        change=f"CREATE TABLE opsproof_fault.assets AS TABLE query_assets; UPDATE query_assets {change}",
        restore="""
            CREATE TABLE IF NOT EXISTS opsproof_fault.assets AS TABLE query_assets WITH NO DATA;
            UPDATE query_assets AS asset SET statement = kept.statement, status = kept.status
                FROM opsproof_fault.assets AS kept WHERE asset.name = kept.name;
            DROP TABLE opsproof_fault.assets
        """,
        seen=seen,
    )
    return Shown(content, shown)


def _setting(name: str, title: str, change: LiteralString, seen: LiteralString) -> Fault:
    return ContentChanged(
        f"ops-{name}",
        title,
        ASSISTANT,
        change=f"CREATE TABLE opsproof_fault.app_settings AS TABLE app_settings; UPDATE app_settings {change}",
        restore="""
            CREATE TABLE IF NOT EXISTS opsproof_fault.app_settings AS TABLE app_settings WITH NO DATA;
            UPDATE app_settings AS setting SET value = kept.value
                FROM opsproof_fault.app_settings AS kept WHERE setting.key = kept.key;
            DROP TABLE opsproof_fault.app_settings
        """,
        seen=seen,
    )


ROWS: tuple[Fault, ...] = (
    Held(
        "ops-query-slow",
        "a query of the application's role runs and does not end",
        ASSISTANT,
        held.busy(1, "SELECT pg_sleep(600)"),
        held.are_busy(1),
    ),
    Shown(
        ContentChanged(
            "ops-rows-lost",
            "85 % of the open events are gone",
            ASSISTANT,
            change="""
            CREATE TABLE opsproof_fault.events AS SELECT * FROM events WHERE status = 'open' AND id > 6;
            DELETE FROM events WHERE status = 'open' AND id > 6
        """,
            restore="""
            CREATE TABLE IF NOT EXISTS opsproof_fault.events AS TABLE events WITH NO DATA;
            INSERT INTO events SELECT * FROM opsproof_fault.events ON CONFLICT DO NOTHING;
            DROP TABLE opsproof_fault.events
        """,
            seen="SELECT count(*) <= 6 FROM events WHERE status = 'open'",
        ),
        row_ratio_is(lambda ratio: ratio <= 0.2),
    ),
    _asset(
        "filter-narrowed",
        "the query asset of events looks at another period: No data, while the table has rows",
        "SET statement = replace(statement, '30 days', '30 seconds') WHERE name = 'event_list'",
        "SELECT EXISTS (SELECT FROM query_assets WHERE statement LIKE '%30 seconds%')",
        row_ratio_is(lambda ratio: ratio == 0),
    ),
    _asset(
        "asset-draft",
        "a query asset in use is a draft",
        "SET status = 'draft' WHERE name = 'service_list'",
        "SELECT status = 'draft' FROM query_assets WHERE name = 'service_list'",
        _DENIED,
    ),
    _setting(
        "pool-setting-ahead",
        "Settings Admin says 30 connections, and the service was not restarted",
        "SET value = '30' WHERE key = 'db_connection_pool_size'",
        "SELECT value = '30' FROM app_settings WHERE key = 'db_connection_pool_size'",
    ),
    _setting(
        "fallback-missing",
        "the fallback of api_users names an asset that is not there",
        """SET value = jsonb_set(value, '{api_users}', '"api_users_gone"') WHERE key = 'ops_fallback_assets'""",
        "SELECT value ->> 'api_users' = 'api_users_gone' FROM app_settings WHERE key = 'ops_fallback_assets'",
    ),
    _setting(
        "tool-limits-wrong",
        "tools may take too short or too long, and nothing is tried again",
        """
            SET value = CASE key WHEN 'tool_timeout_seconds'
                THEN '{"external": 20, "database": 20, "internal": 40}'::jsonb ELSE '1' END WHERE key LIKE 'tool_%'
        """,
        "SELECT value = '1' FROM app_settings WHERE key = 'tool_retry_attempts'",
    ),
    Shown(
        ContentChanged(
            "ops-privilege-revoked",
            "the application's role may not read the table dependencies",
            ASSISTANT,
            change='REVOKE SELECT ON dependencies FROM "ops-assistant"',
            restore='GRANT SELECT ON dependencies TO "ops-assistant"',
            seen="SELECT NOT has_table_privilege('ops-assistant', 'dependencies', 'SELECT')",
        ),
        _DENIED,
    ),
)
