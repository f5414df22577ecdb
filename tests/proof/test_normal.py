"""What only `normal` turns red: a number within its limit, at many times what it was before the incident."""

import pytest
from proof_gate import not_green, run_gate, told

from opsproof.judge.outcome import Status
from opsproof.judge.verdict import Word
from opsproof.stack import Stack
from opsproof.stack.faults.database import ContentChanged
from opsproof.stack.faults.fault import injected
from opsproof.stack.faults.named import EVALUATION

CHECK = "indicators.job-failure-share"
JOBS = "SELECT md5('opsproof-normal-' || n)::uuid FROM generate_series(1, 1000) AS n"
SOME_FAIL = ContentChanged(
    "jobs-failed-4-of-100",
    "of 1000 more jobs 4 % have failed: below the limit of 5 %",
    EVALUATION,
    change="""
        INSERT INTO jobs (job_id, type, status, attempts, error_message, started_at, finished_at)
            SELECT md5('opsproof-normal-' || n)::uuid, 'echo', CASE WHEN n <= 40 THEN 'failed' ELSE 'succeeded' END,
                   1, CASE WHEN n <= 40 THEN 'a drill' END, now(), now()
            FROM generate_series(1, 1000) AS n
    """,
    restore=f"DELETE FROM jobs WHERE job_id IN ({JOBS})",
    seen=f"SELECT EXISTS (SELECT FROM jobs WHERE job_id IN ({JOBS}))",
)


@pytest.fixture(scope="module")
def stack():
    """The stack of the evaluation service."""
    running = Stack.start(("evaluation",))
    yield running
    running.stop()


def test_jobs_that_fail_more_than_before_are_not_recovered_until_they_are_as_before(stack, tmp_path):
    """EVAL-018: "returns to normal" has no number, and the limit is for alarms. Green, red by `normal` alone, green."""

    def gate(name, *more):
        return run_gate(stack.name, ("evaluation",), tmp_path / name, "-m", "recovery", *more)

    before, _ = gate("before")
    baseline = f"--baseline={tmp_path / 'before' / 'latest'}"
    with injected(SOME_FAIL, stack):
        alone, _ = gate("alone")
        broken, text = gate("broken", baseline)
    healed, _ = gate("healed", baseline)

    for run in (before, alone, healed):
        assert run.verdict.word is Word.PASS, told(not_green(run))
    assert len(not_green(broken)) == 1, told(not_green(broken))
    (red,) = not_green(broken)
    assert (red.name, red.status, red.severity, red.before) == (CHECK, Status.FAILED, "SEV-2", False)
    assert "within its limits, not normal: it was " in red.message
    assert f"in the baseline (run {before.id}, " in red.message
    assert "FAILED SEV-2, NEW  indicators.job-failure-share[evaluation/embedded]" in text
    assert broken.verdict.word is Word.FAIL
    (outcome,) = (o for o in healed.outcomes if o.name == CHECK)
    assert (outcome.normal.normal, outcome.normal.run) == (True, before.id)
