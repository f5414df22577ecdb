"""Judgments by month in the schema `core`, as the runbook's partition query names them, and the rules that they use."""

from alembic import op

revision = "0001_judgments"
down_revision = None


def upgrade() -> None:
    """Create the tables, the partition creation script of runbook 001 (1.2), and the search path of its other SQL."""
    op.execute("CREATE SCHEMA core")
    op.execute("""
        CREATE TABLE core.judgment_executions (
            id text NOT NULL DEFAULT 'jud-' || gen_random_uuid(),
            workflow_id text NOT NULL,
            method text NOT NULL CHECK (method IN ('RULE_ONLY', 'LLM_ONLY', 'HYBRID')),
            decided_by text NOT NULL CHECK (decided_by IN ('RULE', 'LLM', 'HYBRID')),
            result text NOT NULL,
            confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
            ruleset_version text NOT NULL,
            cached boolean NOT NULL DEFAULT false,
            input jsonb NOT NULL DEFAULT '{}',
            executed_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (id, executed_at)
        ) PARTITION BY RANGE (executed_at)
    """)
    op.execute("""
        CREATE FUNCTION core.create_judgment_partitions(ahead integer) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE
            month timestamp;
        BEGIN
            FOR month IN SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month'
                         FROM generate_series(-1, ahead) AS n LOOP
                EXECUTE format(
                    'CREATE TABLE IF NOT EXISTS core.%I PARTITION OF core.judgment_executions'
                    ' FOR VALUES FROM (%L) TO (%L)',
                    'judgment_executions_y' || to_char(month, 'YYYY"m"MM'),
                    month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC'
                );
            END LOOP;
        END $$
    """)
    op.execute("""
        DO $$ BEGIN
            EXECUTE format('ALTER DATABASE %I SET search_path = public, core', current_database());
        END $$
    """)
    op.execute("""
        CREATE TABLE rulesets (
            version text PRIMARY KEY,
            rules jsonb NOT NULL,
            active boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("CREATE UNIQUE INDEX rulesets_one_active ON rulesets (active) WHERE active")
    op.execute("""
        CREATE TABLE rule_deployments (
            deployment_id text PRIMARY KEY,
            target_type text NOT NULL CHECK (target_type IN ('RULE', 'PROMPT', 'DSL')),
            old_version text NOT NULL,
            new_version text NOT NULL,
            deployed_at timestamptz NOT NULL DEFAULT now(),
            status text NOT NULL DEFAULT 'DEPLOYED' CHECK (status IN ('DEPLOYED', 'ROLLED_BACK')),
            rollback_occurred boolean NOT NULL DEFAULT false
        )
    """)


def downgrade() -> None:
    """Drop all of it with its rows."""
    op.execute("DROP TABLE rule_deployments, rulesets")
    op.execute("DROP SCHEMA core CASCADE")
    op.execute("""
        DO $$ BEGIN
            EXECUTE format('ALTER DATABASE %I RESET search_path', current_database());
        END $$
    """)
