"""The checks of this repository, and the gate as a process of its own."""

import importlib.util
import inspect
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from opsproof.plugin.check import check_name
from opsproof.report.folder import read_run
from opsproof.report.run import Run

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Check:
    """What a check says about itself."""

    rows: tuple[str, ...]
    severity: str
    faults: frozenset[str]
    markers: frozenset[str]


def checks_in_repository() -> dict[str, Check]:
    """All checks by name, read from their modules."""
    found = {}
    for path in sorted((REPOSITORY / "checks").rglob("test_*.py")):
        spec = importlib.util.spec_from_file_location(f"checks_{path.parent.name}_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("test_"):
                found[check_name(path, name)] = _check([*getattr(module, "pytestmark", []), *function.pytestmark])
    return found


def _check(marks) -> Check:
    card = next(mark.args[0] for mark in marks if mark.name == "runbook")
    return Check(
        rows=card.rows,
        severity=card.severity,
        faults=frozenset(fault for mark in marks if mark.name == "proven_by" for fault in mark.args),
        markers=frozenset(mark.name for mark in marks),
    )


def run_smoke(stack: str, reports: Path, *more: str) -> tuple[Run, str]:
    """Run the smoke gate of all embedded systems against a stack; the run and what the terminal showed."""
    options = ["--stack", stack, "--allow-writes", "embedded", "--expect-version", "1.0.0", f"--reports={reports}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "smoke", *options, *more],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (reports / "latest").exists(), f"the gate wrote no report:\n{done.stdout}\n{done.stderr}"
    run = read_run(reports / "latest")
    assert done.returncode == run.verdict.exit_status, done.stdout
    return run, done.stdout
