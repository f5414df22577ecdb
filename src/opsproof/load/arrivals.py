"""When each arrival is due, and who takes it: an open model, in which a slow target slows nobody down."""

import math
import random
from collections import deque
from collections.abc import Mapping
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
        tags: Of its task.
        over: Requests that were sent for it when there should be no more, to clean up.
    """

    due: float
    begun: float = 0.0
    requests: int = 0
    in_requests: float = 0.0
    tags: frozenset[str] = frozenset()
    over: int = 0


class Arrivals:
    """
    The arrivals of one worker. Each is for users of one class, and whichever of these is free takes it.

    So none waits behind a user who is held up; and one that only users of a slow class can take is not passed over for
    those of a quick one, which would let the target choose what it is asked.

    Args:
        rate: Arrivals a second, over all workers.
        duration: Seconds.
        begins: When they begin, on the clock of the generator.
        worker: Number of this worker, from 0.
        workers: How many there are; each takes every so manieth arrival.
        classes: Users by the name of their class; they share arrivals as they are many.
    """

    def __init__(
        self,
        rate: float,
        duration: float,
        begins: float,
        worker: int = 0,
        workers: int = 1,
        classes: Mapping[str, int] | None = None,
    ) -> None:
        self.begins = begins
        self.ends = begins + duration
        self._between = workers / rate
        self._first = begins + worker / rate
        self._planned = max(0, math.ceil((duration - worker / rate) / self._between - 1e-9))
        self._classes = {name: count for name, count in (classes or {"": 1}).items() if count}
        self._random = random.Random(worker)  # noqa: S311 - the same draws each time
        self._for: dict[str, deque[int]] = {name: deque() for name in self._classes}
        self._drawn = 0

    @property
    def planned(self) -> int:
        """All that there will be."""
        return self._planned

    def due_until(self, now: float) -> int:
        """How many were due until a time."""
        return min(self._planned, max(0, math.floor((now - self._first) / self._between + 1e-9) + 1))

    def take(self, name: str = "") -> float | None:
        """When the next one for a class is due, or was; None if there are no more, or none for users that came late."""
        mine = self._for.get(name)
        if mine is None:
            return None
        while not mine and self._drawn < self._planned:
            self._for[self._draw()].append(self._drawn)
            self._drawn += 1
        if not mine or mine[0] >= self._planned:
            return None
        return self._first + mine.popleft() * self._between

    def left(self) -> list[float]:
        """When those that nobody took were due."""
        waiting = [number for numbers in self._for.values() for number in numbers if number < self._planned]
        return [
            self._first + number * self._between for number in (*sorted(waiting), *range(self._drawn, self._planned))
        ]

    def cut(self, now: float) -> None:
        """Let no more arrivals be due from now on, those that a user waits for already included."""
        self._planned = self.due_until(now)
        self.ends = min(self.ends, now)

    def _draw(self) -> str:
        if len(self._classes) == 1:
            return next(iter(self._classes))
        return self._random.choices([*self._classes], [*self._classes.values()])[0]
