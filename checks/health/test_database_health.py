"""What the health page says of the database and its pool."""

import asyncio

import pytest

from opsproof import needs, proven_by, runbook

pytestmark = [pytest.mark.diagnosis]


@pytest.mark.smoke
@pytest.mark.hourly
@pytest.mark.recovery
@runbook(
    "OPS-062",
    severity="SEV-1",
    next_step="Check the pool (active against size), then slow queries and the database itself; if it lasts, the DBA.",
)
@proven_by("ops-health-degraded", "ops-pool-overflow", "table-locked")
@needs("database_health")
async def test_the_health_page_says_that_the_database_is_well(api, profile):
    """The health page tells the database's status, its connections in use and the pool's size; the status is well."""
    # The runbook's `curl` has no -f and ends with 0 on HTTP 500; and a degraded database may be told with HTTP 200.
    page = profile.database_health
    answer = await api.get(page.path)
    active, size = answer.field(page.active), answer.field(page.size)
    status = str(answer.field(page.status))

    assert isinstance(active, int), f"{page.active} of {page.path} is no number of connections: {active!r}"
    assert isinstance(size, int), f"{page.size} of {page.path} is no number of connections: {size!r}"
    word = "".join(letter for letter in status if letter.isalpha()).lower()
    assert word in page.well, f"{page.path} says {status!r} of the database, {active} of {size} connections in use"


@pytest.mark.release
@runbook(
    "OPS-064",
    severity="SEV-2",
    next_step="Restart the service: a pool of another size is opened only then.",
)
@proven_by("ops-pool-setting-ahead")
@needs("database_health")
async def test_the_pool_has_the_size_of_the_settings(api, profile):
    """The pool's size on the health page is the one that the settings say."""
    page = profile.database_health
    health, settings = await asyncio.gather(api.get(page.path), api.get(page.settings))
    size, wanted = health.field(page.size), settings.field(page.setting)

    assert size == wanted, f"{page.setting} is {wanted}, and the pool's size is {size}"
