"""
`python -m opsproof.stack.faults.holder`: holds a lock, or all connections, until it is ended.

What to hold stands in the environment variable HOLD (JSON), because the addresses have passwords in them:
    {"locks": [{"url": ..., "statement": "LOCK TABLE ..."}]}    or    {"connections": [url, ...], "superuser": url}
"""

import json
import os
import signal
import time
from typing import Any

import psycopg

_NAME = "opsproof-fault"
_ROUNDS = 200
_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND application_name <> %s
"""


def main() -> None:
    """Take hold, then wait to be ended."""
    wanted: dict[str, Any] = json.loads(os.environ["HOLD"])
    # Kept in a name: a connection that nobody refers to is closed.
    held = [_locked(lock["url"], lock["statement"]) for lock in wanted.get("locks", [])]
    if "connections" in wanted:
        held += _occupied(wanted["connections"], wanted["superuser"])
    signal.pause()


def _locked(url: str, statement: str) -> psycopg.Connection:
    connection = psycopg.connect(url, application_name=_NAME)
    connection.execute(statement.encode())
    return connection


def _occupied(urls: list[str], superuser: str) -> list[psycopg.Connection]:
    """All connections that are left, those of others included: theirs are closed and taken before they come back."""
    held: list[psycopg.Connection] = []
    keys = psycopg.connect(superuser, application_name=_NAME, autocommit=True)
    for _ in range(_ROUNDS):
        _take_all(urls, held)
        if not keys.execute(_OTHERS, (_NAME,)).fetchall():
            break
        time.sleep(0.01)
    return [*held, keys]  # the superuser's too: to close it would leave one connection for the others


def _take_all(urls: list[str], held: list[psycopg.Connection]) -> None:
    while True:
        try:
            held.append(psycopg.connect(urls[len(held) % len(urls)], application_name=_NAME))
        except psycopg.OperationalError:  # no slot is left, which is the aim
            return


if __name__ == "__main__":
    main()
