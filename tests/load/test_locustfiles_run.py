"""The locustfiles against the embedded stack: what they ask, what they leave behind, and what they take for wrong."""

import re
import shutil
from pathlib import Path

import psycopg
import pytest
from locustfile_runs import REPOSITORY, LocustRun, run_locust

from opsproof.judge.verdict import Word
from opsproof.stack import Stack
from opsproof.stack.faults import FAULTS, injected
from opsproof.stack.parts import ALL

QUICK = """
extends: embedded.yaml
environment: quick
load:
  rate: 15
  duration: 6s
  warm_up: 1s
  gates: {errors: {limit: "< 10 %"}}
"""
"""As embedded, with so few requests that a busy machine answers them all."""

WRITTEN = {
    "ingest": {
        "POST /api/v1/items",
        "POST /api/v1/items (again)",
        "POST /api/v1/items/batch",
        "DELETE /api/v1/items?tenant=[tenant]",
    },
    "evaluation": {
        "POST /api/v1/jobs",
        "DELETE /api/v1/jobs/[id]",
        "POST /api/v1/evaluations",
        "DELETE /api/v1/evaluations/[id]",
    },
    "factory-ai": {
        "POST /api/v1/judgment/executions",
        "DELETE /api/v1/judgment/executions/[id]",
        "POST /api/v1/judgment/simulate",
        "POST /api/v1/feedback",
        "DELETE /api/v1/feedback/[id]",
        "POST /api/v1/chat/messages",
        "DELETE /api/v1/chat/messages/[id]",
        "POST /api/v1/workflows",
        "DELETE /api/v1/workflows/[id]",
    },
    "ops-assistant": {"POST /api/ops/ask"},
    "storebridge": {"POST /v1/products", "POST /v1/products/validate", "DELETE /v1/jobs/[id]"},
}
LEFT = {
    "ingest": "SELECT count(*) FROM items WHERE tenant LIKE 'opsproof-load%'",
    "evaluation": "SELECT count(*) FROM jobs WHERE payload::text LIKE '%opsproof-load%'",
    "factory-ai": """
        SELECT (SELECT count(*) FROM core.judgment_executions WHERE input ? 'opsproof-load')
            + (SELECT count(*) FROM workflow_instances WHERE input::text LIKE '%opsproof-load%')
            + (SELECT count(*) FROM feedbacks WHERE comment = 'opsproof-load')
            + (SELECT count(*) FROM intent_logs WHERE utterance LIKE '%opsproof-load%')
    """,
    "storebridge": "SELECT count(*) FROM products WHERE attributes ->> 'from' = 'opsproof-load'",
}
"""Rows that a load has written, by the mark that it gives them. Nobody can mark a trace of ops-assistant."""


@pytest.fixture(scope="module")
def stack():
    """All systems; one is under load at a time."""
    stack = Stack.start()
    yield stack
    stack.stop()


@pytest.fixture(scope="module")
def profiles(tmp_path_factory):
    """This repository's profiles, and a quick one of each system."""
    folder = tmp_path_factory.mktemp("load") / "profiles"
    shutil.copytree(REPOSITORY / "profiles", folder)
    for system in ALL:
        (folder / system / "quick.yaml").write_text(QUICK)
    return folder


def _run(stack: Stack, system: str, environment: str, profiles: Path, reports: Path, *options: str) -> LocustRun:
    locustfile = REPOSITORY / "load" / f"{system}.py"
    return run_locust(locustfile, f"{system}/{environment}", profiles, reports, stack.variables, *options)


def _ids(names: set[str]) -> list[str]:
    """Names that have an id in them: each would be a row of its own."""
    return [name for name in names if re.search(r"[0-9a-f]{8}-|[0-9]{3,}|jud-|wf-|DG[0-9]", name)]


@pytest.mark.parametrize("system", ALL)
def test_a_run_as_an_operator_starts_it_only_reads_and_is_judged(stack, profiles, tmp_path, system):
    """A busy machine may be too slow for its gates; but nothing fails, and every gate has its number."""
    run = _run(stack, system, "embedded", profiles, tmp_path / "reports")

    assert run.errors == {}, run.output
    assert {name for name in run.names if not name.startswith("GET ")} == set()
    assert _ids(run.names) == []
    assert {gate.name: gate.value for gate in run.fact.gates if gate.value is None} == {}
    assert not run.fact.plan.writes
    assert run.fact.workers[0].user_errors == {}
    assert run.exit_status == run.fact.exit_status
    assert sum(one.ended for one in run.fact.requests) >= 299


@pytest.mark.parametrize("system", ALL)
def test_with_writes_the_writing_tasks_run_and_leave_nothing_behind(stack, profiles, tmp_path, system):
    """Only they, so that each comes often enough to be seen."""
    options = ["--allow-writes", "quick", "--tags", "write"]
    run = _run(stack, system, "quick", profiles, tmp_path / "reports", *options)

    assert run.errors == {}, run.output
    assert {name for name in run.names if not name.startswith("GET ")} == WRITTEN[system]
    assert _ids(run.names) == []
    assert run.fact.plan.writes
    assert run.fact.workers[0].user_errors == {}
    if system in LEFT:
        with psycopg.connect(stack.variables[f"{system.upper().replace('-', '_')}_DATABASE_URL"]) as connection:
            assert connection.execute(LEFT[system]).fetchone() == (0,)


@pytest.fixture(scope="module")
def broken(stack):
    """The stack, whose core paths answer 200 with something else."""
    with injected(FAULTS["wrong-body"], stack):
        yield stack


@pytest.mark.parametrize("system", ALL)
def test_a_wrong_body_is_a_failure_though_the_status_is_200(broken, profiles, tmp_path, system):
    """Locust alone counts each of these as a success."""
    run = _run(broken, system, "quick", profiles, tmp_path / "reports")
    errors = next(gate for gate in run.fact.gates if gate.name == "errors")

    texts = set().union(*run.errors.values())
    assert texts, run.output
    assert {text for text in texts if "the body has another shape" not in text} == set()
    assert run.fact.workers[0].user_errors == {}
    assert errors.value is not None
    assert errors.value > 0.1
    assert errors.answer is not Word.PASS
    # It ends early: what was due by then was begun, and what users had taken for later is no shortfall.
    assert run.fact.workers[0].begun == run.fact.workers[0].planned
