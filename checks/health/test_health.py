"""The health endpoints: is it up, is it alive, may traffic come, and is every component well?"""

import pytest

from opsproof import needs, proven_by, runbook

pytestmark = [pytest.mark.smoke, pytest.mark.recovery, pytest.mark.diagnosis]


@pytest.mark.hourly
@pytest.mark.dr
@runbook(
    "EVAL-001",
    "FAI-077",
    "FAI-131",
    "OPS-107",
    "SB-072",
    "SB-141",
    severity="SEV-1",
    verifies="reach",
    next_step="Read /health/detailed for the component that is down; if nothing answers, look at the process itself.",
)
@proven_by("api-stopped", "api-frozen", "health-500")
@proven_by("redis-stopped", "redis-replica", "postgres-stopped", "cache-full", "table-locked")
@needs("health.overall")
async def test_the_service_says_that_it_is_healthy(api, profile):
    """The health endpoint answers 200 and a word for healthy."""
    answer = await api.get(profile.health.overall)

    assert answer.status == 200, f"{profile.health.overall} answers {answer.describe()}"
    status = answer.field("status")
    assert status in profile.health.healthy_words, f"{profile.health.overall} says {status!r}, not healthy"


@pytest.mark.hourly
@pytest.mark.dr
@runbook(
    "ING-014",
    "ING-043",
    severity="SEV-1",
    verifies="reach",
    next_step="Liveness asks no dependency: the process is stopped or hangs. Look at it, then restart it.",
)
@proven_by("api-stopped", "api-frozen", "live-500", "health-500")
@needs("health.live")
async def test_the_process_is_alive(api, profile):
    """Liveness answers 200, whatever becomes of the dependencies."""
    answer = await api.get(profile.health.live)

    assert answer.status == 200, f"{profile.health.live} answers {answer.describe()}"


@pytest.mark.hourly
@pytest.mark.dr
@runbook(
    "ING-015",
    "ING-043",
    "ING-044",
    severity="SEV-1",
    verifies="answer",
    next_step="Repair the component that readiness names; traffic must not be sent here until it answers 200.",
)
@proven_by("postgres-stopped", "redis-stopped", "worker-stopped", "worker-frozen", "cache-full")
@proven_by("worker-frozen-busy")
@proven_by("ready-500", "health-500", "table-locked", "pool-exhausted", "redis-replica")
@needs("health.ready")
async def test_the_service_is_ready_for_traffic(api, profile):
    """Readiness answers 200; 503 only for components that the profile allows to be degraded."""
    answer = await api.get(profile.health.ready)

    tolerated = False
    if answer.status == 503:
        down = {name for name, part in answer.field("components").items() if not _well(part, profile)}
        tolerated = bool(down) and down <= set(profile.health.allow_degraded)
        assert tolerated, f"{profile.health.ready} answers 503: {', '.join(sorted(down)) or 'no component named'}"
    assert answer.status == 200 or tolerated, f"{profile.health.ready} answers {answer.describe()}"


@runbook(
    "EVAL-002",
    severity="SEV-2",
    verifies="answer",
    next_step="Without this page nobody sees the scope of an incident: repair the endpoint, or its route in the proxy.",
)
@proven_by("detailed-not-json", "health-500")
@needs("health.detailed")
async def test_health_tells_the_state_of_each_component(api, profile):
    """The detailed health page answers 200 or 503, with a status for each component."""
    answer = await api.get(profile.health.detailed)

    assert answer.status in (200, 503), f"{profile.health.detailed} answers {answer.describe()}"
    components = answer.field("components")
    silent = sorted(name for name, part in components.items() if not _word(part))
    assert components, f"{profile.health.detailed} lists no component"
    assert not silent, f"{profile.health.detailed} gives no status for {', '.join(silent)}"


@pytest.mark.dr
@runbook(
    "EVAL-014",
    "OPS-068",
    severity="SEV-2",
    verifies="answer",
    next_step="Repair what is listed, in the order database, redis, workers; then run this check again.",
)
@proven_by("redis-stopped", "postgres-stopped", "worker-stopped", "worker-frozen", "table-locked", "cache-full")
@proven_by("worker-frozen-busy")
@proven_by("component-missing", "detailed-not-json", "health-500", "redis-replica")
@needs("health.detailed", "health.components")
async def test_every_component_is_healthy(api, profile):
    """Every component that the profile expects is on the detailed health page, and every one on it is healthy."""
    components = (await api.get(profile.health.detailed)).field("components")

    missing = sorted(set(profile.health.components) - set(components))
    unhealthy = {name: part for name, part in components.items() if not _well(part, profile)}
    assert not missing, f"{profile.health.detailed} does not show {', '.join(missing)}"
    assert not unhealthy, "unhealthy: " + "; ".join(
        f"{name} ({_why(part)})" for name, part in sorted(unhealthy.items())
    )


def _word(part):
    """A component is told by a word, or by a status among other things."""
    return part.get("status") if isinstance(part, dict) else part


def _why(part):
    return (isinstance(part, dict) and part.get("error")) or _word(part) or "no status"


def _well(part, profile):
    return str(_word(part)).lower() in profile.health.healthy_words
