"""
Measure a round of 200 indicators against Prometheus, PostgreSQL and Valkey of the embedded stack.

Every run is verified: exit status 0, every indicator passed, and every question asked once. What is told: the time from
the first check's begin to the last one's end, and the whole process.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path

from measuring.process import run

from opsproof.report.folder import read_run
from opsproof.stack import Stack

REPOSITORY = Path(__file__).parents[1]
PYPROJECT = '[tool.pytest]\naddopts = ["--disable-plugin-autoload"]\nmarkers = ["hourly: the hourly round"]\n'


def main() -> int:
    """Measure, and print a line of Markdown; 1 if a run did not pass."""
    options = _options()
    with Stack.start(["ingest"]) as stack, tempfile.TemporaryDirectory(prefix="opsproof-bench-") as folder:
        place = Path(folder)
        _write(place, stack.variables, options.indicators)
        environment = dict(os.environ) | {"PYTHONPATH": str(REPOSITORY / "src")}
        checks, wholes = [], []
        for number in range(options.rounds + 1):
            command = [sys.executable, "-m", "pytest", "checks", "-q", "--profile=bench/local", "--lang=en"]
            ran = run([*command, f"--reports={place}/reports"], place, environment)
            outcomes = read_run(place / "reports" / "latest").outcomes if ran.status == 0 else ()
            if {outcome.status for outcome in outcomes} != {"passed"} or len(outcomes) != options.indicators:
                print(f"the run did not pass:\n{ran.output[-3000:]}", file=sys.stderr)
                return 1
            if number:
                ends = max(outcome.started.timestamp() + outcome.duration for outcome in outcomes)
                checks.append(ends - min(outcome.started.timestamp() for outcome in outcomes))
                wholes.append(ran.wall)
        questions = len((place / "reports" / "latest" / "evidence.jsonl").read_text("utf-8").splitlines())
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| indicators | questions | first to last | whole process |\n| --- | --- | --- | --- |")
    print(f"| {options.indicators} | {questions} | {_text(checks)} | {_text(wholes)} |")
    return 0


def _write(place: Path, variables: dict[str, str], count: int) -> None:
    """A checkout with one check and a profile of so many indicators, a third for each server."""
    indicators = {}
    for number in range(count):
        sources = (
            {
                "ratio": {
                    "of": 'http_requests_total{status=~"5.."}',
                    "over": "http_requests_total",
                    "window": 10 + number,
                }
            },
            {"sql": f"SELECT count(*) + {number} FROM items"},
            {"redis": {"llen": f"bench:{number}"}},
        )
        text = {"en": f"number {number}", "ko": f"숫자 {number}"}
        indicators[f"number-{number}"] = {
            "title": text,
            "next_step": text,
            "ok": ">= 0",
            "markers": ["hourly"],
            **sources[number % len(sources)],
        }
    profile = {
        "system": "bench",
        "environment": "local",
        "title": {"en": "Bench", "ko": "벤치"},
        "targets": {
            "metrics": {
                "kind": "prometheus",
                "url": variables["PROMETHEUS_URL"],
                "labels": {"system": "ingest"},
                "concurrency": 8,
            },
            "database": {"kind": "postgres", "dsn": variables["INGEST_DATABASE_URL"]},
            "cache": {"kind": "redis", "url": variables["INGEST_REDIS_URL"]},
        },
        "indicators": indicators,
    }
    (place / "pyproject.toml").write_text(PYPROJECT)
    (place / "conftest.py").write_text('pytest_plugins = ["opsproof.plugin"]\n')
    (place / "profiles" / "bench").mkdir(parents=True)
    (place / "profiles" / "bench" / "local.yaml").write_text(json.dumps(profile))  # JSON is YAML, too
    (place / "checks").mkdir()
    source = REPOSITORY / "checks" / "indicators" / "test_indicators.py"
    (place / "checks" / source.name).write_text(source.read_text("utf-8"))


def _text(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--indicators", type=int, default=200, metavar="N", help="how many (default: 200)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds after the one that warms up")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
