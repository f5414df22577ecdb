"""The task that gives the database of a service its tables and first rows."""

from __future__ import annotations

import sys

from opsproof.errors import StackError
from opsproof.stack.clusters import Grounds
from opsproof.stack.control import inherited
from opsproof.stack.logs import log_tail
from opsproof.stack.names import prefix_of
from opsproof.stack.process import Process, exit_status, wait_for

_SECONDS = 60.0


class Migrations:
    """
    One run of a system's migrations.

    Args:
        grounds: Where it runs.
        system: Whose they are.
        secrets: Hidden where its log is shown.
    """

    def __init__(self, grounds: Grounds, system: str, secrets: dict[str, str]) -> None:
        self.process: Process | None = None
        self._grounds = grounds
        self._system = system
        self._secrets = secrets

    def start(self, url: str) -> None:
        """Start it; it waits for the database by itself."""
        argv = [sys.executable, "-m", "opsproof.stack.services.migrate", self._system]
        folder = self._grounds.directory
        env = inherited(folder) | {f"{prefix_of(self._system)}_DATABASE_URL": url}
        self.process = self._grounds.spawn(argv, name="migrations", cwd=folder, env=env, ours=True)

    def wait(self) -> None:
        """Wait until the database has its tables and first rows. Raises StackError when it will not."""
        process = self.process
        assert process is not None
        wait_for(lambda: exit_status(process) is not None, _SECONDS)
        if (status := exit_status(process)) != 0:
            log = self._grounds.log("migrations")
            raise StackError(
                f"the migrations ended with status {status}" if status else "the migrations do not end",
                where=f"{log}{log_tail(log, self._secrets)}",
                next_step="read the lines above; they are the last of its log",
            )
