"""What a fresh stack starts with, so that the shares of the last hour and day are defined."""

from __future__ import annotations

import psycopg
from psycopg.types.json import Jsonb

from opsproof.stack.services.factory_ai.rules import ACTIVE, RULESETS

_MONTHS_AHEAD = 3
_WORKFLOWS = (
    ("line-quality", "Quality of a line", "SIMPLE", "RULE_ONLY"),
    ("defect-vision", "Defects in pictures", "SIMPLE", "LLM_ONLY"),
    ("press-maintenance", "Maintenance of presses", "COMPLEX", "HYBRID"),
    ("safety-stop", "Stop for safety", "SIMPLE", "RULE_FALLBACK"),
    ("rca", "Root cause analysis", "COMPLEX", "HYBRID"),
    ("notification", "Notification", "SIMPLE", "RULE_ONLY"),
)
_EXECUTIONS = """
    INSERT INTO core.judgment_executions
        (id, workflow_id, method, decided_by, result, confidence, ruleset_version, input, executed_at)
    SELECT 'jud-' || n, 'line-quality', 'RULE_ONLY', 'RULE', CASE WHEN n %% 10 = 0 THEN 'WARNING' ELSE 'NORMAL' END,
        0.95, %s, jsonb_build_object('temperature', CASE WHEN n %% 10 = 0 THEN 75 ELSE 65 END),
        now() - (n - 400) * interval '10 seconds'
    FROM generate_series(401, 1400) AS n
"""
_INSTANCES = """
    INSERT INTO workflow_instances (id, workflow_id, status, steps, created_at, started_at, finished_at)
    SELECT 'wf-seed-' || n, 'notification', 'COMPLETED', '["collect", "judge"]', at, at, at
    FROM generate_series(1, 100) AS n, LATERAL (SELECT now() - n * interval '5 minutes' AS at)
"""
_FEEDBACKS = """
    INSERT INTO feedbacks (id, execution_id, feedback_value, created_at)
    SELECT 'fb-seed-' || n, 'jud-' || 400 + n, CASE WHEN n % 25 = 0 THEN 'thumbs_down' ELSE 'thumbs_up' END,
        now() - n * interval '10 seconds'
    FROM generate_series(1, 200) AS n
"""
_INTENTS = """
    INSERT INTO intent_logs (id, utterance, intent, confidence)
    SELECT 'int-seed-' || n, 'how is line ' || n, 'machine_status', 0.75 FROM generate_series(1, 10) AS n
"""
_CLEAR = """
    DELETE FROM core.judgment_executions WHERE id IN (SELECT 'jud-' || n FROM generate_series(401, 1400) AS n);
    DELETE FROM workflow_instances WHERE id LIKE 'wf-seed-%';
    DELETE FROM feedbacks WHERE id LIKE 'fb-seed-%';
    DELETE FROM intent_logs WHERE id LIKE 'int-seed-%'
"""
_DEPLOYMENT = """
    INSERT INTO rule_deployments (deployment_id, target_type, old_version, new_version, deployed_at)
    VALUES ('deploy-123', 'RULE', 'v1.3.0', 'v1.4.0', now() - interval '3 days') ON CONFLICT DO NOTHING
"""


def seed(connection: psycopg.Connection) -> None:
    """Write the rows; writing them again only renews their time."""
    connection.execute("SELECT core.create_judgment_partitions(%s)", (_MONTHS_AHEAD,))
    for version, rules in RULESETS.items():
        connection.execute(
            "INSERT INTO rulesets (version, rules, active) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (version, Jsonb(rules), version == ACTIVE),
        )
    connection.execute(_DEPLOYMENT)
    for workflow in _WORKFLOWS:
        connection.execute("INSERT INTO workflows VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING", workflow)
    connection.execute(_CLEAR)
    connection.execute(_EXECUTIONS, (ACTIVE,))
    for statement in (_INSTANCES, _FEEDBACKS, _INTENTS):
        connection.execute(statement)
