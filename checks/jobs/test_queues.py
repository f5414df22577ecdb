"""The broker's queues: workers take from each, hold nothing too long, and keep up."""

import asyncio

import pytest

from opsproof import needs, proven_by, runbook

pytestmark = [pytest.mark.recovery, pytest.mark.diagnosis]


@pytest.mark.smoke
@pytest.mark.hourly
@runbook(
    "EVAL-022",
    "EVAL-023",
    severity="SEV-2",
    next_step="Restart the worker that should take from it, or `celery control add_consumer QUEUE`.",
)
@proven_by("worker-not-consuming", "queue-backlog", "worker-stopped", "worker-frozen", "worker-frozen-busy")
@proven_by("storebridge-queue-1001", "storebridge-queue-2001", "storebridge-queue-5001")
@needs("queues")
async def test_every_queue_is_taken_from(workers, profile):
    """Each queue of the profile has a worker that takes from it; a worker that answers ping may take from none."""
    wanted = set(profile.queues.names)
    taken = await workers.queues()
    if wanted - _all(taken):
        taken = await workers.queues(everyone=True)

    left = sorted(wanted - _all(taken))
    seen = "; ".join(f"{worker} takes from {', '.join(queues) or 'none'}" for worker, queues in taken.items())
    assert not left, f"nobody takes from {', '.join(left)}: {seen or 'no worker answered'}"


@runbook(
    "EVAL-015",
    "EVAL-024",
    severity="SEV-2",
    next_step="See what the workers do (`celery inspect active`); one that hangs is restarted, its messages come back.",
)
@proven_by("worker-frozen-busy")
@needs("queues")
async def test_no_message_is_held_too_long(workers, profile):
    """No message was taken by a worker and left unacknowledged for longer than work may last."""
    held = await workers.unacknowledged()
    stuck = held.oldest > profile.queues.held
    doing = await _doing(workers) if stuck else ""

    assert not stuck, (
        f"{held.count} messages are unacknowledged, the oldest for {held.oldest:.1f} s, limit"
        f" {profile.queues.held:g} s; {doing or 'no worker tells what it does'}"
    )


@runbook(
    "EVAL-015",
    "EVAL-024",
    severity="SEV-2",
    next_step="More comes than is done: see how long a job takes and why, add workers, or slow down what submits jobs.",
)
@proven_by("backlog-growing")
@needs("queues")
async def test_no_queue_grows(workers, profile):
    """Between two readings no queue has grown by more than a burst: workers that are back must also catch up."""
    limits = profile.queues
    before = {name: await workers.waiting(name, fresh=True) for name in limits.names}
    await asyncio.sleep(limits.apart)
    after = {name: await workers.waiting(name, fresh=True) for name in limits.names}

    grown = [name for name in limits.names if after[name] - before[name] > limits.growth]
    assert not grown, "; ".join(
        f"{name} grew from {before[name]} to {after[name]} messages in {limits.apart:g} s, limit {limits.growth}"
        for name in grown
    )


async def _doing(workers):
    """What each worker that answers is busy with, in words."""
    busy, reserved = await workers.at_work(), await workers.reserved()
    return "; ".join(f"{worker}: {count} at work, {reserved.get(worker, 0)} reserved" for worker, count in busy.items())


def _all(taken):
    return {queue for queues in taken.values() for queue in queues}
