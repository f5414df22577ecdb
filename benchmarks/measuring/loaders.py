"""Who makes the load: opsproof's users, the same users by plain Locust, and k6; what each says of the same server."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from measuring.peers import environment
from measuring.process import run
from measuring.rounds import RunFailed
from opsproof.benchmark.facts import BenchmarkFact
from opsproof.benchmark.files import read_benchmark
from opsproof.benchmark.histograms import times_of
from opsproof.benchmark.judged import everything_of

OPSPROOF, LOCUST, K6 = "opsproof", "plain Locust", "k6"
QUANTILES = (0.5, 0.95, 0.99)
PLAIN_USERS = 50
"""Of plain Locust: twice what 100 requests a second of 0.25 s need (Little's law)."""

_USER = """
from locust import FastHttpUser, constant, constant_throughput, events, task

class Someone(FastHttpUser):
    {more}
    @task
    def look(self):
        self.client.get("/look")
"""
_HELLO = "/control/hello"
_CONNECTED = f"""
    def on_start(self):
        self.client.get("{_HELLO}")
"""
_ATTACHED = "\nfrom opsproof.load import attach\nattach()\n"
_STATS = """
import json
@events.quitting.add_listener
def tell(environment, **_):
    total = environment.stats.total
    percentiles = [total.get_response_time_percentile(q) / 1000 for q in (0.5, 0.95, 0.99)]
    with open("said.json", "w") as said:
        json.dump({"requests": total.num_requests, "failed": total.num_failures, "quantiles": percentiles}, said)
"""
_PROFILE = """
system: bench
environment: local
title: {{en: Benchmark, ko: Benchmark}}
targets:
  api: {{kind: http, url: "{url}"}}
load:
  rate: {rate}
  duration: {seconds}s
  users: {users}
  most_cpu: 1
  timeout: 60s
  gates:
    errors:
      title: {{en: Errors, ko: Errors}}
      measure: errors
      limit: "< 5 %"
      runbook: [B-1]
      next_step: {{en: "-", ko: "-"}}
    pace:
      title: {{en: Load, ko: Load}}
      measure: mean
      limit: "<= {limit:g} ms"
      runbook: [B-1]
      next_step: {{en: "-", ko: "-"}}
"""
_K6 = """
import http from 'k6/http';
export const options = {{
  scenarios: {{ all: {{
    executor: 'constant-arrival-rate', rate: {rate}, timeUnit: '1s', duration: '{seconds}s',
    preAllocatedVUs: {users}, maxVUs: {users}, gracefulStop: '10s',
  }} }},
  summaryTrendStats: ['p(50)', 'p(95)', 'p(99)'],
}};
export default function () {{ http.get('{url}/look'); }}
export function handleSummary(data) {{ return {{ 'said.json': JSON.stringify(data.metrics) }}; }}
"""


@dataclass(frozen=True)
class Plan:
    """
    What is asked of a client.

    Attributes:
        url: Of the server.
        rate: Requests a second.
        seconds: For so long.
        users: That are there, of an open model.
    """

    url: str
    rate: float
    seconds: float
    users: int


@dataclass(frozen=True)
class Said:
    """
    What a client says.

    Attributes:
        requests: That it made.
        failed: Of these.
        quantiles: Seconds, of `QUANTILES`.
        remark: What it says about its own numbers; "" if nothing.
    """

    requests: int
    failed: int
    quantiles: tuple[float, ...]
    remark: str = ""


Client = Callable[[Plan, Path], Said]


def by_opsproof(plan: Plan, folder: Path) -> Said:
    """Users of Locust with `opsproof.load`, connected before arrivals come: from the moment a request was due."""
    fact = finished(attached(plan, folder), folder)
    requests = [one for one in fact.requests if _HELLO not in one.name]
    times = everything_of(requests)
    service = times_of([one.service for one in requests]).quantile(0.5, confidence=0.95).value
    lag = max(one.longest_lag for one in fact.workers)
    remark = f"from sending p50 {service * 1000:.1f} ms; its loop was up to {lag * 1000:.0f} ms late"
    if fact.exit_status:
        remark = fact.reasons[0]["en"]
    return Said(
        sum(one.ended for one in requests),
        sum(one.failed + len(one.ages) for one in requests),
        tuple(times.quantile(q, confidence=0.95).value for q in QUANTILES),
        remark,
    )


def by_locust(plan: Plan, folder: Path) -> Said:
    """The same users by plain Locust, in the way in which it is told of a rate: a throughput of each user."""
    wait = f"wait_time = constant_throughput({plan.rate / PLAIN_USERS})"
    (folder / "plain.py").write_text(_USER.format(more=wait) + _STATS)
    _run([*plain(folder, plan.url, PLAIN_USERS, plan.seconds), "--stop-timeout", "10"], folder)
    said = json.loads((folder / "said.json").read_text())
    return Said(said["requests"], said["failed"], tuple(said["quantiles"]))


def by_k6(program: Path) -> Client:
    """The arrival rate of k6: from the moment a request was sent, which is that at which it was due."""

    def ask(plan: Plan, folder: Path) -> Said:
        script = _K6.format(url=plan.url, rate=round(plan.rate), seconds=round(plan.seconds), users=plan.users)
        (folder / "script.js").write_text(script)
        _run([str(program), "run", "--quiet", "--no-usage-report", "script.js"], folder)
        said = json.loads((folder / "said.json").read_text())
        times = said["http_req_duration"]["values"]
        dropped = int(said.get("dropped_iterations", {"values": {"count": 0}})["values"]["count"])
        return Said(
            int(said["http_reqs"]["values"]["count"]),
            int(said["http_req_failed"]["values"]["passes"]),
            tuple(times[f"p({q * 100:.0f})"] / 1000 for q in QUANTILES),
            f"{dropped} left out" if dropped else "",
        )

    return ask


def attached(plan: Plan, folder: Path) -> list[str]:
    """The command of a run with `opsproof.load`, whose files are written; the limit is what its users can just hold."""
    profiles = folder / "profiles" / "bench"
    profiles.mkdir(parents=True, exist_ok=True)
    (folder / "attached.py").write_text(_USER.format(more=_CONNECTED) + _ATTACHED)
    limit = 990 * plan.users / plan.rate
    (profiles / "local.yaml").write_text(_PROFILE.format(**vars(plan), limit=limit))
    return [*_locust("attached.py"), "--profile", "bench/local", "--reports", "reports"]


def plain(folder: Path, url: str, users: int, seconds: float) -> list[str]:
    """The command of a run of plain Locust with `plain.py`; if there is none, one that asks as fast as it can."""
    file = folder / "plain.py"
    if not file.exists():
        file.write_text(_USER.format(more="wait_time = constant(0)"))
    return [*_locust(file.name), "-H", url, "-u", str(users), "-r", "100", "-t", f"{seconds:g}s"]


def finished(command: list[str], folder: Path) -> BenchmarkFact:
    """Run to its end, whatever the answer is, and read its bench.json."""
    _run(command, folder, statuses=(0, 1, 6))
    return read_benchmark(max((folder / "reports").glob("*/bench.json")))


def _locust(file: str) -> list[str]:
    return [sys.executable, "-m", "locust", "-f", file, "--headless", "--only-summary"]


def _run(command: list[str], folder: Path, statuses: tuple[int, ...] = (0,)) -> None:
    ran = run(command, folder, environment(folder.parent / "compiled"))
    if ran.status not in statuses:
        raise RunFailed(f"{' '.join(command)}: exit status {ran.status}\n{ran.output[-2000:]}")
