"""The HTTP API of a reference service."""

import sys

from typing_extensions import override

from opsproof.stack.ask import ask
from opsproof.stack.credentials import token_variables
from opsproof.stack.names import SUPERVISOR, prefix_of
from opsproof.stack.parts.part import Launch, Part, Plan
from opsproof.stack.parts.postgres import database_url
from opsproof.stack.parts.service import CACHE_DATABASE, migrations_folder, service_environment
from opsproof.stack.parts.valkey import cache_url


class Api(Part):
    """Ready when /health/ready says so, which includes its database and cache."""

    lets_go_first = ("postgres",)

    def __init__(self, system: str) -> None:
        self.system = system
        self.name = f"{system}-api"

    @override
    def launch(self, plan: Plan) -> Launch:
        argv = [sys.executable, "-m", "opsproof.stack.services.serve", self.system]
        argv += ["--port", str(plan.ports[self.name])]
        return Launch(argv, plan.directory, service_environment(plan, self.system))

    @override
    def missing(self, plan: Plan) -> str:
        answer = ask(f"http://{plan.address(self.name)}/health/ready", headers={"User-Agent": SUPERVISOR})
        if answer is None:
            return "/health/ready is not answered"
        return "" if answer.status == 200 else f"/health/ready answers {answer.status}: {answer.body[:200]!r}"

    @override
    def variables(self, plan: Plan) -> dict[str, str]:
        values = {
            "URL": f"http://{plan.address(self.name)}",
            "API_KEY": plan.secrets[f"{self.system}.api-key"],
            "PROBE_API_KEY": plan.secrets[f"{self.system}.probe-api-key"],
            "DATABASE_URL": database_url(plan, self.system),
            "REDIS_URL": cache_url(plan, CACHE_DATABASE[self.system]),
            "LOG_FILE": str(self.log(plan)),
            "PID_FILE": str(plan.directory / f"{self.name}.pid"),
            "MIGRATIONS": str(migrations_folder(self.system)),
        }
        prefix = prefix_of(self.system)
        return {f"{prefix}_{name}": value for name, value in values.items()} | token_variables(
            self.system, plan.secrets[f"{self.system}.jwt"]
        )
