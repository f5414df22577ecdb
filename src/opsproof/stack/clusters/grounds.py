"""The grounds of a rehearsal: a folder, ports and processes that end with it, or are reaped by the next start."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from opsproof.stack import directory as places
from opsproof.stack.clusters.programs import Programs
from opsproof.stack.ports import free_ports
from opsproof.stack.process import MARK, Process, spawn, wait_for
from opsproof.stack.state import edit_state

_SECONDS_TO_END = 5.0


class Grounds:
    """
    A folder of its own among those of the stacks.

    >>> with Grounds() as grounds:
    ...     grounds.folder("archive")
    """

    def __init__(self) -> None:
        places.reap()
        self.directory = places.create(None, [], [])
        self.programs = Programs()
        self.ports: dict[str, int] = {}
        """By name, the ports that were given out."""
        self.servers: list[Process] = []
        """What was started as the user that PostgreSQL runs as."""

    def folder(self, name: str) -> Path:
        """A folder (0700) that belongs to the user that PostgreSQL runs as; made if need be, else left as it is."""
        path = self.directory / name
        missing = [one for one in (path, *path.parents) if not one.exists()]
        if missing:
            path.mkdir(mode=0o700, parents=True)
            self.programs.own(missing[-1])
        return path

    def port(self, name: str) -> int:
        """The port of that name; a free one when it is first asked for."""
        with edit_state(self.directory) as state:
            if name not in state.ports:
                state.ports |= free_ports([name], set(state.ports.values()))
            self.ports[name] = state.ports[name]
            return state.ports[name]

    def spawn(
        self, argv: Sequence[str], *, name: str, cwd: Path, env: dict[str, str] | None = None, ours: bool = False
    ) -> Process:
        """
        Start a process; it ends with the grounds at the latest.

        Args:
            name: Names its log.
            env: Added to the little that every process inherits.
            ours: As the user that this process runs as, and not as PostgreSQL's: it may not read our libraries.
        """
        own = None if ours else self.programs.user
        marked = {"PATH": os.defpath, "LC_ALL": "C", MARK: str(self.directory), **(env or {})}
        process = spawn(argv, env=marked, cwd=cwd, log=self.log(name), user=own)
        if not ours:
            self.servers.append(process)
        return process

    def log(self, name: str) -> Path:
        """Where the output of a process goes."""
        return self.directory / f"{name}.log"

    def close(self) -> None:
        """End every process and remove the folder. Servers end at once, and wait for nobody."""
        for server in self.servers:
            server.send(signal.SIGCONT)
            server.send(signal.SIGQUIT)
        wait_for(lambda: not any(server.alive() for server in self.servers), _SECONDS_TO_END)
        places.remove(self.directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
