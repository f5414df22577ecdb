"""Prometheus: reads the metrics of every API each second, and judges the alert rules of the systems."""

import json
import shutil
from pathlib import Path
from typing import Any

from typing_extensions import override

from opsproof.stack.ask import ask
from opsproof.stack.names import job_of, prefix_of
from opsproof.stack.parts.part import Launch, Part, Plan

_RULES = Path(__file__).parents[1] / "rules"
_RETENTION = "2h"
_SCRAPES = 2
_LATELY = "5s"


class Prometheus(Part):
    """
    Ready when every API has been scraped twice, because one sample has no rate, and every rule has been
    evaluated without an error.

    It looks for what it is to scrape 5 seconds after its start and not before, whatever it is told: nobody who needs
    its numbers can be ready sooner.
    """

    name = "prometheus"

    @override
    def absent(self) -> str:
        if shutil.which("prometheus"):
            return ""
        return "Prometheus is not installed on this machine; next: apt-get install prometheus"

    @override
    def prepare(self, plan: Plan) -> None:
        home = home_of(plan)
        home.mkdir(mode=0o700)
        (home / "rules").mkdir()
        for system in plan.systems:
            shutil.copy(_RULES / f"{system}.yml", home / "rules")
        write_config(plan, plan.systems)

    @override
    def launch(self, plan: Plan) -> Launch:
        argv = [str(shutil.which("prometheus")), "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
        argv += [f"--storage.tsdb.retention.time={_RETENTION}", f"--web.listen-address={plan.address(self.name)}"]
        return Launch([*argv, "--log.level=warn"], home_of(plan))

    @override
    def missing(self, plan: Plan) -> str:
        answer = ask(f"http://{plan.address(self.name)}/-/ready")
        if answer is None or answer.status != 200:
            return "/-/ready is not answered with 200"
        return _unscraped(plan) or _unevaluated(plan)

    @override
    def variables(self, plan: Plan) -> dict[str, str]:
        if plan.has(self.name):
            url = f"http://{plan.address(self.name)}"
            metrics = dict.fromkeys(plan.systems, ("prometheus", url))
            variables = {"PROMETHEUS_URL": url}
        else:
            metrics = {system: ("scrape", f"http://{plan.address(f'{system}-api')}/metrics") for system in plan.systems}
            variables = {}
        for system, (kind, url) in metrics.items():
            prefix = prefix_of(system)
            variables |= {f"{prefix}_METRICS_KIND": kind, f"{prefix}_METRICS_URL": url}
        return variables


def home_of(plan: Plan) -> Path:
    """Its folder: prometheus.yml, rules/ and data/."""
    return plan.directory / Prometheus.name


def write_config(plan: Plan, systems: tuple[str, ...]) -> None:
    """Write prometheus.yml, with a scrape job for each of these systems' APIs."""
    config: dict[str, Any] = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "900ms", "evaluation_interval": "1s"},
        "rule_files": ["rules/*.yml"],
        "scrape_configs": [
            {
                "job_name": job_of(f"{system}-api"),
                "static_configs": [{"targets": [plan.address(f"{system}-api")], "labels": {"system": system}}],
            }
            for system in systems
        ],
    }
    if plan.has("alertmanager"):
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [plan.address("alertmanager")]}]}]}
    (home_of(plan) / "prometheus.yml").write_text(json.dumps(config, indent=1), encoding="utf-8")  # JSON is YAML, too


def question(plan: Plan, path: str) -> dict[str, Any]:
    """The data of an answer of its API, below /api/v1/; nothing where there is no answer."""
    answer = ask(f"http://{plan.address(Prometheus.name)}/api/v1/{path}")
    found = (answer and answer.json()) or {}
    return dict(found.get("data", {}))


def _unscraped(plan: Plan) -> str:
    active = question(plan, "targets?state=active").get("activeTargets", [])
    targets = {target["labels"]["job"]: target for target in active}
    jobs = [job_of(f"{system}-api") for system in plan.systems]
    for job in jobs:
        target = targets.get(job, {})
        if target.get("health") != "up":
            return f"{job} is not scraped{_because(target.get('lastError'))}"
    scrapes = question(plan, f"query?query=sum_over_time(up[{_LATELY}])").get("result", [])
    enough = {found["metric"]["job"] for found in scrapes if float(found["value"][1]) >= _SCRAPES}
    few = [job for job in jobs if job not in enough]
    return f"{', '.join(few)}: less than {_SCRAPES} scrapes in the last {_LATELY}" if few else ""


def _unevaluated(plan: Plan) -> str:
    rules = [rule for group in question(plan, "rules").get("groups", []) for rule in group["rules"]]
    pending = (rule for rule in rules if rule["health"] != "ok")
    return next((f"the rule {one['name']} is not evaluated yet{_because(one.get('lastError'))}" for one in pending), "")


def _because(error: str | None) -> str:
    return f": {error}" if error else ""
