"""The named faults of what storebridge stores, and of connections to its database: one entry each."""

from opsproof.stack.faults import database, held
from opsproof.stack.faults.both import Both
from opsproof.stack.faults.content import ContentShown
from opsproof.stack.faults.defects import Defect
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.logs_seen import logged
from opsproof.stack.faults.metrics_seen import gauge
from opsproof.stack.faults.named_storebridge import STOREBRIDGE


def _registrations(percent: int, newest: int, state: str, code: str) -> Fault:
    """So many of the newest hundred registrations did not succeed after all."""
    return ContentShown(
        f"storebridge-registrations-{percent}",
        f"{percent} % of the newest registrations succeeded",
        STOREBRIDGE,
        change=f"""
            CREATE TABLE opsproof_fault.registrations AS
                SELECT id, state, error_code FROM product_registrations WHERE state = 'COMPLETED'
                ORDER BY created_at DESC, id DESC LIMIT {newest};
            UPDATE product_registrations AS found SET state = '{state}', error_code = '{code}'
                FROM opsproof_fault.registrations AS kept WHERE found.id = kept.id
        """,  # noqa: S608  # constants of this module
        restore="""
            CREATE TABLE IF NOT EXISTS opsproof_fault.registrations (id bigint, state text, error_code text);
            UPDATE product_registrations AS found SET state = kept.state, error_code = kept.error_code
                FROM opsproof_fault.registrations AS kept WHERE found.id = kept.id;
            DROP TABLE opsproof_fault.registrations
        """,
        seen="SELECT to_regclass('opsproof_fault.registrations') IS NOT NULL",
        shown=gauge(
            "storebridge_registration_success_rate", lambda rate: rate < percent / 100 + 0.03, system="storebridge"
        ),
    )


def _rows_added(name: str, title: str, change: str) -> Fault:
    """Registrations that were never made; they are known by their message."""
    return database.ContentChanged(
        name,
        title,
        STOREBRIDGE,
        change=change,
        restore="DELETE FROM product_registrations WHERE error_message = 'opsproof-fault'",
        seen="SELECT EXISTS (SELECT FROM product_registrations WHERE error_message = 'opsproof-fault')",
    )


DATABASE: tuple[Fault, ...] = (
    _registrations(80, 15, "FAILED", "NAVER_400"),
    _registrations(60, 35, "MANUAL_REVIEW", "CATEGORY_MISMATCH"),
    _rows_added(
        "storebridge-review-backlog",
        "60 products of three days ago wait for a review by hand",
        """
            INSERT INTO product_registrations (state, error_code, error_message, created_at)
            SELECT 'MANUAL_REVIEW', 'FORBIDDEN_WORD', 'opsproof-fault', now() - interval '3 days'
            FROM generate_series(1, 60)
        """,
    ),
    _rows_added(
        "storebridge-yesterday-failing",
        "100 registrations failed yesterday",
        """
            INSERT INTO product_registrations (state, error_code, error_message, created_at)
            SELECT 'FAILED', 'NAVER_400', 'opsproof-fault', now() - interval '1 day' FROM generate_series(1, 100)
        """,
    ),
    database.ContentChanged(
        "storebridge-old-rows",
        "a finished job of 100 days ago and an audit log of 200 days ago were never archived",
        STOREBRIDGE,
        change="""
            INSERT INTO jobs (queue, status, created_at, completed_at)
                VALUES ('opsproof-fault', 'COMPLETED', now() - interval '100 days', now() - interval '100 days');
            INSERT INTO audit_logs (actor, action, subject, created_at)
                VALUES ('opsproof-fault', 'register', 'nothing', now() - interval '200 days')
        """,
        restore="""
            DELETE FROM jobs WHERE queue = 'opsproof-fault';
            DELETE FROM audit_logs WHERE actor = 'opsproof-fault'
        """,
        seen="SELECT EXISTS (SELECT FROM jobs WHERE queue = 'opsproof-fault')",
    ),
    database.ContentChanged(
        "storebridge-index-missing",
        "the index idx_products_created_at is not there",
        STOREBRIDGE,
        change="DROP INDEX idx_products_created_at",
        restore="CREATE INDEX IF NOT EXISTS idx_products_created_at ON products (created_at)",
        seen="SELECT to_regclass('public.idx_products_created_at') IS NULL",
    ),
    database.ContentChanged(
        "storebridge-archive-behind",
        "jobs has a column that jobs_archive lacks",
        STOREBRIDGE,
        # The archive is changed, not jobs: a service that reads jobs would trip over the new column.
        change="""
            ALTER TABLE jobs_archive SET SCHEMA opsproof_fault;
            CREATE TABLE jobs_archive AS SELECT id, queue, status, created_at, completed_at FROM jobs WITH NO DATA
        """,
        restore="""
            DO $$ BEGIN
                IF to_regclass('opsproof_fault.jobs_archive') IS NOT NULL THEN
                    DROP TABLE IF EXISTS public.jobs_archive;
                    ALTER TABLE opsproof_fault.jobs_archive SET SCHEMA public;
                END IF;
            END $$
        """,
        seen="SELECT to_regclass('opsproof_fault.jobs_archive') IS NOT NULL",
    ),
    database.ContentChanged(
        "storebridge-database-large",
        "the database has 40 MB more than it needs",
        STOREBRIDGE,
        change="""
            CREATE TABLE opsproof_fault.filler (filler text);
            ALTER TABLE opsproof_fault.filler ALTER COLUMN filler SET STORAGE PLAIN;
            INSERT INTO opsproof_fault.filler SELECT repeat('x', 7500) FROM generate_series(1, 5000)
        """,
        restore="DROP TABLE IF EXISTS opsproof_fault.filler",
        seen="SELECT to_regclass('opsproof_fault.filler') IS NOT NULL",
    ),
    database.Held(
        "storebridge-connections-open",
        "30 connections are open and idle",
        STOREBRIDGE,
        held.idle(30),
        held.are_open(30),
    ),
    Both(
        Defect(
            "storebridge-no-pre-ping",
            "the database ends idle connections, and users' requests take them from the pool as they are",
            STOREBRIDGE,
            {"no_pre_ping": True},
            logged("terminating connection due to"),
            group="database",
        ),
        database.Held("storebridge-no-pre-ping", "", STOREBRIDGE, held.ended("storebridge-api"), held.ends_others),
    ),
    database.Held(
        "storebridge-idle-in-transaction",
        "two connections keep a transaction open and do nothing",
        STOREBRIDGE,
        held.idle_in_transaction(2),
        held.are_in_transaction(2),
    ),
)
