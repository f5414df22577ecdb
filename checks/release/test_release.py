"""What answers is the release that was deployed."""

import pytest

from opsproof import needs, proven_by, runbook

pytestmark = [pytest.mark.smoke, pytest.mark.recovery, pytest.mark.release]


@runbook(
    "ING-020",
    "EVAL-017",
    severity="SEV-1",
    next_step="Wait until the roll-out is complete, or find the replicas that still run the other release.",
)
@proven_by("wrong-version", "half-wrong-version")
@needs("release")
async def test_what_answers_is_the_expected_release(release):
    """Every one of several answers, on fresh connections, comes from the version given by --expect-version."""
    if release.expected is None:
        pytest.skip("no --expect-version was given")
    seen = await release.seen()

    assert set(seen) == {release.expected}, release.wrong(seen)
