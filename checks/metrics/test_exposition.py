"""The service's own metrics are there, and move."""

import pytest

from opsproof import NoData, needs, proven_by, runbook

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
    # Behind a balancer each reading may be another replica's: a reading is compared with the same replica's last one.
    exposition = profile.exposition
    asked = profile.health.live or profile.health.overall or exposition.path
    own = exposition.path if asked != exposition.path else ""  # reading the counter must not be what moves it
    read, moved = {}, False
    for number in range(exposition.readings):
        answer = await api.get(exposition.path, fresh=True)
        assert answer.status == 200, f"{exposition.path} answers {answer.describe()}"
        count = answer.metric(exposition.counter, without=own)
        moved = count > read.setdefault(_replica(answer, exposition), count)
        if moved:
            break
        for _ in range(
            1 + number % 3
        ):  # a balancer that takes turns would send one request always to the other replica
            await api.get(asked, fresh=True)

    assert moved, (
        f"{exposition.counter} stood at {', '.join(f'{count:g}' for count in read.values())} in {exposition.readings}"
        f" readings of {len(read)} replicas, with requests to {asked} between them"
    )


def _replica(answer, exposition):
    try:
        return answer.metric(exposition.process)
    except NoData:
        return None
