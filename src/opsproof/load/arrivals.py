"""When each arrival is due, and who takes it: an open model, in which a slow target slows nobody down."""

import math
from dataclasses import dataclass


@dataclass(slots=True)
class Arrival:
    """
    One arrival: a task that a user has to do.

    Attributes:
        due: When it was due, on the clock of the generator.
        begun: When its task was begun.
        requests: That were sent for it. The first one has waited since the arrival was due.
        in_requests: Seconds of it in requests.
    """

    due: float
    begun: float = 0.0
    requests: int = 0
    in_requests: float = 0.0


class Arrivals:
    """
    The arrivals of one worker. Whichever user is free takes the next one, so none waits behind a user who is held up.

    Args:
        rate: Arrivals a second, over all workers.
        duration: Seconds.
        begins: When they begin, on the clock of the generator.
        worker: Number of this worker, from 0.
        workers: How many there are; each takes every so manieth arrival.
    """

    def __init__(self, rate: float, duration: float, begins: float, worker: int = 0, workers: int = 1) -> None:
        self.begins = begins
        self.ends = begins + duration
        self._between = workers / rate
        self._first = begins + worker / rate
        self._planned = max(0, math.ceil((duration - worker / rate) / self._between - 1e-9))
        self.taken = 0

    @property
    def planned(self) -> int:
        """All that there will be."""
        return self._planned

    def due_until(self, now: float) -> int:
        """How many were due until a time."""
        return min(self._planned, max(0, math.floor((now - self._first) / self._between + 1e-9) + 1))

    def take(self) -> float | None:
        """When the next one is due, or was; None if there are no more."""
        if self.taken >= self._planned:
            return None
        due = self._first + self.taken * self._between
        self.taken += 1
        return due

    def left(self) -> list[float]:
        """When those that nobody took were due."""
        return [self._first + number * self._between for number in range(self.taken, self._planned)]

    def cut(self, now: float) -> None:
        """Let no more arrivals be due from now on, those that a user waits for already included."""
        self._planned = self.due_until(now)
        self.ends = min(self.ends, now)
