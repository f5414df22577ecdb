"""The postgres probe against a real database: answers, failures in words, sessions, replay."""

import asyncio
import os
import signal
import subprocess
import time
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
from asking import a_probe, as_a_check, memory_of

from opsproof.errors import BadAnswer, NoData, NotObserved, PreconditionMissing, TimedOut, Unreachable


@asynccontextmanager
async def a_database(dsn: str, **target):
    database = a_probe(kind="postgres", dsn=dsn, name="database", **target)
    try:
        yield database
    finally:
        await database.close()


def ask(dsn, sql, *, how="rows", target=None, **parameters):
    """The rows or value of a statement, or the error that it raises."""

    async def main():
        async with a_database(dsn, **(target or {})) as database:
            try:
                return await getattr(database, how)(sql, **parameters)
            except NotObserved as exc:
                return exc

    return asyncio.run(main())


@pytest.fixture(scope="module")
def admin(dsn):
    """A session that may do everything."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def sessions(admin) -> list[tuple]:
    """The sessions that opsproof has."""
    return admin.execute(
        "SELECT state, query FROM pg_stat_activity WHERE application_name = 'opsproof' AND datname = current_database()"
    ).fetchall()


def wait_until_no_session_is_left(admin) -> list[tuple]:
    """A closed connection's server process needs a moment to go."""
    for _ in range(100):
        if not (left := sessions(admin)):
            return []
        time.sleep(0.05)
    return left


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT 7", 7),
        ("SELECT 1.50", 1.5),
        ("SELECT count(*) * 10000000000 FROM (VALUES (1)) v", 10000000000),
        ("SELECT 3::numeric", 3),
        ("SELECT true", True),
        ("SELECT '안녕'", "안녕"),
        ("SELECT '2026-11-21 13:00:00+09'::timestamptz", "2026-11-21T04:00:00+00:00"),
        ("SELECT '2026-11-21 13:00:00'::timestamp", "2026-11-21T13:00:00"),
        ("SELECT '2026-11-21'::date", "2026-11-21"),
        ("SELECT interval '1 day 1 second'", 86401.0),
        ("SELECT '\\x00ff'::bytea", "00ff"),
        ("SELECT '{1,2}'::int[]", [1, 2]),
        ("""SELECT '{"a": [1, null]}'::jsonb""", {"a": [1, None]}),
        ("SELECT '12345678-1234-1234-1234-123456789012'::uuid", "12345678-1234-1234-1234-123456789012"),
        ("SELECT '10.0.0.1'::inet", "10.0.0.1"),
        ("SHOW transaction_read_only", "on"),
        ("SHOW application_name", "opsproof"),
        ("SELECT current_setting('lock_timeout')", "3500ms"),
        ("SELECT current_setting('statement_timeout')", "4500ms"),
    ],
)
def test_a_value_is_plain_json_the_same_live_and_replayed(dsn, sql, value):
    async def main():
        async with a_database(dsn) as database:
            recorder = as_a_check()
            live = await database.value(sql)
            as_a_check()
            again = a_probe(kind="postgres", dsn=dsn, name="database", memory=memory_of(recorder))
            return live, await again.value(sql)

    assert asyncio.run(main()) == (value, value)


def test_rows_are_dicts_of_their_own_for_each_check(dsn):
    """A check that changes its rows must not change those of another that asked the same."""

    async def main():
        async with a_database(dsn) as database:
            first = await database.rows("SELECT 1 AS n")
            first[0]["n"] = 2
            return await database.rows("SELECT 1 AS n")

    assert asyncio.run(main()) == [{"n": 1}]


def test_parameters_are_values_and_never_sql(dsn):
    evil = "'; DROP TABLE x; --"

    rows = ask(dsn, "SELECT %(text)s::text AS text, %(n)s + 1 AS n, '100%%' AS all", text=evil, n=41)

    assert rows == [{"text": evil, "n": 42, "all": "100%"}]


def test_the_statement_can_be_repeated_by_hand_with_its_parameters(dsn):
    async def main():
        async with a_database(dsn) as database:
            recorder = as_a_check()
            text = 'it\'s \\ "$HOME"'
            await database.rows("SELECT %(text)s::text || ' 100%%' AS a, %(n)s::int AS n", text=text, n=None)
            return recorder.observations[0].by_hand

    by_hand = asyncio.run(main())
    parts = urlsplit(dsn)
    environment = os.environ | {"PGPASSWORD": parts.password or ""}
    done = subprocess.run(["sh", "-c", f"{by_hand} -At"], env=environment, capture_output=True, text=True, check=False)

    assert by_hand.startswith(f"psql 'host=127.0.0.1 port={parts.port} user=postgres dbname=postgres' -c ")
    assert parts.password not in by_hand
    if done.returncode != 127:  # psql is not on every machine
        assert done.stdout == 'it\'s \\ "$HOME" 100%|\n'


@pytest.mark.parametrize(
    ("sql", "how", "kind", "what"),
    [
        pytest.param("SELECT 1 WHERE false", "value", NoData, "no row where a value was expected", id="no-row"),
        pytest.param("SELECT NULL", "value", NoData, "NULL where a value was expected", id="null"),
        pytest.param(
            "VALUES (1), (2)", "value", BadAnswer, "2 rows of 1 columns where one value was expected", id="rows"
        ),
        pytest.param(
            "SELECT 1 AS a, 2 AS b",
            "value",
            BadAnswer,
            "1 rows of 2 columns where one value was expected",
            id="columns",
        ),
        pytest.param("SELECT 1 AS a, 2 AS a", "rows", BadAnswer, "two columns with the same name", id="same-name"),
        pytest.param("SELECT generate_series(1, 10001)", "rows", BadAnswer, "more than 10000 rows", id="many-rows"),
        pytest.param(
            "SELECT * FORM items",
            "rows",
            BadAnswer,
            'syntax error at or near "FORM", at about character 10',
            id="syntax",
        ),
        pytest.param("SELECT 1 / 0", "rows", BadAnswer, "division by zero", id="division"),
        pytest.param(
            "SELECT * FROM nothing", "rows", PreconditionMissing, 'relation "nothing" does not exist', id="no-table"
        ),
        pytest.param(
            "SELECT gone FROM pg_class", "rows", PreconditionMissing, 'column "gone" does not exist', id="no-column"
        ),
        pytest.param(
            "SELECT count(*) FROM generate_series(1, 1000000000)",
            "value",
            TimedOut,
            "the database gave up: canceling statement due to statement timeout",
            id="too-slow",
        ),
    ],
)
def test_a_statement_without_a_usable_answer_is_told_in_words(dsn, sql, how, kind, what):
    failure = ask(dsn, sql, how=how, target={"timeout": 0.5})

    assert (type(failure), failure.what) == (kind, what)
    assert failure.where.startswith(f"database of ingest/test, {sql} at postgresql://127.0.0.1:")
    assert failure.next_step
    assert failure.target == "database"


def test_as_many_rows_as_the_limit_are_read(dsn):
    assert len(ask(dsn, "SELECT generate_series(1, 10000) AS n")) == 10_000


@pytest.fixture
def reader(admin):
    """A user that may read nothing, and connect once."""
    admin.execute("CREATE ROLE reader LOGIN PASSWORD 'reader-pw' CONNECTION LIMIT 1")
    admin.execute("CREATE TABLE private (n int)")
    yield "reader:reader-pw"
    admin.execute("DROP TABLE private; DROP ROLE reader")


def with_login(dsn: str, login: str, database: str = "postgres") -> str:
    parts = urlsplit(dsn)
    return f"postgresql://{login}@{parts.hostname}:{parts.port}/{database}"


def test_a_missing_right_is_told_with_the_way_out(dsn, reader):
    failure = ask(with_login(dsn, reader), "SELECT * FROM private")

    assert (type(failure), failure.what) == (PreconditionMissing, "permission denied for table private")
    assert failure.next_step == "Grant the profile's user the right to read this."


RIGHTS = "Correct user and password of the dsn in the profile, or the rights of that user."


@pytest.mark.parametrize(
    ("login", "database", "what", "next_step"),
    [
        pytest.param("postgres:planted-wrong-pw", "postgres", "login refused", RIGHTS, id="wrong-password"),
        pytest.param("nobody:planted-wrong-pw", "postgres", "login refused", RIGHTS, id="unknown-user"),
        pytest.param(
            "reader:reader-pw",
            "nothing",
            "the database does not exist",
            "Create it, or correct the dsn.",
            id="no-database",
        ),
    ],
)
def test_a_refused_login_is_told_without_the_password(dsn, reader, login, database, what, next_step):
    failure = ask(with_login(dsn, login, database), "SELECT 1")

    assert (type(failure), failure.what, failure.next_step) == (Unreachable, what, next_step)
    assert "planted-wrong-pw" not in str(failure)


def test_too_many_connections_are_told(dsn, reader):
    with psycopg.connect(with_login(dsn, reader)):
        failure = ask(with_login(dsn, reader), "SELECT 1")

    assert (type(failure), failure.what) == (Unreachable, "too many connections")


@pytest.mark.parametrize(
    ("dsn", "kind", "what"),
    [
        pytest.param("postgresql://a:b@127.0.0.1:1/x", Unreachable, "connection refused", id="refused"),
        pytest.param("postgresql://a:b@no.invalid/x", Unreachable, "the name of the host is not known", id="name"),
        pytest.param(
            "postgresql://a:planted%zz@127.0.0.1/x",
            PreconditionMissing,
            "the dsn of the profile cannot be read",
            id="%",
        ),
        pytest.param(
            "postgresql://a:b@127.0.0.1/x?planted=1",
            PreconditionMissing,
            "the dsn of the profile cannot be read",
            id="?",
        ),
    ],
)
def test_a_database_that_cannot_be_reached_is_told_why(dsn, kind, what):
    failure = ask(dsn, "SELECT 1")

    assert (type(failure), failure.what) == (kind, what)
    assert "planted" not in str(failure)
    assert (failure.__cause__, failure.__context__) == (None, None), "psycopg's text can hold parts of the password"


def test_a_port_that_is_no_database_is_told(stack):
    port = stack.plan.ports["valkey"]

    failure = ask(f"postgresql://a:b@127.0.0.1:{port}/x?sslmode=disable", "SELECT 1", target={"timeout": 1})

    assert isinstance(failure, Unreachable)


def test_a_database_that_wants_no_tls_is_told(dsn):
    failure = ask(f"{dsn}?sslmode=require", "SELECT 1")

    assert (type(failure), failure.what) == (Unreachable, "TLS: no secure connection")


def test_who_holds_the_lock_is_told(dsn, admin):
    """At night the pid is what an operator needs."""
    admin.execute("CREATE TABLE jobs_locked (n int)")
    try:
        with psycopg.connect(dsn, application_name="migration") as holder:
            holder.execute("LOCK TABLE jobs_locked IN ACCESS EXCLUSIVE MODE")
            failure = ask(dsn, "SELECT * FROM jobs_locked", target={"timeout": 0.5})
            pid = holder.info.backend_pid
    finally:
        admin.execute("DROP TABLE jobs_locked")

    assert isinstance(failure, TimedOut)
    assert failure.what == (
        "the database gave up: canceling statement due to lock timeout;"
        f" jobs_locked is locked by pid {pid} (migration, idle in transaction, for 0 s)"
    )
    assert failure.next_step == "End the session that holds the lock, or wait for it."


def test_no_more_connections_are_open_than_the_budget_allows_and_they_are_used_again(dsn, admin):
    async def main():
        async with a_database(dsn, concurrency=2) as database:
            await asyncio.gather(*(database.value(f"SELECT {number}") for number in range(20)))
            return sessions(admin)

    open_sessions = asyncio.run(main())

    assert [session[0] for session in open_sessions] == ["idle", "idle"]
    assert wait_until_no_session_is_left(admin) == []


def test_a_cancelled_question_leaves_no_session_behind(dsn, admin):
    """Ctrl-C in the middle of a slow statement must not leave it running on the database."""

    async def main():
        async with a_database(dsn, timeout=30) as database:
            asking = asyncio.create_task(database.value("SELECT count(*) FROM generate_series(1, 10000000000)"))
            for _ in range(100):
                if seen := [query for state, query in sessions(admin) if state == "active"]:
                    break
                await asyncio.sleep(0.02)
            await database.observer.close()
            await asyncio.gather(asking, return_exceptions=True)
            left = wait_until_no_session_is_left(admin)
            return seen, left, await database.value("SELECT 1")

    seen, left, answer = asyncio.run(main())

    assert "generate_series" in seen[0], "who looks at the database must see what opsproof asks"
    assert (left, answer) == ([], 1)


def test_a_failed_statement_leaves_a_session_that_can_be_used(dsn, admin):
    async def main():
        async with a_database(dsn, concurrency=1) as database:
            for sql in ("SELECT 1 / 0", "SELECT * FROM nothing", "SELECT * FORM x"):
                with pytest.raises(NotObserved):
                    await database.rows(sql)
            return await database.value("SELECT 1"), len(sessions(admin))

    assert asyncio.run(main()) == (1, 1)


def test_a_session_that_died_with_a_restart_is_replaced_without_a_word(dsn, admin):
    """The database of now is what matters; an idle connection of before says nothing about it."""

    async def main():
        async with a_database(dsn) as database:
            await database.value("SELECT 1")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'opsproof'")
            return await database.value("SELECT 2")

    assert asyncio.run(main()) == 2


def test_a_frozen_database_is_told_within_the_time_limit(dsn, stack):
    """psycopg's own way to cancel would wait ten seconds more."""
    postmaster = stack.state.parts["postgres"].process.pid

    async def main():
        async with a_database(dsn, timeout=0.5) as database:
            await database.value("SELECT 1")
            backend = await database.value("SELECT pg_backend_pid()")
            for pid in (postmaster, backend):
                os.kill(pid, signal.SIGSTOP)
            try:
                with pytest.raises(TimedOut) as caught:
                    await asyncio.wait_for(database.value("SELECT 2"), 3)
            finally:
                for pid in (postmaster, backend):
                    os.kill(pid, signal.SIGCONT)
            return caught.value.what, await database.value("SELECT 3")

    assert asyncio.run(main()) == ("connected, but no whole answer within 0.5 s", 3)
