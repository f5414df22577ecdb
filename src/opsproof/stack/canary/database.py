"""The database that both tracks share, and the task that makes its tables."""

from __future__ import annotations

import sys

from opsproof.errors import StackError
from opsproof.stack.clusters import Cluster, Grounds
from opsproof.stack.control import inherited
from opsproof.stack.logs import log_tail
from opsproof.stack.names import prefix_of
from opsproof.stack.process import Process, exit_status, wait_for

SYSTEM = "factory-ai"

_MIGRATION_SECONDS = 60.0


class CanaryDatabase:
    """
    One PostgreSQL server with the service's database.

    Args:
        grounds: Where it lives.
        secrets: Passwords by name: `factory-ai.database`.
    """

    def __init__(self, grounds: Grounds, secrets: dict[str, str]) -> None:
        self.cluster = Cluster(grounds, "database", tcp=True)
        self.url = self.cluster.url(SYSTEM, SYSTEM, secrets[f"{SYSTEM}.database"])
        self._grounds = grounds
        self._secrets = secrets
        self._migrations: Process | None = None

    def start(self) -> None:
        """Make the server with the service's role; its tables are made meanwhile. Raises StackError."""
        from psycopg import sql

        argv = [sys.executable, "-m", "opsproof.stack.services.migrate", SYSTEM]
        env = inherited(self._grounds.directory) | {f"{prefix_of(SYSTEM)}_DATABASE_URL": self.url}
        self._migrations = self._grounds.spawn(argv, name="migrations", cwd=self._grounds.directory, env=env, ours=True)
        self.cluster.initialize()
        self.cluster.start()
        name, password = sql.Identifier(SYSTEM), sql.Literal(self._secrets[f"{SYSTEM}.database"])
        with self.cluster.connect() as connection:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, password))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))

    def wait(self) -> None:
        """Wait until it has its tables and first rows. Raises StackError when it will not."""
        process = self._migrations
        assert process is not None
        wait_for(lambda: exit_status(process) is not None, _MIGRATION_SECONDS)
        if (status := exit_status(process)) != 0:
            log = self._grounds.log("migrations")
            raise StackError(
                f"the migrations ended with status {status}" if status else "the migrations do not end",
                where=f"{log}{log_tail(log, self._secrets)}",
                next_step="read the lines above; they are the last of its log",
            )
