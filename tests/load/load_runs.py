"""A real Locust against a real server, each as a process of its own."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import opsproof
from opsproof.benchmark.facts import BenchmarkFact
from opsproof.benchmark.files import read_benchmark

HERE = Path(__file__).parent
SOURCES = Path(opsproof.__file__).parent.parent
NAME = "demo/local"
_GATE = "{title: {en: t, ko: t}, runbook: [D-1], next_step: {en: x, ko: x}, "
GATES = {
    "p95": 'measure: p95, limit: "<= 400 ms"',
    "errors": 'measure: errors, limit: "< 1 %"',
    "rate": 'measure: rate, limit: ">= 95 %"',
}


@dataclass(frozen=True)
class Ran:
    """
    A Locust run that is over.

    Attributes:
        status: Exit status.
        output: Both streams.
        folder: Where it ran.
    """

    status: int
    output: str
    folder: Path

    @property
    def fact(self) -> BenchmarkFact:
        """Its one bench.json."""
        [file] = self.folder.glob("reports/benchmarks/*/bench.json")
        return read_benchmark(file)

    @property
    def said(self) -> str:
        """What the operator reads of it at the end."""
        return "\n".join(re.findall(r"^(?:BENCHMARK|not believed|p95|mean|errors|rate) .*$", self.output, re.MULTILINE))

    def gate(self, name: str) -> str:
        """The answer of a gate."""
        return next(str(gate.answer) for gate in self.fact.gates if gate.name == name)


@contextlib.contextmanager
def serving(*certificate: Path, **behaviour: Any) -> Iterator[int]:
    """A server of known latency, with TLS if it has a certificate; its port."""
    argv = [sys.executable, "-S", str(HERE / "latency_server.py"), json.dumps(behaviour), *map(str, certificate)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.kill()


def write_profile(
    folder: Path,
    port: int,
    *,
    gates: Mapping[str, str] = GATES,
    environment: str = "local",
    more: str = "",
    url: str = "http://127.0.0.1:{port}",
    authority: str = "null",
    **load: Any,
) -> None:
    """
    Write the profile demo/ENVIRONMENT.

    Args:
        folder: Where Locust is started.
        port: Of the server.
        gates: By name, as YAML without braces.
        environment: Its name.
        more: Lines of the profile itself.
        url: Of the server.
        authority: File of the authority to trust.
        load: The rest of `load`.
    """
    plan = {"rate": 100, "duration": "5s", "warm_up": "1s", "timeout": "2s"} | load
    judged = {"errors": 'measure: errors, limit: "< 99.9 %"'} | dict(gates)
    lines = [
        "system: demo",
        f"environment: {environment}",
        "title: {en: d, ko: d}",
        f'targets: {{api: {{kind: http, url: "{url.format(port=port)}", ca_file: {authority}, '
        'auth: {bearer: "s3cret-of-the-api"}}}',
        more,
        "load:",
        *(f"  {key}: {value}" for key, value in plan.items()),
        "  gates:",
        *(f"    {name}: {_GATE}{gate}}}" for name, gate in judged.items()),
    ]
    place = folder / "profiles" / "demo"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{environment}.yaml").write_text("\n".join(lines), encoding="utf-8")


@contextlib.contextmanager
def started(
    folder: Path, *argv: str, file: str = "judged_locustfile.py", **variables: str
) -> Iterator[subprocess.Popen[str]]:
    """Locust, in a group of its own; whatever of it is left at the end is killed."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    place = {"PYTHONPATH": f"{SOURCES}:{HERE}", "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", str(HERE / file), "--only-summary", *argv],
        cwd=folder,
        env=kept | place | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as locust:
        try:
            yield locust
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(locust.pid, signal.SIGKILL)


def ended(folder: Path, locust: subprocess.Popen[str]) -> Ran:
    """Wait for its end."""
    output, _ = locust.communicate(timeout=90)
    return Ran(locust.returncode, output, folder)


def locust(
    folder: Path,
    users: str,
    *argv: str,
    meanwhile: Callable[[subprocess.Popen[str]], None] = lambda _: None,
    profile: str = NAME,
    **variables: str,
) -> Ran:
    """
    Run Locust with opsproof to its end.

    Args:
        folder: With the profile; results go there.
        users: Classes of judged_locustfile.py, with spaces between them.
        argv: More options.
        meanwhile: Called when it was started.
        profile: The profile's name.
        variables: More of the environment.
    """
    with started(folder, "--headless", "--profile", profile, *argv, *users.split(), **variables) as process:
        meanwhile(process)
        return ended(folder, process)


def plain(
    folder: Path,
    users: str,
    *argv: str,
    port: int,
    count: int,
    seconds: float,
    rate: float,
    meanwhile: Callable[[subprocess.Popen[str]], None] = lambda _: None,
) -> Ran:
    """
    Run the same users by Locust alone, with the gate of its documentation.

    Args:
        folder: Where.
        users: Classes of plain_locustfile.py, with spaces between them.
        argv: More options.
        port: Of the server.
        count: Users.
        seconds: How long.
        rate: Requests a second, of all users together.
        meanwhile: Called when it was started.
    """
    options = [
        "--headless",
        "-u",
        str(count),
        "-r",
        str(count),
        "-t",
        f"{seconds:g}s",
        "-H",
        f"http://127.0.0.1:{port}",
    ]
    variables = {"USER_RATE": str(rate / count)}
    with started(folder, *options, *argv, *users.split(), file="plain_locustfile.py", **variables) as process:
        meanwhile(process)
        return ended(folder, process)


def settled(run: Callable[[], Ran]) -> Ran:
    """Run it again, three times at most, while it says that this machine was too busy for its generator."""
    ran = run()
    for _ in range(2):
        if "not believed  the generator" not in ran.said:
            break
        shutil.rmtree(ran.folder / "reports")
        ran = run()
    return ran


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Read its lines until one has a text."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"{text!r} was not said:\n{''.join(lines)}")


def children(process: subprocess.Popen[str]) -> Sequence[int]:
    """Processes that it has started and that still run: workers of --processes."""
    import psutil

    return [child.pid for child in psutil.Process(process.pid).children() if child.status() != psutil.STATUS_ZOMBIE]
