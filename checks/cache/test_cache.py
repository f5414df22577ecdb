"""The cache answers and takes writes, and what the service keeps in it works."""

import asyncio

import pytest

from opsproof import needs, proven_by, runbook

pytestmark = [pytest.mark.smoke, pytest.mark.recovery, pytest.mark.diagnosis]


@pytest.mark.hourly
@runbook(
    "EVAL-006",
    "FAI-084",
    "ING-029",
    severity="SEV-2",
    verifies="reach",
    next_step="Check the Redis process, the network to it, and the credential of REDIS_URL.",
)
@proven_by("redis-stopped", "redis-frozen", "redis-password-required")
async def test_the_cache_answers_ping(cache):
    """Redis accepts the service's credential and answers PING."""
    assert await cache.ping() is True


@pytest.mark.hourly
@runbook(
    "EVAL-006",
    "FAI-084",
    "ING-029",
    severity="SEV-2",
    next_step="Point REDIS_URL at the master, or promote this one; full, see what fills it, or raise maxmemory.",
)
@proven_by("cache-full", "redis-replica")
async def test_the_cache_takes_writes(cache):
    """Redis is a master, and has memory left where it evicts nothing to make room."""
    refused = await _refused_writes(cache)

    assert not refused, refused


@runbook(
    "ING-029",
    severity="SEV-2",
    next_step="See whether Redis takes writes (memory, maxmemory-policy); until then limit requests at the edge.",
)
@proven_by("rate-limit-off", "cache-full", "redis-replica", "auth-off")
@proven_by("redis-stopped", "redis-frozen", "redis-password-required")
@needs("rate_limit")
async def test_the_rate_limit_holds(api, profile):
    """Requests over the limit are refused, and those before it are not."""
    # The runbook names the backend and no number; the profile has an identity with a low limit for this.
    # A window may end in between, so that twice the limit gets through: one request more must be refused.
    limit = profile.rate_limit
    at_once = (api.get(limit.path, identity=limit.identity, fresh=True) for _ in range(2 * limit.limit + 1))
    answers = await asyncio.gather(*at_once)
    statuses = [answer.status for answer in answers]
    if 200 not in statuses and "retry-after" in answers[-1].headers:
        await asyncio.sleep(min(float(answers[-1].headers["retry-after"]), 10))
        statuses.append((await api.get(limit.path, identity=limit.identity, fresh=True)).status)

    odd = sorted({status for status in statuses if status not in (200, limit.status)})
    assert not odd, f"{limit.path} answers {odd} beside 200 and {limit.status}"
    assert 200 in statuses, f"{limit.path} lets nobody through: {len(statuses)} times {limit.status}"
    assert limit.status in statuses, f"{len(statuses)} requests at once, limit {limit.limit}: none got {limit.status}"


@runbook(
    "EVAL-015",
    severity="SEV-2",
    verifies="reach",
    next_step="Check the result backend's process, network, credential and memory; nobody gets a result until then.",
)
@proven_by("redis-stopped", "redis-frozen", "redis-password-required", "redis-replica", "cache-full")
@needs("queues")
async def test_the_result_backend_takes_results(results):
    """The result backend accepts the credential, is a master, and has memory left."""
    refused = await _refused_writes(results)

    assert not refused, refused


async def _refused_writes(server):
    """Why a Redis refuses every write; "" if it takes them."""
    replication, memory = await asyncio.gather(server.info("replication"), server.info("memory"))
    used, limit, policy = (memory[name] for name in ("used_memory", "maxmemory", "maxmemory_policy"))
    if replication["role"] != "master":
        return f"this Redis is a {replication['role']}: it refuses every write"
    if limit and not policy.startswith("allkeys-") and used >= limit:
        return f"memory is full: {used} bytes used, maxmemory {limit}, maxmemory-policy {policy}; Redis refuses writes"
    return ""
