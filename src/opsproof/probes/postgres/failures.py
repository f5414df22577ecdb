"""What went wrong with a statement, in an operator's words."""

import re

import psycopg

from opsproof.errors import BadAnswer, NotObserved, PreconditionMissing, TimedOut, Unreachable
from opsproof.probes.reason import Reason

_RIGHTS = "Correct user and password of the dsn in the profile, or the rights of that user."
_START = "Start the database, or correct host and port of its dsn in the profile."
_FREE = "See who holds the connections (pg_stat_activity); raise max_connections or stop what leaks them."
_CONNECTING: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), what, next_step)
    for pattern, what, next_step in (
        (r"invalid response|unexpected message", "what answers is no PostgreSQL", "Correct the port of the dsn."),
        (r"connection refused|Connect call failed", "connection refused", _START),
        (r"resolve host|translate host name|name or service", "the name of the host is not known", _START),
        (r"no route to host|network is unreachable", "no route to the host", "Check the network and VPN here."),
        (r"too many clients|remaining connection slots|too many connections", "too many connections", _FREE),
        (r"password authentication failed|no password supplied|authentication failed", "login refused", _RIGHTS),
        (r"no pg_hba\.conf entry", "login refused: pg_hba.conf has no entry for this machine and user", _RIGHTS),
        (r'role "[^"]*" does not exist|not permitted to log in', "login refused: there is no such user", _RIGHTS),
        (r'database "[^"]*" does not exist', "the database does not exist", "Create it, or correct the dsn."),
        (r"permission denied for database", "login refused: no right to connect to the database", _RIGHTS),
        (r"starting up|not yet accepting", "the database is starting up", "Wait until it is up; then ask again."),
        (r"shutting down", "the database is shutting down", "Start the database again."),
        (r"certificate|SSL|TLS", "TLS: no secure connection", "Check sslmode and sslrootcert of the dsn."),
        (r"timeout expired", "no connection within the time limit", _START),
        (r"closed the connection unexpectedly|reset by peer", "the connection was closed at once", _START),
    )
)


_TAKEN = "See whether the migrations of this release are applied, and whether the statement fits it."
_ANSWERS: tuple[tuple[tuple[str, ...], type[NotObserved], str, str], ...] = (
    (("57014",), TimedOut, "the database gave up: ", "See what it is busy with (pg_stat_activity)."),
    (("55P03",), TimedOut, "the database gave up: ", "End the session that holds the lock, or wait for it."),
    (("40",), TimedOut, "the database gave up: ", "Ask again; on a standby, look into its conflicts."),
    (("42P01", "42703", "42883", "3F000", "42704"), PreconditionMissing, "", _TAKEN),
    (("42501", "28"), PreconditionMissing, "", "Grant the profile's user the right to read this."),
    (("53300", "57P", "08"), Unreachable, "the connection broke: ", _START),
    (("53", "58", "XX"), BadAnswer, "the database is in trouble: ", "Look into the database's log."),
    (("42",), BadAnswer, "", "Correct the statement; try it by hand."),
    (("",), BadAnswer, "", "Try the statement by hand."),
)


def not_connected(exc: BaseException | None) -> Reason:
    """
    Why no connection could be made.

    libpq's own text can hold parts of the dsn: what the server said is shown, and else words of our own.
    """
    text = " ".join(str(exc).split())
    for pattern, what, next_step in _CONNECTING:
        if pattern.search(text):
            return Reason(Unreachable, what, next_step)
    said = f": {text.rpartition('FATAL:')[2].strip()[:200]}" if "FATAL:" in text else ""
    return Reason(Unreachable, f"no connection could be made{said}", _START)


def not_answered(exc: psycopg.Error, prefix: int) -> Reason:
    """
    Why a statement has no answer.

    Args:
        exc: What psycopg raised.
        prefix: Characters that were sent before the check's own SQL.
    """
    code = exc.sqlstate or ("08" if isinstance(exc, psycopg.OperationalError) else "")
    words = exc.diag.message_primary or " ".join(str(exc).split())[:200] or type(exc).__name__
    kind, before, next_step = next(answer[1:] for answer in _ANSWERS if code.startswith(answer[0]))
    position = int(exc.diag.statement_position or 0) - prefix
    at = f", at about character {position}" if kind is BadAnswer and position > 0 else ""
    return Reason(kind, f"{before}{words}{at}", next_step)
