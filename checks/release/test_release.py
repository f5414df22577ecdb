"""What answers is the release that was deployed."""

import pytest

from opsproof import Hopeless, needs, proven_by, runbook

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
    """Several answers, on fresh connections, come from the version given by --expect-version, and from all replicas."""
    if release.expected is None:
        pytest.skip("no --expect-version was given")
    seen = await release.seen()

    if release.is_another(seen):
        raise Hopeless(release.wrong(seen))
    assert set(seen) == {release.expected}, release.wrong(seen)
    assert not release.absent_replicas(), release.absent_replicas()
