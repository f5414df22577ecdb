"""Faults inside PostgreSQL: its content, its roles, its locks and connections."""

import json
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from typing_extensions import override

from opsproof.stack.control import spawn_helper
from opsproof.stack.faults.fault import Fault
from opsproof.stack.parts.postgres import database_url, superuser_url
from opsproof.stack.process import end
from opsproof.stack.stack import Stack
from opsproof.stack.state import edit_state

if TYPE_CHECKING:
    import psycopg

HOLDER = "opsproof-fault"
"""Name by which the connections of a holding process are known in pg_stat_activity."""

_SECONDS_TO_START = 10.0
_PASSING = ("is starting up", "too many clients already")
_DISCONNECT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"


@dataclass(frozen=True)
class ContentChanged(Fault):
    """
    Rows or tables are changed; what they were is kept in the schema `opsproof_fault`.

    Args:
        change: SQL that puts the old content aside and changes it.
        restore: SQL that brings it back; must work too when nothing was changed.
        seen: A query whose one value is true while the change is seen.
    """

    name: str
    title: str
    systems: frozenset[str]
    change: LiteralString
    restore: LiteralString
    seen: LiteralString
    group: str = "database"

    @override
    def inject(self, stack: Stack) -> None:
        for system in _present(self, stack):
            with as_superuser(stack, system) as connection:
                connection.execute("CREATE SCHEMA IF NOT EXISTS opsproof_fault")
                connection.execute(self.change)

    @override
    def in_force(self, stack: Stack) -> bool:
        return all(self._seen(stack))

    @override
    def gone(self, stack: Stack) -> bool:
        return not any(self._seen(stack))

    @override
    def heal(self, stack: Stack) -> None:
        for system in _present(self, stack):
            with as_superuser(stack, system) as connection:
                connection.execute("CREATE SCHEMA IF NOT EXISTS opsproof_fault")
                connection.execute(self.restore)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f"in the databases {', '.join(_present(self, stack))}, as postgres: {' '.join(self.restore.split())}"

    def _seen(self, stack: Stack) -> list[bool]:
        found = []
        for system in _present(self, stack):
            with as_superuser(stack, system) as connection:
                row = connection.execute(self.seen).fetchone()
                found.append(bool(row and row[0]))
        return found


@dataclass(frozen=True)
class PasswordChanged(Fault):
    """The roles of the services have another password; connections of before are closed."""

    name: str
    title: str
    systems: frozenset[str]
    group: str = "database"

    @override
    def inject(self, stack: Stack) -> None:
        self._set(stack, {system: secrets.token_urlsafe(24) for system in _present(self, stack)})

    @override
    def in_force(self, stack: Stack) -> bool:
        return all("password authentication failed" in _refusal(stack, system) for system in _present(self, stack))

    @override
    def gone(self, stack: Stack) -> bool:
        return not any(_refusal(stack, system) for system in _present(self, stack))

    @override
    def heal(self, stack: Stack) -> None:
        self._set(stack, {system: stack.plan.secrets[f"{system}.database"] for system in _present(self, stack)})

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return (
            f"as postgres: ALTER ROLE NAME PASSWORD '...' for {', '.join(_present(self, stack))}"
            f" (the right ones: secrets in {stack.directory}/stack.json)"
        )

    def _set(self, stack: Stack, passwords: Mapping[str, str]) -> None:
        from psycopg import sql

        with as_superuser(stack, "postgres") as connection:
            for role, password in passwords.items():
                statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
                connection.execute(statement)
                connection.execute(_DISCONNECT, (role,))


@dataclass(frozen=True)
class Held(Fault):
    """
    A process of its own holds locks or connections.

    Args:
        hold: Makes what it is told to hold (see `holder`).
        seen: Whether a system is seen to be affected.
    """

    name: str
    title: str
    systems: frozenset[str]
    hold: Callable[[Stack, list[str]], dict[str, Any]]
    seen: Callable[[Stack, str], bool]
    group: str = "database"

    @override
    def inject(self, stack: Stack) -> None:
        argv = [sys.executable, "-m", "opsproof.stack.faults.holder"]
        hold = json.dumps(self.hold(stack, _present(self, stack)))
        spawn_helper(stack.directory, self.name, argv, {"HOLD": hold, "PGAPPNAME": HOLDER})

    @override
    def in_force(self, stack: Stack) -> bool:
        return all(self.seen(stack, system) for system in _present(self, stack))

    @override
    def gone(self, stack: Stack) -> bool:
        return not any(self.seen(stack, system) for system in _present(self, stack))

    @override
    def heal(self, stack: Stack) -> None:
        with edit_state(stack.directory) as state:
            helpers = state.faults[self.name].helpers
        end((helper, 15) for helper in helpers)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        pids = " ".join(str(helper.pid) for helper in stack.state.faults[self.name].helpers)
        return f"kill -KILL {pids}"


def locks(tables: Mapping[str, LiteralString]) -> Callable[[Stack, list[str]], dict[str, Any]]:
    """Hold an ACCESS EXCLUSIVE lock on one table of each system."""

    def hold(stack: Stack, systems: list[str]) -> dict[str, Any]:
        plan = stack.plan
        wanted = [(superuser_url(plan, system), f"LOCK TABLE {tables[system]}") for system in systems]
        return {"locks": [{"url": url, "statement": statement} for url, statement in wanted]}

    return hold


def table_is_locked(stack: Stack, system: str) -> bool:
    """Whether somebody has an ACCESS EXCLUSIVE lock on an own table of this system's database."""
    with as_superuser(stack, system) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
            " WHERE mode = 'AccessExclusiveLock' AND granted AND relnamespace = 'public'::regnamespace"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchone()
    return bool(row and row[0])


def all_connections(stack: Stack, systems: list[str]) -> dict[str, Any]:
    """Hold every connection that is not reserved for the superuser."""
    plan = stack.plan
    return {"connections": [database_url(plan, system) for system in systems], "superuser": superuser_url(plan)}


def connections_are_used_up(stack: Stack, system: str) -> bool:
    """Whether the holder has every connection (services none) and a service's role is refused."""
    with as_superuser(stack, system) as connection:
        row = connection.execute(
            "SELECT count(*) = current_setting('max_connections')::int"
            " - current_setting('superuser_reserved_connections')::int"
            " FROM pg_stat_activity WHERE application_name = %s",
            (HOLDER,),
        ).fetchone()
    return bool(row and row[0]) and "remaining connection slots" in _refusal(stack, system)


def _refusal(stack: Stack, system: str) -> str:
    """Why PostgreSQL refuses a service's role; "" when it lets it in."""
    import psycopg

    try:
        psycopg.connect(database_url(stack.plan, system), connect_timeout=2).close()
    except psycopg.OperationalError as exc:
        return str(exc) or type(exc).__name__
    return ""


def _present(fault: Fault, stack: Stack) -> list[str]:
    return sorted(fault.systems.intersection(stack.state.systems))


def as_superuser(stack: Stack, database: str) -> "psycopg.Connection":
    """A connection of the superuser; a server that is just starting, or has no place for a moment, is waited for."""
    import psycopg

    url, until = superuser_url(stack.plan, database), time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            return psycopg.connect(url, autocommit=True, connect_timeout=2, options="-c statement_timeout=5000")
        except psycopg.OperationalError as exc:
            if not any(passing in str(exc) for passing in _PASSING) or time.monotonic() > until:
                raise
        time.sleep(0.05)
