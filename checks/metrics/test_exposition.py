"""The service's own metrics are there, and move."""

import pytest

from opsproof import needs, proven_by, runbook

pytestmark = [pytest.mark.smoke, pytest.mark.hourly, pytest.mark.diagnosis]


@runbook(
    "EVAL-003",
    severity="SEV-2",
    verifies="answer",
    next_step="Repair /metrics before anything else is judged by it: alerts on a metric that stands still never fire.",
)
@proven_by("metrics-missing", "metrics-garbage", "metrics-frozen", "metrics-stale", "scrape-down")
@needs("exposition")
async def test_metrics_are_served_and_move(api, profile):
    """The metrics parse, the request counter is among them, and requests move it."""
    exposition = profile.exposition
    before = await api.get(exposition.path, fresh=True)
    assert before.status == 200, f"{exposition.path} answers {before.describe()}"
    first = before.metric(exposition.counter)
    await api.get(profile.health.live or exposition.path, fresh=True)
    second = (await api.get(exposition.path, fresh=True)).metric(exposition.counter)

    assert second > first, f"{exposition.counter} stood at {first:g} before a request and at {second:g} after it"
