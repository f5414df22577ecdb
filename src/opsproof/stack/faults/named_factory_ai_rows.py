"""The named faults of factory-ai's database: its rows and its sessions, one entry each."""

from opsproof.stack.faults import held
from opsproof.stack.faults.database import ContentChanged, Held
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.named_factory_ai import FACTORY_AI

_MANY = 12
_OPEN = 40
_SLEEP = "SELECT pg_sleep(3600)"
_LOCK = "SELECT pg_advisory_lock(4711)"


def _negative_feedback(percent: int, *, seen_above: float) -> Fault:
    return ContentChanged(
        f"factory-ai-negative-feedback-{percent}",
        f"{percent} % of the feedback of the last hour is negative",
        FACTORY_AI,
        change=f"""
            CREATE TABLE opsproof_fault.feedback AS SELECT id, feedback_value FROM feedbacks;
            UPDATE feedbacks SET feedback_value =
                CASE WHEN numbered.n % 20 < {percent // 5} THEN 'thumbs_down' ELSE 'thumbs_up' END
                FROM (SELECT id, row_number() OVER (ORDER BY created_at) AS n FROM feedbacks) AS numbered
                WHERE feedbacks.id = numbered.id
        """,  # noqa: S608  # constants of this module
        restore="""
            CREATE TABLE IF NOT EXISTS opsproof_fault.feedback (id text, feedback_value text);
            UPDATE feedbacks SET feedback_value = kept.feedback_value
                FROM opsproof_fault.feedback AS kept WHERE feedbacks.id = kept.id;
            DROP TABLE opsproof_fault.feedback
        """,
        seen=f"""
            SELECT count(*) FILTER (WHERE feedback_value = 'thumbs_down') > {seen_above} * count(*) FROM feedbacks
            WHERE created_at >= now() - interval '1 hour'
        """,  # noqa: S608  # as above
    )


ROWS: tuple[Fault, ...] = (
    ContentChanged(
        "factory-ai-dlq-25",
        "25 workflow instances failed an hour ago, before they began",
        FACTORY_AI,
        change="""
            INSERT INTO workflow_instances (id, workflow_id, status, error_message, created_at)
            SELECT 'opsproof-fault-' || n, 'notification', 'FAILED', 'the step collect failed',
                now() - interval '1 hour'
            FROM generate_series(1, 25) AS n
        """,
        restore="DELETE FROM workflow_instances WHERE id LIKE 'opsproof-fault-%'",
        seen="SELECT count(*) >= 25 FROM workflow_instances WHERE id LIKE 'opsproof-fault-%'",
    ),
    ContentChanged(
        "factory-ai-workflows-failing",
        "one of ten workflow instances that began within the last day was cancelled",
        FACTORY_AI,
        change="""
            INSERT INTO workflow_instances (id, workflow_id, status, created_at, started_at)
            SELECT 'opsproof-cancelled-' || n, 'notification', 'CANCELLED', now(), now()
            FROM generate_series(1, (SELECT 10 + count(*) / 9 FROM workflow_instances)) AS n
        """,
        restore="DELETE FROM workflow_instances WHERE id LIKE 'opsproof-cancelled-%'",
        seen="SELECT EXISTS (SELECT FROM workflow_instances WHERE id LIKE 'opsproof-cancelled-%')",
    ),
    _negative_feedback(25, seen_above=0.2),
    _negative_feedback(15, seen_above=0.1),
    ContentChanged(
        "factory-ai-judgments-lost",
        "the judgments of the last day are gone, but one",
        FACTORY_AI,
        change="""
            CREATE TABLE opsproof_fault.executions AS SELECT * FROM core.judgment_executions
                WHERE id <> 'jud-456' AND executed_at >= now() - interval '1 day';
            DELETE FROM core.judgment_executions AS lost USING opsproof_fault.executions AS kept
                WHERE lost.id = kept.id AND lost.executed_at = kept.executed_at
        """,
        restore="""
            CREATE TABLE IF NOT EXISTS opsproof_fault.executions AS TABLE core.judgment_executions WITH NO DATA;
            INSERT INTO core.judgment_executions SELECT * FROM opsproof_fault.executions ON CONFLICT DO NOTHING;
            DROP TABLE opsproof_fault.executions
        """,
        seen="SELECT count(*) < 400 FROM core.judgment_executions WHERE executed_at >= now() - interval '1 day'",
    ),
    ContentChanged(
        "factory-ai-ruleset-mixed",
        "a judgment of now was made with v1.3.0 of the rules",
        FACTORY_AI,
        change="""
            INSERT INTO core.judgment_executions
                (id, workflow_id, method, decided_by, result, confidence, ruleset_version)
            VALUES ('opsproof-fault', 'line-quality', 'RULE_ONLY', 'RULE', 'NORMAL', 1, 'v1.3.0')
        """,
        restore="DELETE FROM core.judgment_executions WHERE id = 'opsproof-fault'",
        seen="SELECT EXISTS (SELECT FROM core.judgment_executions WHERE id = 'opsproof-fault')",
    ),
    ContentChanged(
        "factory-ai-partition-missing",
        "there is no partition of judgments for the month after next",
        FACTORY_AI,
        change="""
            DO $$ BEGIN
                EXECUTE format('ALTER TABLE core.%I RENAME TO opsproof_fault_partition', 'judgment_executions_y'
                    || to_char((now() AT TIME ZONE 'UTC') + interval '2 months', 'YYYY"m"MM'));
            END $$
        """,
        restore="""
            DO $$ BEGIN
                IF to_regclass('core.opsproof_fault_partition') IS NOT NULL THEN
                    EXECUTE format('ALTER TABLE core.opsproof_fault_partition RENAME TO %I', 'judgment_executions_y'
                        || to_char((now() AT TIME ZONE 'UTC') + interval '2 months', 'YYYY"m"MM'));
                END IF;
            END $$
        """,
        seen="SELECT to_regclass('core.opsproof_fault_partition') IS NOT NULL",
    ),
)

SESSIONS: tuple[Fault, ...] = (
    Held(
        "factory-ai-query-slow",
        "a query runs and does not end",
        FACTORY_AI,
        held.busy(1, _SLEEP),
        held.are_busy(1),
    ),
    Held(
        "factory-ai-sessions-active",
        f"{_MANY} sessions are busy with queries that do not end",
        FACTORY_AI,
        held.busy(_MANY, _SLEEP),
        held.are_busy(_MANY),
    ),
    Held(
        "factory-ai-lock-waiting",
        "a session waits for a lock that another one holds",
        FACTORY_AI,
        held.busy(1, _LOCK, after=_LOCK),
        held.are_busy(1),
    ),
    Held(
        "factory-ai-connections-open",
        f"{_OPEN} connections are open and idle",
        FACTORY_AI,
        held.idle(_OPEN),
        held.are_open(_OPEN),
    ),
)
