"""Workflows and their instances, feedback, and what the chat bot understood."""

from alembic import op

revision = "0002_workflows"
down_revision = "0001_judgments"


def upgrade() -> None:
    """Create the tables."""
    op.execute("""
        CREATE TABLE workflows (
            id text PRIMARY KEY,
            title text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('SIMPLE', 'COMPLEX')),
            policy text NOT NULL CHECK (policy IN ('RULE_ONLY', 'LLM_ONLY', 'HYBRID', 'RULE_FALLBACK'))
        )
    """)
    op.execute("""
        CREATE TABLE workflow_instances (
            id text PRIMARY KEY DEFAULT 'wf-' || gen_random_uuid(),
            workflow_id text NOT NULL REFERENCES workflows,
            status text NOT NULL DEFAULT 'PENDING'
                CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
            steps jsonb NOT NULL DEFAULT '[]',
            input jsonb NOT NULL DEFAULT '{}',
            error_message text,
            created_at timestamptz NOT NULL DEFAULT now(),
            started_at timestamptz,
            finished_at timestamptz
        )
    """)
    op.execute("""
        CREATE TABLE feedbacks (
            id text PRIMARY KEY DEFAULT 'fb-' || gen_random_uuid(),
            execution_id text NOT NULL,
            feedback_value text NOT NULL CHECK (feedback_value IN ('thumbs_up', 'thumbs_down')),
            comment text NOT NULL DEFAULT '',
            created_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("""
        CREATE TABLE intent_logs (
            id text PRIMARY KEY DEFAULT 'int-' || gen_random_uuid(),
            utterance text NOT NULL,
            intent text NOT NULL,
            confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
            created_at timestamptz NOT NULL DEFAULT now()
        )
    """)


def downgrade() -> None:
    """Drop the tables with their rows."""
    op.execute("DROP TABLE intent_logs, feedbacks, workflow_instances, workflows")
