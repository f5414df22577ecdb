"""What is too large is refused early and cleanly, at every hop, and what is within the limit is not (runbook 003)."""

import pytest

from opsproof import each, needs, proven_by, runbook, writes

pytestmark = [pytest.mark.payload_guard]

BROKEN = ("core-endpoint-500", "html-body", "wrong-body", "secret-rotated")
SHORT = ("slow-answers", "table-locked", "request-id-not-echoed")
"""Proven by the short checks alone: a thousand slow answers take minutes."""
UNSTORED = (*BROKEN, "database-read-only")
LIMITS = ("body-limit-off", "body-limit-one-more", "body-limit-one-less", "payload-wrong-status", "payload-500")
REFUSALS = ("payload-truncated", "payload-reset", "payload-hangs", "payload-stored-anyway", "payload-echoed")
EDGES = ("edge-html-413", "edge-limit-below", "edge-limit-off", "edge-no-request-id", "edge-reset")
BATCHES = ("batch-limit-off", "batch-limit-one-more", "batch-limit-one-less")

WRITES = "items of a synthetic tenant, deleted again"
SET_THE_LIMIT = "Set MAX_REQUEST_BODY_BYTES and roll it out to every instance; until then limit bodies at the edge."
SET_THE_BATCH = "Set INGEST_MAX_BATCH_ITEMS and roll it out to every instance."


@pytest.mark.smoke
@pytest.mark.recovery
@pytest.mark.release
@writes(WRITES)
@runbook("ING-045", severity="SEV-1", verifies="answer", next_step=SET_THE_LIMIT)
@proven_by(*LIMITS, *REFUSALS, *EDGES, *UNSTORED, "payload-read-whole", "payload-chunked-not-counted")
@proven_by(*SHORT)
@each(part="payload.plan.guards")
@needs("payload")
async def test_a_body_over_the_limit_is_refused(guard, part):
    """One byte over the limit gets 413 with its code, also without Content-Length; at the limit it is stored."""
    seen = await guard.sizes("guard", part)

    assert not seen.wrong, str(seen)


@pytest.mark.smoke
@pytest.mark.recovery
@pytest.mark.release
@writes(WRITES)
@runbook("ING-046", severity="SEV-1", verifies="answer", next_step=SET_THE_BATCH)
@proven_by(*BATCHES, *UNSTORED, "payload-500", "payload-truncated", "payload-stored-anyway", *SHORT)
@each(part="payload.plan.batch_guards")
@needs("payload")
async def test_a_batch_over_the_limit_is_refused(guard, part):
    """One item over the limit is refused with 4xx and nothing of it is stored; the limit itself is stored whole."""
    seen = await guard.batches("guard", part)

    assert not seen.wrong, str(seen)


@writes(WRITES)
@runbook("ING-045", severity="SEV-1", verifies="answer", next_step=SET_THE_LIMIT)
@proven_by(*LIMITS, *REFUSALS, *EDGES, *UNSTORED, "payload-read-whole")
@proven_by("payload-chunked-not-counted", "payload-inflated-not-counted")
@each(part="payload.plan.sizes")
@needs("payload")
async def test_a_body_is_judged_by_its_size(guard, part):
    """Around the limit, however its length is told, whatever it is made of, packed or not: refused over it, early."""
    seen = await guard.sizes("sizes", part)

    assert not seen.wrong, str(seen)


@writes(WRITES)
@runbook("ING-046", severity="SEV-1", verifies="answer", next_step=SET_THE_BATCH)
@proven_by(*BATCHES, *LIMITS, *REFUSALS, *EDGES, *UNSTORED)
@each(part="payload.plan.batches")
@needs("payload")
async def test_a_batch_is_judged_by_its_items(guard, part):
    """By their number, and by their bytes together; what is no list is refused; nothing of a refused one is stored."""
    seen = await guard.batches("batches", part)

    assert not seen.wrong, str(seen)


@pytest.mark.recovery
@writes(WRITES)
@runbook(
    "ING-013", severity="SEV-1", verifies="answer", next_step="Restart the instances that still have the old limit."
)
@proven_by(*LIMITS, *REFUSALS, *EDGES, *UNSTORED, "payload-read-whole")
@each(part="payload.plan.connections")
@needs("payload")
async def test_the_limit_is_in_force_on_every_connection(guard, part):
    """Every fresh connection, and so every replica, refuses one byte over the limit (--expect gives a lowered one)."""
    seen = await guard.sizes("everywhere", part)

    assert not seen.wrong, str(seen)


@pytest.mark.recovery
@writes(WRITES)
@runbook(
    "ING-012", severity="SEV-1", verifies="answer", next_step="Restart the instances that still have the old limit."
)
@proven_by(*BATCHES, *UNSTORED, "payload-500", "payload-truncated", "payload-stored-anyway")
@each(part="payload.plan.batch_connections")
@needs("payload")
async def test_the_batch_limit_is_in_force_on_every_connection(guard, part):
    """Every fresh connection, and so every replica, refuses one item over the limit (--expect gives a lowered one)."""
    seen = await guard.batches("everywhere", part)

    assert not seen.wrong, str(seen)


@writes(WRITES)
@runbook(
    "ING-045",
    severity="SEV-2",
    verifies="answer",
    next_step="Update the server or proxy that reads past it: two that read it differently let requests be smuggled.",
)
@proven_by(*UNSTORED, "payload-500", "payload-reset", "payload-hangs", "payload-echoed")
@each(part="payload.plan.malformed")
@needs("payload")
async def test_malformed_framing_is_refused(guard, part):
    """A Content-Length that lies, two of them, one with Transfer-Encoding: 4xx or closed, and nothing is stored."""
    seen = await guard.malformed(part)

    assert not seen.wrong, str(seen)


@writes(WRITES)
@runbook(
    "ING-045",
    severity="SEV-2",
    verifies="answer",
    next_step="Give the reading of a body a time limit, and read bodies of several requests at once.",
)
@proven_by("payload-blocks-others", "slow-body-unbounded", *UNSTORED)
@each(part="payload.plan.slow")
@needs("payload")
async def test_a_slow_body_holds_up_nobody_else(guard, part):
    """Others are served while a body comes a few bytes a second, and it is ended in time where the profile says so."""
    seen = await guard.slow(part)

    assert not seen.wrong, str(seen)


@writes(WRITES)
@runbook(
    "ING-045",
    severity="SEV-2",
    verifies="answer",
    next_step="Find what keeps the bodies of refused requests; until it is mended, restart the service in time.",
)
@proven_by("payload-kept", "payload-chunked-not-counted", "body-limit-off", "body-limit-one-more")
@proven_by("payload-wrong-status", "payload-500", *REFUSALS, *BROKEN)
@each(part="payload.plan.memory")
@needs("payload")
async def test_the_service_keeps_nothing_of_what_it_refuses(guard, part):
    """Its resident memory does not grow with the bodies that it refuses."""
    seen = await guard.kept_memory(part)

    assert not seen.wrong, str(seen)
