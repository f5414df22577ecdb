"""Numbers over the stretch that a window has seen healthy so far."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from opsproof.errors import NotObserved
from opsproof.evidence.recorder import Recorder, recording
from opsproof.judge.clock import Clock
from opsproof.judge.watch import Watch
from opsproof.plugin.check import Check
from opsproof.plugin.conduct import Conducted
from opsproof.plugin.environment import Environment


class Stretch:
    """
    Tells numbers how far to look back, and reads the whole stretch before a window may end well.

    Args:
        watch: Knows since when which checks have been healthy.
        clock: The window's.
        checks: All checks of the window.
        environments: By profile.
        settling: Seconds at the stretch's begin that are left out: what a scrape or a log counts there may have
            happened before.
    """

    def __init__(
        self,
        watch: Watch,
        clock: Clock,
        checks: Iterable[Check],
        environments: Mapping[str, Environment],
        *,
        settling: float,
    ) -> None:
        self.settling = settling
        self._watch = watch
        self._clock = clock
        self._environments = environments
        numbers = [check for check in checks if check.indicator]
        self._looking_back = {check.id for check in numbers if check.indicator and check.indicator.window is not None}
        self._read_again = [
            check for check in numbers if check.id in self._looking_back or (check.indicator and check.indicator.promql)
        ]

    def seconds(self, check: str) -> float | None:
        """
        For a number that looks back: for how long, up to now, all other checks have been healthy, less the settling.

        Returns:
            None while they are not.
        """
        others = set(self._watch.checks) - self._looking_back
        since = self._watch.healthy_since_beside(self._looking_back) if others else 0.0
        if since is None:
            return None
        return max(0.0, self._clock.elapsed - max(since, self._watch.not_healthy_until(check)) - self.settling)

    async def read(self) -> list[tuple[Check, float, Conducted]]:
        """
        Read the numbers of the stretch itself.

        What is read at an instant may have been bad between two samples, and what is read over an hour may hide that
        all of five minutes was bad.

        Returns:
            The checks that are not well all along, each with when it was asked, in seconds from the window's begin.
        """
        since = self._watch.healthy_since
        if since is None:
            return []
        asked = self._clock.elapsed
        checks = [check for check in self._read_again if check.id in self._watch.checks]
        read = await asyncio.gather(*(asyncio.create_task(self._read(check, asked - since)) for check in checks))
        return [(check, asked, one) for check, one in zip(checks, read, strict=True) if one.error is not None]

    async def _read(self, check: Check, seconds: float) -> Conducted:
        recorder = Recorder(check=check.id)
        recording.set(recorder)
        begun, start = datetime.now(UTC), self._clock.elapsed
        assert check.indicator is not None
        error: Exception | None = None
        try:
            reader = self._environments[check.profile].reader
            bad = await reader.wrong_over(check.indicator, seconds, settled=seconds - self.settling)
            if bad:
                raise AssertionError(bad)
        except (NotObserved, AssertionError) as exc:
            error = exc
        return Conducted(recorder, begun, self._clock.elapsed - start, error)
