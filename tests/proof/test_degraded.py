"""A component that a profile lets be degraded: what that allows, and what it does not."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from proof_gate import REPOSITORY

from opsproof.judge.outcome import Status
from opsproof.report.folder import read_run
from opsproof.stack import Stack
from opsproof.stack.faults import FAULTS, injected

PROFILE = "profiles/ingest/embedded.yaml"


@pytest.fixture(scope="module")
def stack():
    """A stack of ingest."""
    running = Stack.start(("ingest",))
    yield running
    running.stop()


@pytest.fixture
def tolerant(tmp_path: Path) -> Path:
    """The checks of health and cache, and the profile of ingest with `redis` allowed to be degraded."""
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(REPOSITORY / name, tmp_path)
    for name in ("profiles", "checks/health", "checks/cache", "checks/runbooks"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    with (tmp_path / PROFILE).open("a", encoding="utf-8") as file:
        file.write("\nhealth: {allow_degraded: [redis]}\n")
    return tmp_path


def gate(folder: Path, stack: Stack) -> Mapping[str, Status]:
    """What the checks say of ingest, by the end of their name."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--stack", stack.name, "--reports=out"]
    done = subprocess.run(
        [*command, "--profile=ingest/embedded"], cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    run = read_run(folder / "out" / "latest")
    assert done.returncode == run.verdict.exit_status, done.stdout
    return {outcome.name.partition(".")[2]: outcome.status for outcome in run.outcomes}


def test_readiness_may_be_degraded_and_nothing_else(stack, tolerant):
    """As runbook 003's --allow-ready-degraded: the flag must not hide a dead Redis from the gate."""
    with injected(FAULTS["redis-stopped"], stack):
        found = gate(tolerant, stack)

    assert found["the_service_is_ready_for_traffic"] is Status.PASSED
    assert found["the_process_is_alive"] is Status.PASSED
    assert found["the_service_says_that_it_is_healthy"] is Status.FAILED
    assert found["every_component_is_healthy"] is Status.FAILED
    assert found["the_cache_answers_ping"] is Status.FAILED


@pytest.mark.parametrize("fault", ["postgres-stopped", "ready-500"])
def test_readiness_that_is_bad_for_another_reason_is_red(fault, stack, tolerant):
    """A component that nobody allowed to be down, and an answer that names none."""
    with injected(FAULTS[fault], stack):
        found = gate(tolerant, stack)

    assert found["the_service_is_ready_for_traffic"] is Status.FAILED
