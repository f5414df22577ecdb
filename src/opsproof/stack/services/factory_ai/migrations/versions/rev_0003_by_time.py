"""Indexes for the questions that operators ask of the last hour and day."""

from alembic import op

revision = "0003_by_time"
down_revision = "0002_workflows"


def upgrade() -> None:
    """Create the indexes."""
    op.execute("CREATE INDEX judgment_executions_by_time ON core.judgment_executions (executed_at DESC)")
    op.execute("CREATE INDEX workflow_instances_by_time ON workflow_instances (created_at DESC)")
    op.execute("CREATE INDEX feedbacks_by_time ON feedbacks (created_at DESC)")


def downgrade() -> None:
    """Drop the indexes; no row is lost."""
    op.execute("DROP INDEX feedbacks_by_time, workflow_instances_by_time, core.judgment_executions_by_time")
