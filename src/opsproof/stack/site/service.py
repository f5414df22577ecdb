"""The reference service of one site."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from opsproof.errors import StackError
from opsproof.stack.ask import ask
from opsproof.stack.clusters import Grounds
from opsproof.stack.control import inherited
from opsproof.stack.logs import log_tail
from opsproof.stack.names import SUPERVISOR
from opsproof.stack.ports import HOST
from opsproof.stack.process import Process, end, exit_status, wait_for
from opsproof.stack.site.databases import SYSTEM
from opsproof.stack.state import write_private

_READY_SECONDS = 60.0


class SiteService:
    """
    One process of the service, with the settings and secrets that are kept at its own site.

    Args:
        grounds: Where it lives.
        site: `home` or `dr`.
        settings: Its environment, as first written to the site's environment file.
        secrets: Hidden where its log is shown.
    """

    def __init__(self, grounds: Grounds, site: str, settings: dict[str, str], secrets: dict[str, str]) -> None:
        self.name = f"service-{site}"
        self.port = grounds.port(self.name)
        self.process: Process | None = None
        self.environment_file = grounds.directory / f"{self.name}.env"
        """NAME=value lines, read at each start: what is wrong in it is wrong in the service."""
        self._grounds = grounds
        self._secrets = secrets
        write_private(self.environment_file, "".join(f"{name}={value}\n" for name, value in settings.items()))

    @property
    def url(self) -> str:
        """Where it listens, whatever the DNS says."""
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """Its log."""
        return self._grounds.log(self.name)

    def start(self) -> None:
        """Start it, if it does not run; nothing is waited for."""
        if self.running():
            return
        lines = self.environment_file.read_text(encoding="utf-8").splitlines()
        settings = {name: value for name, _, value in (line.partition("=") for line in lines)}
        argv = [sys.executable, "-m", "opsproof.stack.services.serve", SYSTEM, "--port", str(self.port)]
        env = inherited(self._grounds.directory) | settings
        self.process = self._grounds.spawn(argv, name=self.name, cwd=self._grounds.directory, env=env, ours=True)

    def running(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.alive()

    def ready(self) -> bool:
        """Whether it says that it is ready, its database and cache included."""
        answer = ask(f"{self.url}/health/ready", headers={"User-Agent": SUPERVISOR})
        return answer is not None and answer.status == 200

    def wait(self, seconds: float = _READY_SECONDS) -> None:
        """
        Wait until it is ready.

        Raises:
            StackError: It ended, or is not ready in time.
        """
        if not wait_for(lambda: self.ready() or not self.running(), seconds, pause=0.02) or not self.running():
            status = exit_status(self.process) if self.process else None
            what = f"{self.name} is not ready after {seconds:g} s" if self.running() else f"{self.name} ended: {status}"
            raise StackError(
                what, where=f"{self.log}{log_tail(self.log, self._secrets)}", next_step="read the lines above"
            )

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it by a signal; nothing if it does not run."""
        if self.process is not None:
            end([(self.process, number)])
        self.process = None
