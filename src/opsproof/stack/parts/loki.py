"""The stand-in of Loki: the logs of all services, by LogQL."""

import sys

from typing_extensions import override

from opsproof.stack.ask import ask
from opsproof.stack.parts.part import Launch, Part, Plan


class Loki(Part):
    """Ready when /ready answers; not Loki, but a stand-in that speaks its API (see `opsproof.stack.standins.loki`)."""

    name = "loki"
    lets_go_first = ("postgres",)

    @override
    def launch(self, plan: Plan) -> Launch:
        argv = [sys.executable, "-m", "opsproof.stack.standins.loki", "--port", str(plan.ports[self.name])]
        return Launch([*argv, "--directory", str(plan.directory)], plan.directory)

    @override
    def missing(self, plan: Plan) -> str:
        answer = ask(f"http://{plan.address(self.name)}/ready")
        return "" if answer is not None and answer.status == 200 else "/ready is not answered with 200"

    @override
    def variables(self, plan: Plan) -> dict[str, str]:
        return {"LOKI_URL": f"http://{plan.address(self.name)}"}
