"""The checks of this repository and their faults, and the gate as a process of its own."""

import importlib.util
import inspect
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from opsproof.judge.outcome import Outcome
from opsproof.plugin.check import check_name, indicator_check
from opsproof.profile import load_with_unset
from opsproof.report.folder import read_run
from opsproof.report.run import Run
from opsproof.stack.faults import FAULTS
from opsproof.stack.parts import ALL

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Check:
    """
    What a check says about itself.

    Attributes:
        about_traffic: True for a number that all requests of a window leave behind, in metrics, logs or alerts.
    """

    rows: tuple[str, ...]
    faults: frozenset[str]
    markers: frozenset[str]
    about_traffic: bool = False


def checks_in_repository() -> dict[str, Check]:
    """All checks by name, read from their modules; but the indicators', which profiles declare."""
    found = {}
    for path in sorted((REPOSITORY / "checks").rglob("test_*.py")):
        spec = importlib.util.spec_from_file_location(f"checks_{path.parent.name}_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            marks = [*getattr(module, "pytestmark", []), *getattr(function, "pytestmark", [])]
            if name.startswith("test_") and any(mark.name == "runbook" for mark in marks):
                found[check_name(path, name)] = _check(marks)
    return found


def _check(marks) -> Check:
    card = next(mark.args[0] for mark in marks if mark.name == "runbook")
    return Check(
        rows=card.rows,
        faults=frozenset(fault for mark in marks if mark.name == "proven_by" for fault in mark.args),
        markers=frozenset(mark.name for mark in marks),
    )


def indicators_in_repository() -> dict[tuple[str, str], Check]:
    """The checks of the embedded profiles' indicators, by name and system."""
    found = {}
    for system in ALL:
        profile, _ = load_with_unset(f"{system}/embedded", root=REPOSITORY / "profiles", variables=os.environ)
        for key, indicator in profile.indicators.items():
            found[indicator_check(key), system] = Check(
                indicator.runbook,
                frozenset(indicator.proven_by),
                frozenset(indicator.markers),
                about_traffic=indicator.asks in ("metrics", "logs", "alerts"),
            )
    return found


CHECKS = checks_in_repository()
INDICATORS = indicators_in_repository()
CITED = sorted({fault for check in (*CHECKS.values(), *INDICATORS.values()) for fault in check.faults})


def check_of(outcome: Outcome) -> Check:
    """What the check of an outcome says about itself."""
    system = outcome.profile.partition("/")[0]
    return INDICATORS.get((outcome.name, system)) or CHECKS[outcome.name]


def proves(fault: str, outcome: Outcome) -> bool:
    """True if the outcome's check cites the fault, and the fault touches its system."""
    return fault in check_of(outcome).faults and outcome.profile.partition("/")[0] in FAULTS[fault].systems


def must_be_green_again(fault: str, outcome: Outcome) -> bool:
    """True if an outcome has no reason to be bad a moment after the fault is healed; alerts may fire for minutes."""
    return proves(fault, outcome) or not check_of(outcome).about_traffic


def run_gate(stack: str, systems: tuple[str, ...], reports: Path, *more: str) -> tuple[Run, str]:
    """Run all checks of these systems against a stack; the run and what the terminal showed."""
    options = ["--stack", stack, "--allow-writes", "embedded", "--expect-version", "1.0.0", f"--reports={reports}"]
    options += [f"--profile={system}/embedded" for system in systems]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, *more],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (reports / "latest").exists(), f"the gate wrote no report:\n{done.stdout}\n{done.stderr}"
    run = read_run(reports / "latest")
    assert done.returncode == run.verdict.exit_status, done.stdout
    return run, done.stdout
