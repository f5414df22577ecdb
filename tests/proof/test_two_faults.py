"""Two faults at once are two findings."""

import contextlib

from proof_gate import run_gate

from opsproof.judge.outcome import Cause, Status
from opsproof.stack import Stack
from opsproof.stack.faults import FAULTS, injected


def test_a_guard_that_is_off_is_not_hidden_by_an_outage(tmp_path):
    """Starting Redis again closes no payload guard: both have a headline of their own."""
    stack = Stack.start(("ingest",))
    try:
        with contextlib.ExitStack() as faults:
            for name in ("redis-stopped", "body-limit-off"):
                faults.enter_context(injected(FAULTS[name], stack))
            run, text = run_gate(stack.name, ("ingest",), tmp_path, "-m", "smoke")
    finally:
        stack.stop()

    guard = next(o for o in run.outcomes if o.check == "payload.a_body_over_the_limit_is_refused[ingest/embedded-app]")
    (cache,) = (root for root in run.root_causes if "cache of ingest/embedded" in root.subject)
    assert (guard.status, guard.cause, guard.unwell) == (Status.FAILED, Cause.TARGET_WRONG, ()), guard.message
    assert all(guard.check not in (*root.direct, *root.downstream) for root in run.root_causes)
    assert any(check.startswith("health.every_component_is_healthy") for check in cache.downstream)
    assert "ROOT CAUSE 1  SEV-1  cache of ingest/embedded" in text
    assert f"FAILED SEV-1  {guard.check}" in text
