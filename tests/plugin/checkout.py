"""A checkout with checks and profiles of its own, in which pytest is really run."""

import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from opsproof.judge.outcome import Outcome
from opsproof.report.folder import read_run
from opsproof.report.run import Run

SOURCE = str(Path(__file__).parents[2] / "src")
PATIENCE = 180.0
"""Seconds after which a run hangs, for the tests."""

PYPROJECT = """\
[tool.pytest]
testpaths = ["checks"]
addopts = ["--disable-plugin-autoload", "-p", "xdist", "--strict-markers", "--strict-config"]
xfail_strict = true
markers = ["smoke: the gate after a deploy", "recovery: the checklist after an incident", "daily: the daily round"]
"""
HEAD = """\
import asyncio, json, logging, os, sys, threading, time, warnings
import pytest
from opsproof import ANONYMOUS, Forged, NoData, PreconditionMissing, each, needs, proven_by, writes
from opsproof import runbook as card

def runbook(*rows, severity="SEV-2", next_step="Mend the demo.", **more):
    return card(*(rows or ("DEMO-1",)), severity=severity, next_step=next_step, **more)

"""


@dataclass(frozen=True)
class Finished:
    """
    A run of pytest that has ended.

    Attributes:
        status: Exit status.
        text: What the operator read, standard error included.
        folder: The run's folder, or None if none was written.
    """

    status: int
    text: str
    folder: Path | None

    @cached_property
    def run(self) -> Run:
        """The run as `run.json` tells it."""
        assert self.folder is not None, f"no run folder was written:\n{self.text}"
        return read_run(self.folder)

    @property
    def word(self) -> str:
        return str(self.run.verdict.word)

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Outcomes by name of the check, where each runs once; else by id."""
        names = [outcome.name for outcome in self.run.outcomes]
        once = len(names) == len(set(names))
        return {outcome.name.partition(".")[2] if once else outcome.check: outcome for outcome in self.run.outcomes}

    @property
    def told(self) -> dict[str, str]:
        """For every check `status`, or `status: cause`."""
        return {
            name: f"{outcome.status}: {outcome.cause}" if outcome.cause else str(outcome.status)
            for name, outcome in self.outcomes.items()
        }

    @property
    def evidence(self) -> list[dict[str, Any]]:
        assert self.folder is not None
        return [json.loads(line) for line in (self.folder / "evidence.jsonl").read_text("utf-8").splitlines()]

    @property
    def block(self) -> str:
        """The verdict block: what stands below pytest's own last line."""
        return self.text.rpartition("==\n")[2]

    def agrees(self) -> bool:
        """True if exit status, `run.json` and the last line that the operator reads say the same."""
        last = f"VERDICT {self.word}  exit status {self.status}"
        return self.run.verdict.exit_status == self.status and self.text.rstrip().endswith(last)


class Checkout:
    """
    A folder as opsproof's own repository is one.

    Args:
        root: The folder; empty.
        url: Address of the API that the first profile, demo/local, has as its target `api`.
    """

    def __init__(self, root: Path, url: str) -> None:
        self.root = root
        self.url = url
        self._numbers = itertools.count(1)
        self.write("pyproject.toml", PYPROJECT)
        self.write("conftest.py", 'pytest_plugins = ["opsproof.plugin"]\n')
        self.profile()

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    def profile(
        self, more: str = "", *, name: str = "demo/local", api: str = "", url: str = "", targets: str = ""
    ) -> None:
        """
        Write a profile.

        Args:
            more: Keys beside system, environment, title and targets.
            targets: Further targets, `name: {kind: ...}`.
            name: SYSTEM/ENVIRONMENT.
            api: Further keys of the target `api`, such as `timeout: 200ms`.
            url: Address of `api`, if another one.
        """
        system, environment = name.split("/")
        keys = f", {api}" if api else ""
        self.write(
            f"profiles/{name}.yaml",
            f"system: {system}\nenvironment: {environment}\ntitle: {{en: Demo, ko: 데모}}\n"
            f'targets:\n  api: {{kind: http, url: "{url or self.url}"{keys}}}\n'
            + textwrap.indent(textwrap.dedent(targets).strip() + "\n", "  ")
            + textwrap.dedent(more).lstrip("\n"),
        )

    def checks(self, source: str, path: str = "checks/demo/test_demo.py") -> Path:
        """Write a file of checks; imports and a `runbook` with defaults are there."""
        return self.write(path, HEAD + textwrap.dedent(source))

    def start(
        self,
        *args: str,
        profile: str | None = "demo/local",
        env: Mapping[str, str] | None = None,
        reports: bool = True,
        **how: Any,
    ) -> "Running":
        """Start pytest; ends with `Running.finish`."""
        folder = self.root / "reports" / f"of-{next(self._numbers)}"
        command = [sys.executable, "-m", "pytest"]
        if profile is not None:
            command += ["--profile", profile]
        if reports:
            command += ["--reports", str(folder)]
        process = subprocess.Popen(
            [*command, *args],
            cwd=self.root,
            env=self.environment | dict(env or {}),
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | how,
        )
        return Running(process, folder)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a run: nothing of the test's own pytest, nor of the pipeline that it may run in."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "GITHUB_"))}
        return inherited | {"PYTHONPATH": SOURCE, "LANG": "C.UTF-8", "COLUMNS": "160"}

    def run(self, *args: str, **how: Any) -> Finished:
        """Run pytest to its end."""
        return self.start(*args, **how).finish()


class Running:
    """A run of pytest that is under way."""

    def __init__(self, process: "subprocess.Popen[bytes]", reports: Path) -> None:
        self.process = process
        self._reports = reports

    def interrupt(self, when: Callable[[], bool], number: int = signal.SIGINT) -> Finished:
        """Send a signal as soon as something is so, and wait for the end."""
        until(when)
        self.process.send_signal(number)
        return self.finish()

    def finish(self, text: bytes | None = None) -> Finished:
        """Wait for the end; what is given is typed in."""
        try:
            out, _ = self.process.communicate(text, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, _ = self.process.communicate()
            raise AssertionError(f"the run hangs; it said:\n{out.decode(errors='replace')}") from None
        folder = self._reports / "latest"
        said = (out or b"").decode(errors="replace")  # none, if it was started at a terminal
        return Finished(self.process.returncode, said, folder.resolve() if folder.exists() else None)


def together(runs: Mapping[str, Callable[[], Finished]]) -> dict[str, Finished]:
    """Runs that do not disturb each other, a few at a time."""
    with ThreadPoolExecutor(max_workers=3) as pool:
        return dict(zip(runs, pool.map(lambda run: run(), runs.values()), strict=True))


def until(what: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.01)
