"""The fault of a database that takes no writes."""

from dataclasses import dataclass
from typing import LiteralString

from typing_extensions import override

from opsproof.stack.faults.database import as_superuser
from opsproof.stack.faults.fault import Fault
from opsproof.stack.stack import Stack


@dataclass(frozen=True)
class ReadOnly(Fault):
    """The whole server begins every transaction read-only, as a standby or a server that protects its disk does."""

    name: str
    title: str
    systems: frozenset[str]
    group: str = "database"

    @override
    def inject(self, stack: Stack) -> None:
        self._set(stack, "ALTER SYSTEM SET default_transaction_read_only = on")

    @override
    def in_force(self, stack: Stack) -> bool:
        with as_superuser(stack, "postgres") as connection:
            row = connection.execute("SHOW transaction_read_only").fetchone()
        return row == ("on",)

    @override
    def heal(self, stack: Stack) -> None:
        self._set(stack, "ALTER SYSTEM RESET default_transaction_read_only")

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return "as postgres: ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf()"

    def _set(self, stack: Stack, statement: LiteralString) -> None:
        with as_superuser(stack, "postgres") as connection:
            connection.execute(statement)
            connection.execute("SELECT pg_reload_conf()")
