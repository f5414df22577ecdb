"""
`python -m opsproof.stack.faults.holder`: holds a lock, or all connections, until it is ended.

What to hold stands in the environment variable HOLD (JSON), because the addresses have passwords in them:
    {"locks": [{"url": ..., "statement": "LOCK TABLE ..."}]}    or    {"connections": [url, ...], "superuser": url}
    or    {"idle": [url, ...]}, a connection for each
    or    {"busy": [{"url": ..., "statement": "SELECT pg_sleep(3600)"}]}, a connection for each, which waits for an end
    or    {"ended": {"url": superuser, "application": ...}}, which holds nothing: it ends idle connections of others
"""

import json
import os
import signal
import threading
import time
from typing import Any

import psycopg

_PAUSE = 0.05
_LIMIT = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
"""
_SECONDS_BETWEEN_ENDS = 0.5
_END_IDLE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = %s AND state = 'idle' AND state_change < now() - interval '20 milliseconds'
"""
_CLOSE_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND usename <> 'postgres'
        AND application_name <> current_setting('application_name')
"""


def main() -> None:
    """Take hold, then wait to be ended."""
    wanted: dict[str, Any] = json.loads(os.environ["HOLD"])
    # Kept in a name: a connection that nobody refers to is closed.
    held = [_locked(lock["url"], lock["statement"]) for lock in wanted.get("locks", [])]
    held += [_opened(url) for url in wanted.get("idle", [])]
    for busy in wanted.get("busy", []):
        threading.Thread(target=_run, args=(busy["url"], busy["statement"]), daemon=True).start()
    if "connections" in wanted:
        _occupy(wanted["connections"], wanted["superuser"], held)
    if "ended" in wanted:
        _end_idle(wanted["ended"]["url"], wanted["ended"]["application"])
    signal.pause()


def _opened(url: str) -> psycopg.Connection:
    """A connection, once there is a place for it: services give theirs back one by one."""
    while True:
        try:
            return psycopg.connect(url, autocommit=True)
        except psycopg.OperationalError as error:
            if "connection slots" not in str(error):
                raise
        time.sleep(_PAUSE)


def _locked(url: str, statement: str) -> psycopg.Connection:
    connection = psycopg.connect(url)
    connection.execute(statement.encode())
    return connection


def _run(url: str, statement: str) -> None:
    """Once this process has ended the server notices within half a second, instead of ending the statement first."""
    with psycopg.connect(url, autocommit=True, options="-c client_connection_check_interval=500") as connection:
        connection.execute(statement.encode())


def _occupy(urls: list[str], superuser: str, held: list[psycopg.Connection]) -> None:
    """Take all connections that are not reserved; those of others are closed and taken before they come back."""
    keys = psycopg.connect(superuser, autocommit=True)
    held.append(keys)
    (limit,) = keys.execute(_LIMIT).fetchone() or (0,)
    while len(held) < limit:
        try:
            held.append(psycopg.connect(urls[len(held) % len(urls)]))
        except psycopg.OperationalError:  # somebody has what is missing
            keys.execute(_CLOSE_OTHERS)
            time.sleep(_PAUSE)


def _end_idle(url: str, application: str) -> None:
    """End them again and again, until this process is ended itself."""
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            connection.execute(_END_IDLE, (application,))
            time.sleep(_SECONDS_BETWEEN_ENDS)


if __name__ == "__main__":
    main()
