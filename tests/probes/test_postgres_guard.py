"""Statements that do more than read: refused before they are sent, or by the database, and always without effect."""

import asyncio
import contextlib

import psycopg
import pytest
from asking import a_probe
from hypothesis import given
from hypothesis import strategies as st

from opsproof.errors import NotObserved, Refused
from opsproof.probes.postgres.guard import objection

NOT_SENT = [
    "INSERT INTO guarded VALUES (2)",
    "UPDATE guarded SET n = 2",
    "DELETE FROM guarded",
    "MERGE INTO guarded g USING guarded s ON g.n = s.n WHEN MATCHED THEN DELETE",
    "TRUNCATE guarded",
    "DROP TABLE guarded",
    "CREATE TABLE made (n int)",
    "ALTER TABLE guarded ADD COLUMN m int",
    "GRANT ALL ON guarded TO public",
    "COMMENT ON TABLE guarded IS 'x'",
    "VACUUM guarded",
    "ANALYZE guarded",
    "REINDEX TABLE guarded",
    "CLUSTER guarded",
    "CHECKPOINT",
    "LOCK TABLE guarded",
    "COPY guarded TO PROGRAM 'touch /tmp/opsproof-was-here'",
    "COPY (SELECT 1) TO STDOUT",
    "DO $$ BEGIN DELETE FROM guarded; END $$",
    "CALL wipe()",
    "SET ROLE postgres",
    "RESET ALL",
    "BEGIN",
    "COMMIT; DELETE FROM guarded",
    "NOTIFY guarded",
    "LISTEN guarded",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DECLARE c CURSOR FOR SELECT 1",
    "",
    "-- only a comment",
    "SELECT 1; DELETE FROM guarded",
    "SELECT 1; SELECT 2",
    "SELECT 1; -- ;\nDELETE FROM guarded",
    "/* */ DELETE FROM guarded",
    "/* /* nested */ SELECT */ DELETE FROM guarded",
    "/* SELECT",
    "SELECT 'open",
    'SELECT "open',
    "SELECT $$open",
    "SELECT 1 /* ' */; DELETE FROM guarded --'",
    "SELECT $a$ $b$ ; $a$; DELETE FROM guarded",
    "SELECT e'\\'; DELETE FROM guarded --'; DELETE FROM guarded",
    "WITH gone AS (DELETE FROM guarded RETURNING *) SELECT * FROM gone",
    "WITH gone AS MATERIALIZED (UPDATE guarded SET n = 2 RETURNING *) SELECT * FROM gone",
    "WITH new AS (INSERT INTO guarded VALUES (2) RETURNING *) SELECT * FROM new",
    "WITH one AS (SELECT 1) DELETE FROM guarded",
    "SELECT * INTO made FROM guarded",
    "SELECT * INTO TEMP made FROM guarded",
    "SELECT * FROM guarded FOR UPDATE",
    "SELECT * FROM guarded FOR NO KEY UPDATE",
    "SELECT * FROM guarded FOR SHARE",
    "SELECT * FROM guarded for/**/key share",
    "EXPLAIN ANALYZE DELETE FROM guarded",
    "EXPLAIN (ANALYZE) DELETE FROM guarded",
    "EXPLAIN (VERBOSE, ANALYZE true) SELECT 1",
    "EXPLAIN DELETE FROM guarded",
    "SELECT pg_terminate_backend(pg_backend_pid())",
    "SELECT pg_cancel_backend(1)",
    "SELECT pg_catalog.pg_terminate_backend (1)",
    'SELECT "pg_terminate_backend"(1)',
    'SELECT U&"pg\\005fterminate_backend"(1)',
    "SELECT PG_Terminate_Backend/* */(1)",
    "SELECT pg_sleep(60)",
    "SELECT pg_sleep_for('1 minute')",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT pg_switch_wal()",
    "SELECT pg_promote()",
    "SELECT pg_create_restore_point('x')",
    "SELECT pg_create_physical_replication_slot('s', true)",
    "SELECT pg_drop_replication_slot('s')",
    "SELECT pg_logical_slot_get_changes('s', NULL, NULL)",
    "SELECT pg_logical_emit_message(false, 'a', 'b')",
    "SELECT pg_backup_start('x')",
    "SELECT pg_stat_reset()",
    "SELECT pg_stat_statements_reset()",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_try_advisory_xact_lock(1)",
    "SELECT pg_export_snapshot()",
    "SELECT pg_notify('a', 'b')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT nextval('guarded_seq')",
    "SELECT setval('guarded_seq', 99)",
    "SELECT lo_create(1)",
    "SELECT lo_import('/etc/passwd')",
    "SELECT dblink_exec('dbname=postgres', 'DELETE FROM guarded')",
    "SELECT query_to_xml('DELETE FROM guarded', true, true, '')",
    "SELECT ts_stat('SELECT 1')",
    "SELECT pg_current_xact_id()",
    "SELECT * FROM (SELECT pg_sleep(60)) s",
    "VALUES (pg_sleep(60))",
    "TABLE guarded FOR UPDATE",
]

REFUSED_BY_THE_DATABASE = [
    "SELECT wipe_function()",
    "SELECT * FROM wipe_function()",
    "SELECT count(*) FROM guarded WHERE wipe_function() IS NULL",
]

READS = [
    "SELECT 1",
    " (SELECT 1) ;",
    "-- why\nSELECT 1 -- that is why",
    "/* a /* nested */ comment */ select count(*) from guarded",
    "TABLE guarded",
    "VALUES (1), (2)",
    "SHOW server_version",
    "EXPLAIN SELECT * FROM guarded",
    "WITH n AS (SELECT n FROM guarded) SELECT * FROM n",
    "WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 3) SELECT * FROM n",
    "SELECT 'DELETE FROM guarded; INSERT INTO x' AS text",
    "SELECT 'it''s; ' || E'\\'; DROP' AS text",
    "SELECT $$; DELETE FROM guarded$$ AS text, $x$ $$ ; $x$ AS more",
    'SELECT n AS "insert; into" FROM guarded',
    "SELECT substring('abc' FROM 1 FOR 2), extract(epoch FROM now() - interval '1 day')",
    "SELECT pg_is_in_recovery(), pg_postmaster_start_time() IS NULL",
    "SELECT n AS updated, n AS deleted_at FROM guarded",
    "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'",
    "SELECT last_analyze, n_dead_tup FROM pg_stat_user_tables",
    "SELECT to_jsonb(guarded) ? 'n', '{1,2}'::int[] FROM guarded",
]


@pytest.fixture(scope="module")
def guarded(dsn):
    """A table, a sequence and functions that would change it."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE guarded (n int)")
        connection.execute("INSERT INTO guarded VALUES (1)")
        connection.execute("CREATE SEQUENCE guarded_seq")
        body = "LANGUAGE plpgsql AS $$ BEGIN DELETE FROM guarded; END $$"
        connection.execute(f"CREATE FUNCTION wipe_function() RETURNS void {body}")
        connection.execute(f"CREATE PROCEDURE wipe() {body}")
        yield connection
        connection.execute(
            "DROP TABLE guarded; DROP SEQUENCE guarded_seq; DROP FUNCTION wipe_function; DROP PROCEDURE wipe"
        )


def state(connection: psycopg.Connection) -> tuple:
    """Everything that the statements above would change."""
    return connection.execute(
        "SELECT (SELECT array_agg(n) FROM guarded), (SELECT (last_value, is_called) FROM guarded_seq),"
        " (SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'S')), (SELECT count(*) FROM pg_replication_slots),"
        " (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),"
        " (SELECT pg_postmaster_start_time())"
    ).fetchone()


@pytest.mark.parametrize("sql", NOT_SENT)
def test_a_statement_that_does_more_than_read_is_never_sent(guarded, dsn, sql):
    """The superuser asks: what is refused here is refused by opsproof, whatever the rights."""
    before = state(guarded)

    async def main() -> None:
        database = a_probe(kind="postgres", dsn=dsn, name="database")
        with pytest.raises(Refused):
            await database.rows(sql)
        assert database._sessions is None, "no session was opened"

    asyncio.run(main())

    assert state(guarded) == before


ACTS_WITHOUT_WRITING = ("pg_", "lo_", "copy", "checkpoint", "vacuum")
WRITES = [sql for sql in NOT_SENT if not any(word in sql.lower() for word in ACTS_WITHOUT_WRITING)]


@pytest.mark.parametrize("sql", [*REFUSED_BY_THE_DATABASE, *WRITES])
def test_without_the_guard_the_session_still_changes_nothing(guarded, dsn, sql, monkeypatch):
    """The guard is not the only wall: it cannot see into functions."""
    monkeypatch.setattr("opsproof.probes.postgres.probe.objection", lambda sql: None)
    before = state(guarded)

    async def main() -> None:
        database = a_probe(kind="postgres", dsn=dsn, name="database")
        with contextlib.suppress(Refused, NotObserved):
            await database.rows(sql)
        await database.close()

    asyncio.run(main())

    assert state(guarded) == before


@pytest.mark.parametrize("sql", REFUSED_BY_THE_DATABASE)
def test_a_function_that_writes_is_refused_by_the_database(guarded, dsn, sql):
    async def main() -> None:
        database = a_probe(kind="postgres", dsn=dsn, name="database")
        try:
            await database.rows(sql)
        finally:
            await database.close()

    with pytest.raises(Refused) as caught:
        asyncio.run(main())

    assert caught.value.what == (
        "the database refused it in a read-only session: cannot execute DELETE in a read-only transaction"
    )


@pytest.mark.parametrize("sql", READS)
def test_a_statement_that_reads_is_answered(guarded, dsn, sql):
    """A guard that refuses honest questions would be turned off."""

    async def main() -> list:
        database = a_probe(kind="postgres", dsn=dsn, name="database")
        try:
            return await database.rows(sql)
        finally:
            await database.close()

    assert isinstance(asyncio.run(main()), list)


def test_the_refusal_names_the_reason_and_the_way_out(dsn):
    async def main() -> None:
        await a_probe(kind="postgres", dsn=dsn, name="database").rows("SELECT pg_sleep(1)")

    with pytest.raises(Refused) as caught:
        asyncio.run(main())

    assert caught.value.what == "not sent: the function pg_sleep, which acts or holds the session up"
    assert caught.value.where.startswith("database of ingest/test, SELECT pg_sleep(1) at postgresql://127.0.0.1:")
    assert caught.value.next_step == "Read with one plain SELECT; opsproof changes nothing in a database."


@given(st.text(st.sampled_from(list("select1;'\"$a-*/ \n\\eE&Uu(,)%s")), max_size=60))
def test_any_text_is_judged(text):
    """The guard answers for any text, in time; it never raises."""
    assert objection(text) is None or isinstance(objection(text), str)


@given(st.text(max_size=30))
def test_a_quoted_text_hides_nothing_and_changes_nothing(text):
    quoted = text.replace("'", "''").replace("\0", "")

    assert objection(f"SELECT '{quoted}'") is None
    assert objection(f"SELECT '{quoted}'; DELETE FROM guarded") == "more than one statement"
