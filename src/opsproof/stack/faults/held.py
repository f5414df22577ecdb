"""Connections that somebody opened and does not use: what a leak looks like to the database."""

from collections.abc import Callable
from typing import Any

from opsproof.stack.faults.database import HOLDER, as_superuser
from opsproof.stack.faults.seen import Seen
from opsproof.stack.parts.postgres import database_url, superuser_url
from opsproof.stack.stack import Stack

Hold = Callable[[Stack, list[str]], dict[str, Any]]


def idle(count: int) -> Hold:
    """Hold so many connections of each system without a transaction."""

    def hold(stack: Stack, systems: list[str]) -> dict[str, Any]:
        return {"idle": [database_url(stack.plan, system) for system in systems for _ in range(count)]}

    return hold


def idle_in_transaction(count: int) -> Hold:
    """Hold so many connections of each system, each in a transaction that does nothing."""

    def hold(stack: Stack, systems: list[str]) -> dict[str, Any]:
        urls = [database_url(stack.plan, system) for system in systems for _ in range(count)]
        return {"locks": [{"url": url, "statement": "SELECT 1"} for url in urls]}

    return hold


def busy(count: int, statement: str, *, after: str = "SELECT 1") -> Hold:
    """Hold so many connections of each system that are busy with a statement, once another has been run apart."""

    def hold(stack: Stack, systems: list[str]) -> dict[str, Any]:
        urls = [database_url(stack.plan, system) for system in systems]
        return {
            "locks": [{"url": url, "statement": after} for url in urls],
            "busy": [{"url": url, "statement": statement} for url in urls for _ in range(count)],
        }

    return hold


def ended(application: str) -> Hold:
    """End, twice a second, the connections that an application holds and does not use, as a restarted server does."""

    def hold(stack: Stack, systems: list[str]) -> dict[str, Any]:
        return {"ended": {"url": superuser_url(stack.plan), "application": application}}

    return hold


def are_busy(count: int) -> Seen:
    """Whether so many statements of the holder are running for more than two seconds in the system's database."""

    def seen(stack: Stack, system: str) -> bool:
        with as_superuser(stack, system) as connection:
            row = connection.execute(
                "SELECT count(*) >= %s FROM pg_stat_activity WHERE application_name = %s AND state = 'active'"
                " AND datname = current_database() AND clock_timestamp() - query_start > interval '2 seconds'",
                (count, HOLDER),
            ).fetchone()
        return bool(row and row[0])

    return seen


def ends_others(stack: Stack, system: str) -> bool:
    """Whether the holder is there to end other connections; it comes to no database of a system for that."""
    with as_superuser(stack, system) as connection:
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = %s AND datname = 'postgres')",
            (HOLDER,),
        ).fetchone()
    return bool(row and row[0])


def are_open(count: int) -> Seen:
    """Whether the holder has so many connections to the system's database."""
    return _held(count, "idle", "0 seconds")


def are_in_transaction(count: int) -> Seen:
    """Whether the holder has so many transactions in the system's database, open for longer than profiles tolerate."""
    return _held(count, "idle in transaction", "1.5 seconds")


def _held(count: int, state: str, age: str) -> Seen:
    def seen(stack: Stack, system: str) -> bool:
        with as_superuser(stack, system) as connection:
            row = connection.execute(
                "SELECT count(*) >= %s FROM pg_stat_activity"
                " WHERE application_name = %s AND state = %s AND datname = current_database()"
                " AND state_change <= now() - %s::interval",
                (count, HOLDER, state, age),
            ).fetchone()
        return bool(row and row[0])

    return seen
