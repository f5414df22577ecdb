"""The clock of a window: it goes on while the machine is suspended, and heeds no change of the wall clock."""

import time
from datetime import UTC, datetime, timedelta

_JUMP = 2.0


class Clock:
    """
    Counts from when it is made.

    Attributes:
        started: When that was, by the wall clock, UTC.
    """

    def __init__(self) -> None:
        self.started = datetime.now(UTC)
        self._begin = _now()
        self._drift = time.time() - self._begin

    @property
    def elapsed(self) -> float:
        """Seconds since."""
        return _now() - self._begin

    def at(self, seconds: float) -> datetime:
        """The time so many seconds after the begin."""
        return self.started + timedelta(seconds=seconds)

    def jump(self) -> float:
        """By how many seconds the wall clock was set since it was last asked; 0 where it was not."""
        drift = time.time() - _now()
        jumped, self._drift = drift - self._drift, drift
        return jumped if abs(jumped) > _JUMP else 0.0


def _now() -> float:
    """Seconds; with those in which the machine was suspended, where the system has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
