"""The fault of a schema that is one revision behind."""

from dataclasses import dataclass

from typing_extensions import override

from opsproof.errors import StackError
from opsproof.stack.control import run_once
from opsproof.stack.faults.fault import Fault
from opsproof.stack.parts.migrations import Migrations
from opsproof.stack.parts.postgres import database_url
from opsproof.stack.stack import Stack
from opsproof.stack.state import edit_state


@dataclass(frozen=True)
class MigrationBehind(Fault):
    """The databases are one revision below the newest, by a real downgrade."""

    name: str
    title: str
    systems: frozenset[str]
    group: str = "database"

    @override
    def inject(self, stack: Stack) -> None:
        with edit_state(stack.directory) as state:
            state.faults[self.name].memory["revisions"] = self._revisions(stack)
        _migrate(stack, "-1")

    @override
    def in_force(self, stack: Stack) -> bool:
        before, now = self._both(stack)
        return all(now[system] != before[system] for system in before)

    @override
    def gone(self, stack: Stack) -> bool:
        before, now = self._both(stack)
        return now == before

    @override
    def heal(self, stack: Stack) -> None:
        _migrate(stack, "head")

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f". {stack.variables_file}; python -m opsproof.stack.services.migrate {' '.join(stack.state.systems)}"

    def _both(self, stack: Stack) -> tuple[dict[str, str], dict[str, str]]:
        now = self._revisions(stack)
        return stack.state.faults[self.name].memory.get("revisions", now), now

    def _revisions(self, stack: Stack) -> dict[str, str]:
        import psycopg

        plan, found = stack.plan, {}
        for system in sorted(self.systems.intersection(plan.systems)):
            with psycopg.connect(database_url(plan, system), connect_timeout=2) as connection:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
                found[system] = str(row[0]) if row else ""
        return found


def _migrate(stack: Stack, revision: str) -> None:
    plan = stack.plan
    launch = Migrations().launch(plan)
    launch.argv.append(f"--to={revision}")
    if status := run_once(stack.directory, launch, Migrations().log(plan)):
        raise StackError(
            f"migrating to {revision} ended with status {status}",
            where=str(Migrations().log(plan)),
            next_step="read the log",
        )
