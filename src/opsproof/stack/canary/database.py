"""The database that both tracks share, and the task that makes its tables."""

from __future__ import annotations

from opsproof.stack.clusters import Cluster, Grounds
from opsproof.stack.site.migrations import Migrations

SYSTEM = "factory-ai"


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
        self._secrets = secrets
        self._migrations = Migrations(grounds, SYSTEM, secrets)

    def start(self) -> None:
        """Make the server with the service's role; its tables are made meanwhile. Raises StackError."""
        from psycopg import sql

        self._migrations.start(self.url)
        self.cluster.initialize()
        self.cluster.start()
        name, password = sql.Identifier(SYSTEM), sql.Literal(self._secrets[f"{SYSTEM}.database"])
        with self.cluster.connect() as connection:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, password))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))

    def wait(self) -> None:
        """Wait until it has its tables and first rows. Raises StackError when it will not."""
        self._migrations.wait()
