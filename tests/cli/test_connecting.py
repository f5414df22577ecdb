"""`opsproof profile check --connect`: what is found before somebody relies on an indicator."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opsproof.cli import main
from opsproof.stack import Stack

Check = Callable[[str], tuple[int, str]]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A database and a cache."""
    with Stack.start(["ingest"]) as stack:
        yield stack


@pytest.fixture
def check(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Check:
    """Check a profile with one indicator of this source; exit status and all that is read."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles/shop").mkdir(parents=True)

    def check(source: str) -> tuple[int, str]:
        (tmp_path / "profiles/shop/local.yaml").write_text(
            "system: shop\nenvironment: local\ntitle: {en: x, ko: x}\ntargets:\n"
            f"  database: {{kind: postgres, dsn: '{stack.variables['INGEST_DATABASE_URL']}'}}\n"
            f"  cache: {{kind: redis, url: '{stack.variables['INGEST_REDIS_URL']}'}}\n"
            "indicators:\n  number:\n    title: {en: x, ko: x}\n    next_step: {en: x, ko: x}\n"
            f"    {source}\n",
            encoding="utf-8",
        )
        status = main(["profile", "check", "shop/local", "--connect"])
        output = capfd.readouterr()
        return status, output.out + output.err

    return check


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        pytest.param("SELECT 1, 2", "subquery must return only one column", id="two-columns"),
        pytest.param("SELECT 'many'", "gives text where a number is expected", id="text"),
        pytest.param("SELECT now()", "gives timestamp with time zone where a number", id="time"),
        pytest.param("SELECT nosuch FROM pg_class", 'column "nosuch" does not exist', id="no-column"),
    ],
)
def test_sql_that_gives_no_number_is_found(check: Check, sql: str, words: str) -> None:
    """It could be planned, and would be unknown in every run; nothing else is said beside it."""
    status, told = check(f'sql: "{sql}"')

    assert status == 1
    assert words in told
    assert "psycopg" not in told


@pytest.mark.parametrize(
    ("sql", "type_"),
    [
        ("SELECT count(*) FROM generate_series(1, 1000000000000)", "bigint"),
        ("SELECT avg(oid::int) FROM pg_class; ", "numeric"),
        ("SELECT now() - now() -- a span", "interval"),
        ("WITH a AS (SELECT true AS it) SELECT it FROM a", "boolean"),
    ],
)
def test_sql_that_gives_a_number_is_planned_and_not_run(check: Check, sql: str, type_: str) -> None:
    """A count that takes an hour is known to be a count."""
    status, told = check(f'sql: "{sql}"')

    assert (status, f"the database can plan its SQL, which gives {type_}" in told) == (0, True), told


def test_the_length_of_a_key_that_is_not_there_is_said_to_be_that(check: Check) -> None:
    """A queue's name that is spelled wrong is empty for ever: it is told, for redis cannot tell the two apart."""
    status, told = check('redis: {llen: "nobody:{today:%Y}"}')

    assert status == 0
    assert "there is no key nobody:20" in told


@pytest.mark.parametrize("key", ["a:{today.nosuch}", "a:{tomorow}"])
def test_a_placeholder_that_nobody_fills_in_is_a_mistake_of_the_profile(check: Check, key: str) -> None:
    """Told with its line; it ended in a traceback."""
    status, told = check(f'redis: {{get: "{key}"}}')

    assert status == 1
    assert "local.yaml:11: indicators.number.redis.get: expected no placeholder but {today}" in told
