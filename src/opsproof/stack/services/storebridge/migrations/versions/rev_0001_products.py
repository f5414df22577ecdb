"""Products, the jobs that register them, and what became of each."""

from alembic import op

revision = "0001_products"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.execute("""
        CREATE TABLE products (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            domeggook_item_id text NOT NULL UNIQUE,
            name text NOT NULL,
            category text NOT NULL,
            attributes jsonb NOT NULL DEFAULT '{}',
            state text NOT NULL DEFAULT 'QUEUED'
                CHECK (state IN ('QUEUED', 'REGISTERED', 'FAILED', 'REJECTED', 'MANUAL_REVIEW')),
            error_code text,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_products_created_at ON products (created_at);
        CREATE TABLE jobs (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            queue text NOT NULL,
            status text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED')),
            created_at timestamptz NOT NULL DEFAULT now(),
            started_at timestamptz,
            completed_at timestamptz
        );
        CREATE TABLE job_items (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
            product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
            state text NOT NULL DEFAULT 'QUEUED'
                CHECK (state IN ('QUEUED', 'REGISTERED', 'FAILED', 'REJECTED', 'MANUAL_REVIEW')),
            error_code text,
            error_message text,
            finished_at timestamptz
        );
        CREATE TABLE product_registrations (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            product_id uuid REFERENCES products ON DELETE CASCADE,
            job_id uuid REFERENCES jobs ON DELETE CASCADE,
            state text NOT NULL CHECK (state IN ('COMPLETED', 'FAILED', 'MANUAL_REVIEW', 'RESOLVED')),
            error_code text,
            error_message text,
            created_at timestamptz NOT NULL DEFAULT now()
        )
    """)


def downgrade() -> None:
    """Drop the tables with their rows."""
    op.execute("DROP TABLE product_registrations, job_items, jobs, products")
