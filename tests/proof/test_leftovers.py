"""What the gate writes is taken back, also what it was never told the id of."""

import psycopg
import pytest
from proof_gate import run_gate

from opsproof.judge.outcome import Cause, Status
from opsproof.stack import Stack
from opsproof.stack.faults import FAULTS, injected

_LEFT = "SELECT (SELECT count(*) FROM jobs WHERE payload::text LIKE '%opsproof-%'), (SELECT count(*) FROM jobs)"


@pytest.fixture(scope="module")
def stack():
    running = Stack.start(("evaluation",))
    yield running
    running.stop()


def jobs(stack):
    """The jobs with the marker of a run, and all jobs."""
    with psycopg.connect(stack.variables["EVALUATION_DATABASE_URL"]) as connection:
        return connection.execute(_LEFT).fetchone()


def test_a_sound_run_leaves_no_row_behind(stack, tmp_path):
    """An evaluation brings a job of its own along, which goes with it."""
    _, before = jobs(stack)

    run, said = run_gate(stack.name, ("evaluation",), tmp_path, "-k", "synthetic_work")

    assert [o.status for o in run.outcomes] == [Status.PASSED] * 2, said
    assert jobs(stack) == (0, before)


def test_work_that_is_stored_after_its_sender_gave_up_is_found_and_deleted(stack, tmp_path):
    """Its answer would have told the id; the marker in its body finds it, and a replay says the same."""
    _, before = jobs(stack)

    with injected(FAULTS["work-stored-late"], stack):
        run, said = run_gate(stack.name, ("evaluation",), tmp_path / "live", "-k", "synthetic_work")

    assert [(o.status, o.cause) for o in run.outcomes] == [(Status.FAILED, Cause.TIMED_OUT)] * 2, said
    assert [o.message for o in run.outcomes if "left behind" in o.message or "cleaned up" in o.message] == []
    assert jobs(stack) == (0, before)
    evidence = (tmp_path / "live" / "latest" / "evidence.jsonl").read_text()
    assert all(f'"DELETE /api/v1/{kind}/' in evidence for kind in ("jobs", "evaluations"))
    again, _ = run_gate(
        stack.name,
        ("evaluation",),
        tmp_path / "again",
        "-k",
        "synthetic_work",
        f"--replay={tmp_path / 'live' / 'latest'}",
    )
    assert [o.message for o in again.outcomes] == [o.message for o in run.outcomes]
