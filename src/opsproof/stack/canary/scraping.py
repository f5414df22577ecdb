"""The Prometheus of the two tracks: reads every process each second, under the labels of pods."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from opsproof.errors import StackError
from opsproof.stack.ask import ask
from opsproof.stack.clusters import Grounds
from opsproof.stack.logs import log_tail
from opsproof.stack.ports import HOST
from opsproof.stack.process import Process, end, wait_for

JOB = "judgment-service"
SCRAPE_SECONDS = 1.0

_TARGETS = "targets.json"
_SCRAPES = 2
_READY_SECONDS = 60.0
_RETENTION = "2h"


@dataclass(frozen=True)
class Target:
    """One process as it is scraped: its port, and the labels of its series."""

    port: int
    labels: dict[str, str]


class Scraping:
    """
    One Prometheus.

    It takes up changed targets within 5 seconds, whatever it is told: so does every Prometheus.

    Args:
        grounds: Where it lives.
    """

    def __init__(self, grounds: Grounds) -> None:
        self.port = grounds.port("prometheus")
        self.process: Process | None = None
        self._grounds = grounds
        self._home = grounds.directory / "prometheus"
        self._targets: list[Target] = []
        self._home.mkdir(mode=0o700)
        config = {
            "global": {"scrape_interval": f"{SCRAPE_SECONDS:g}s", "scrape_timeout": "900ms"},
            "scrape_configs": [{"job_name": JOB, "file_sd_configs": [{"files": [_TARGETS]}]}],
        }
        (self._home / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML, too

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"

    def scrape(self, targets: list[Target]) -> None:
        """Scrape these from now on; whether it does so already, `scrapes` tells."""
        self._targets = targets
        told = [{"targets": [f"{HOST}:{one.port}"], "labels": one.labels} for one in targets]
        draft = self._home / f".{_TARGETS}"
        draft.write_text(json.dumps(told), encoding="utf-8")
        draft.replace(self._home / _TARGETS)

    def start(self) -> None:
        """Start it on what it has stored; nothing is waited for. Raises StackError where it is not installed."""
        program = shutil.which("prometheus")
        if program is None:
            raise StackError(
                "Prometheus is not installed on this machine",
                where="PATH",
                next_step="apt-get install prometheus",
            )
        argv = [program, "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn"]
        argv += [f"--storage.tsdb.retention.time={_RETENTION}", f"--web.listen-address={HOST}:{self.port}"]
        self.process = self._grounds.spawn(argv, name="prometheus", cwd=self._home, ours=True)

    def stop(self) -> None:
        """End it in order; what it has stored stays."""
        if self.process is not None:
            end([(self.process, signal.SIGTERM)], grace=10.0)
        self.process = None

    def ask(self, promql: str) -> list[dict[str, Any]]:
        """The series of an instant query; none where it does not answer."""
        answer = ask(f"{self.url}/api/v1/query?query={quote(promql)}")
        found = (answer and answer.json()) or {}
        return list(found.get("data", {}).get("result", []))

    def scrapes(self) -> bool:
        """Whether each target, and nothing else, is scraped under the labels that it has now, for the second time."""
        up = [one["metric"] for one in self.ask("up == 1")]
        named = ("__name__", "job")
        found = sorted(sorted((k, v) for k, v in one.items() if k not in named) for one in up)
        wanted = sorted(sorted({"instance": f"{HOST}:{one.port}", **one.labels}.items()) for one in self._targets)
        often = self.ask(f"sum_over_time(up[5s]) >= {_SCRAPES} and up == 1")
        return found == wanted and len(often) == len(wanted)

    def wait(self) -> None:
        """Wait until it scrapes every target. Raises StackError when it does not."""
        if not wait_for(self.scrapes, _READY_SECONDS, pause=0.1):
            log = self._grounds.log("prometheus")
            raise StackError(
                f"Prometheus has not scraped every process twice after {_READY_SECONDS:g} s",
                where=f"{log}{log_tail(log, {})}",
                next_step=f"read the lines above, and {self.url}/targets",
            )
