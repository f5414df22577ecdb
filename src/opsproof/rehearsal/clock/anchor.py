"""One scale of time for all processes of a machine: it heeds no change of the wall clock, and no suspension."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any


def ticks() -> float:
    """Seconds since the machine was started; with those in which it was suspended, where it has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def boot() -> str:
    """Which start of the machine it is, from /proc/sys/kernel/random/boot_id; "" where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


@dataclass(frozen=True)
class Anchor:
    """
    Ties the ticks of a machine to the wall clock, once: what is measured between two moments never jumps.

    Attributes:
        wall: The wall clock when it was made, UTC.
        tick: `ticks()` at that moment.
        boot: `boot()` of the machine; the ticks of another one mean nothing here.
    """

    wall: datetime
    tick: float
    boot: str

    @classmethod
    def here(cls) -> Anchor:
        """An anchor of this moment."""
        return cls(datetime.now(UTC), ticks(), boot())

    def at(self, tick: float) -> datetime:
        """The time of a tick."""
        return self.wall + timedelta(seconds=tick - self.tick)

    def now(self) -> datetime:
        """The time by this anchor; only where `alive`."""
        return self.at(ticks())

    @property
    def alive(self) -> bool:
        """Whether the machine still counts the same ticks: it was not restarted since, and it is this one."""
        return bool(self.boot) and self.boot == boot()

    def drift(self) -> float:
        """Seconds by which the wall clock was set since (or ran off); for words, no measurement rests on it."""
        return (datetime.now(UTC) - self.now()).total_seconds()

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return {"wall": self.wall.isoformat(), "tick": self.tick, "boot": self.boot}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Anchor:
        """The anchor that was kept. Raises KeyError, TypeError or ValueError for anything else."""
        return cls(datetime.fromisoformat(kept["wall"]), float(kept["tick"]), str(kept["boot"]))
