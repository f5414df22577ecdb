"""
What the two markets let us ask, counted in Redis under the runbook's keys.

The API reads the counters, the worker raises them.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from redis import Redis

from opsproof.stack.services.common.cache import cache_errors
from opsproof.stack.services.common.services import Services
from opsproof.stack.services.storebridge.options import options_of

TIMEZONE = ZoneInfo("Asia/Seoul")
"""Where the market's day begins."""

MINUTE = 60
_KEEP_DAY_SECONDS = 2 * 24 * 3600
_PATIENCE_SECONDS = 15.0
_PAUSE = 0.05
# One step, so that a refused call is not counted: the runbook reads the counter as calls that were made.
_TAKE_SLOT = """
    local made = tonumber(redis.call('GET', KEYS[1]) or '0')
    if made >= tonumber(ARGV[1]) then return 0 end
    redis.call('INCR', KEYS[1])
    redis.call('EXPIRE', KEYS[1], ARGV[2])
    return 1
"""


@dataclass(frozen=True)
class Quota:
    """Calls made of those allowed. For Naver in the last minute: in the running second nothing could be judged."""

    api_name: str
    limit: int
    used: int

    @property
    def remaining(self) -> int:
        """Calls that are still allowed."""
        return max(0, self.limit - self.used)


def domeggook_key() -> str:
    """The counter of today's calls."""
    return f"domeggook:daily_calls:{datetime.now(TIMEZONE):%Y-%m-%d}"


def naver_key(second: int) -> str:
    """The counter of one second's calls."""
    return f"naver:ratelimit:{second}"


async def read_quotas(services: Services) -> tuple[Quota, Quota]:
    """Both quotas; raises Unavailable if Redis cannot be asked."""
    options = options_of(services)
    now = int(time.time())
    with cache_errors():
        daily, seconds = await asyncio.gather(
            services.cache.get(domeggook_key()),
            services.cache.mget([naver_key(now - ago) for ago in range(MINUTE)]),
        )
    return (
        Quota("domeggook", options.domeggook_calls_a_day, int(daily or 0)),
        Quota("naver", options.naver_calls_a_second * MINUTE, sum(int(made or 0) for made in seconds)),
    )


def count_domeggook_call(redis: Redis) -> int:
    """Count a call of today; returns how many there are."""
    key = domeggook_key()
    with redis.pipeline(transaction=True) as pipeline:
        pipeline.incr(key)
        pipeline.expire(key, _KEEP_DAY_SECONDS)
        made, _ = pipeline.execute()
    return int(made)


def take_naver_call(redis: Redis, calls_a_second: int) -> bool:
    """Wait for a second with a call left, and take it; False if there was none for a while."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        key = naver_key(int(time.time()))
        if redis.eval(_TAKE_SLOT, 1, key, calls_a_second, MINUTE + 5):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(_PAUSE)
