"""The external API that the system's tools call: is it well, and does it let us in?"""

import pytest

from opsproof import needs, proven_by, runbook

pytestmark = [pytest.mark.diagnosis]


@pytest.mark.smoke
@pytest.mark.recovery
@runbook(
    "OPS-037",
    "OPS-038",
    severity="SEV-2",
    verifies="reach",
    next_step="Check name, network and status page of the external API, and ask its owner; the fallback asset helps.",
)
@proven_by("ops-external-unhealthy", "ops-external-stopped")
@needs("external_api")
async def test_the_external_api_says_that_it_is_healthy(external, profile):
    """The health page of the external API can be reached, and says healthy."""
    answer = await external.get(profile.external_api.health)

    assert answer.ok, f"{profile.external_api.health} of the external API answers {answer.describe()}"
    status = str(answer.field("status"))
    assert status.lower() in profile.external_api.healthy_words, f"the external API says {status!r}, not healthy"


@pytest.mark.smoke
@pytest.mark.recovery
@runbook(
    "OPS-046",
    severity="SEV-2",
    verifies="reach",
    next_step="401, the key is not valid; 403, its scope is too small; 429, the quota is used up; 5xx, ask its owner.",
)
@proven_by("ops-external-key-refused", "ops-external-forbidden", "ops-external-502", "ops-external-quota-used-up")
@proven_by("ops-external-slow", "ops-external-stopped")
@needs("external_api")
async def test_our_key_is_accepted(external, profile):
    """A call with the system's own key is answered with 2xx."""
    answer = await external.get(profile.external_api.call)

    assert answer.ok, f"{profile.external_api.call} of the external API answers {answer.describe()} to our key"


@runbook(
    "OPS-048",
    severity="SEV-3",
    verifies="reach",
    next_step="Follow the incident there; until it is over, switch to the fallback asset.",
)
@proven_by("ops-external-incident", "ops-external-stopped")
@needs("external_api")
async def test_the_status_page_tells_of_no_incident(external, profile):
    """The status page of the external API tells of no open incident."""
    # status.example.com of the runbook is a placeholder; the page's path is the profile's.
    answer = await external.get(profile.external_api.status_page)
    incidents = answer.field(profile.external_api.incidents)

    assert not incidents, f"{len(incidents)} open: {', '.join(map(str, incidents))}"
