"""Run a locustfile as an operator does, in a process of its own: Locust changes the process that imports it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import opsproof
from opsproof.benchmark.facts import BenchmarkFact
from opsproof.benchmark.files import read_benchmark

REPOSITORY = Path(__file__).parents[2]
SOURCES = str(Path(opsproof.__file__).parent.parent)


@dataclass(frozen=True)
class LocustRun:
    """What came of a run: what it printed, and its benchmark."""

    exit_status: int
    output: str
    fact: BenchmarkFact

    @property
    def names(self) -> set[str]:
        """Every name that requests had."""
        return {one.name for one in self.fact.requests}

    @property
    def errors(self) -> dict[str, set[str]]:
        """What was wrong, by the name of the requests."""
        return {one.name: set(one.errors) for one in self.fact.requests if one.errors}


def run_locust(
    locustfile: Path, profile: str, profiles: Path, reports: Path, variables: Mapping[str, str], *options: str
) -> LocustRun:
    """Run a locustfile without its web page."""
    argv = [sys.executable, "-m", "locust", "-f", str(locustfile), "--profile", profile, "--headless", "--only-summary"]
    done = subprocess.run(
        [*argv, "--profiles", str(profiles), "--reports", str(reports), *options],
        cwd=REPOSITORY,
        env={**os.environ, **variables, "PYTHONPATH": SOURCES},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    runs = sorted(reports.iterdir()) if reports.is_dir() else []
    assert len(runs) == 1, done.stdout
    return LocustRun(done.returncode, done.stdout, read_benchmark(runs[0]))
