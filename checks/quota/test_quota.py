"""What external APIs let us ask (runbook 004)."""

import pytest

from opsproof import needs, proven_by, runbook

pytestmark = [pytest.mark.hourly, pytest.mark.daily, pytest.mark.diagnosis, pytest.mark.recovery]


@runbook(
    "SB-024",
    "SB-097",
    severity="SEV-2",
    next_step="Pause the workers: the limiter lets more through than is allowed, and the market answers 429.",
)
@proven_by("storebridge-naver-used-up")
@needs("registration.call_rate")
async def test_no_second_has_more_calls_than_allowed(cache, profile):
    """Every second's counter that is still there is within the limit; no counter, no call."""
    # The runbook's GET reads the running second, which is nearly always absent; every key that is left is read.
    rate = profile.registration.call_rate
    keys = await cache.scan(rate.keys, rate.most_keys)
    counts = dict(zip(keys, await cache.read("MGET", *keys), strict=True)) if keys else {}

    over = {key: count for key, count in counts.items() if int(count or 0) > rate.limit}
    assert not over, f"{len(over)} of {len(counts)} seconds have more than {rate.limit} calls: " + ", ".join(
        f"{key} {count}" for key, count in sorted(over.items())[:5]
    )
