"""Alertmanager: takes the alerts of Prometheus, and tells nobody."""

import json
import shutil

from typing_extensions import override

from opsproof.stack.ask import ask
from opsproof.stack.parts.part import Launch, Part, Plan
from opsproof.stack.ports import HOST

_PROGRAMS = ("prometheus-alertmanager", "alertmanager")  # as Debian names it, and as its makers do
_NOWHERE = f"http://{HOST}:9"


class Alertmanager(Part):
    """Ready when it says so and Prometheus, where there is one, sends its alerts to it."""

    name = "alertmanager"

    @override
    def absent(self) -> str:
        if _program():
            return ""
        return "Alertmanager is not installed on this machine; next: apt-get install prometheus-alertmanager"

    @override
    def prepare(self, plan: Plan) -> None:
        home = plan.directory / self.name
        home.mkdir(mode=0o700)
        route = {
            "receiver": "nobody",
            "group_by": ["alertname", "system"],
            "group_wait": "1s",
            "group_interval": "1s",
            "repeat_interval": "1h",
        }
        config = json.dumps({"route": route, "receivers": [{"name": "nobody"}]})  # JSON is YAML, too
        (home / "alertmanager.yml").write_text(config, encoding="utf-8")

    @override
    def launch(self, plan: Plan) -> Launch:
        home = plan.directory / self.name
        argv = [str(_program()), "--config.file=alertmanager.yml", "--storage.path=data", "--log.level=warn"]
        argv += [f"--web.listen-address={plan.address(self.name)}", "--cluster.listen-address="]
        return Launch(argv, home)

    @override
    def missing(self, plan: Plan) -> str:
        answer = ask(f"http://{plan.address(self.name)}/-/ready")
        if answer is None or answer.status != 200:
            return "/-/ready is not answered with 200"
        if not plan.has("prometheus"):
            return ""
        answer = ask(f"http://{plan.address('prometheus')}/api/v1/alertmanagers")
        known = (answer and answer.json()) or {}
        urls = [one["url"] for one in known.get("data", {}).get("activeAlertmanagers", [])]
        return "" if any(plan.address(self.name) in url for url in urls) else "Prometheus does not know it yet"

    @override
    def variables(self, plan: Plan) -> dict[str, str]:
        url = f"http://{plan.address(self.name)}" if plan.has(self.name) else _NOWHERE
        return {"ALERTMANAGER_URL": url, "ALERTS_ABSENT": "" if plan.has(self.name) else self.absent()}


def _program() -> str | None:
    return next((found for name in _PROGRAMS if (found := shutil.which(name))), None)
