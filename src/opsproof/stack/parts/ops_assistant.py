"""The ops assistant's API, and the external API that its tools call."""

import sys

from typing_extensions import override

from opsproof.stack.ask import ask
from opsproof.stack.names import prefix_of
from opsproof.stack.parts.api import Api
from opsproof.stack.parts.part import Launch, Part, Plan
from opsproof.stack.parts.service import DEFECTS_FILE

SYSTEM = "ops-assistant"
MEMORY_LIMIT_MIB = 256
POOL_SIZE = 20
POOL_OVERFLOW = 10
_TOOL_SECOND_MS = 40
"""A tool's limit of 30 s lasts 1.2 s here: seen to work at once, and a time-out alone leaves p95 below 1.5 s."""


class ExternalApi(Part):
    """Ready when its health page answers 200."""

    name = f"{SYSTEM}-external"

    @override
    def launch(self, plan: Plan) -> Launch:
        argv = [sys.executable, "-m", "opsproof.stack.services.ops_assistant.external"]
        argv += ["--port", str(plan.ports[self.name])]
        env = {"EXTERNAL_API_KEY": _key(plan), "DEFECTS_FILE": str(plan.directory / DEFECTS_FILE)}
        return Launch(argv, plan.directory, env)

    @override
    def missing(self, plan: Plan) -> str:
        answer = ask(f"http://{plan.address(self.name)}/health")
        return "" if answer is not None and answer.status == 200 else "/health is not answered with 200"

    @override
    def variables(self, plan: Plan) -> dict[str, str]:
        prefix = prefix_of(SYSTEM)
        return {
            f"{prefix}_EXTERNAL_URL": f"http://{plan.address(self.name)}",
            f"{prefix}_EXTERNAL_API_KEY": _key(plan),
        }


class OpsAssistantApi(Api):
    """As every API; started when the external API answers, so that the first question finds it."""

    needs = (ExternalApi.name,)

    def __init__(self) -> None:
        super().__init__(SYSTEM)

    @override
    def launch(self, plan: Plan) -> Launch:
        launch = super().launch(plan)
        launch.env.update(
            EXTERNAL_API_URL=f"http://{plan.address(ExternalApi.name)}",
            EXTERNAL_API_KEY=_key(plan),
            TOOL_SECOND_MS=str(_TOOL_SECOND_MS),
            MEMORY_LIMIT_MIB=str(MEMORY_LIMIT_MIB),
            DB_CONNECTION_POOL_SIZE=str(POOL_SIZE),
            DB_CONNECTION_POOL_OVERFLOW=str(POOL_OVERFLOW),
        )
        return launch


def _key(plan: Plan) -> str:
    """Credential for the external API; the assistant itself lets it in as a probe."""
    return plan.secrets[f"{SYSTEM}.probe-api-key"]
