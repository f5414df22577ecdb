"""A circuit breaker: after some failures in a row it lets nobody through for a while."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Literal

from prometheus_client.metrics_core import GaugeMetricFamily

from opsproof.stack.services.factory_ai.names import BREAKER_STATE

State = Literal["CLOSED", "OPEN", "HALF_OPEN"]
STATES: tuple[State, ...] = ("CLOSED", "OPEN", "HALF_OPEN")

FAILURES_TO_OPEN = 5
"""In a row."""

SECONDS_OPEN = 2.0
"""Then one call is let through, which decides."""


class Breaker:
    """
    Stands before one dependency.

    Args:
        name: `llm` or `mcp`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._failures = 0
        self._opened: float | None = None

    @property
    def state(self) -> State:
        """OPEN lets nothing through; HALF_OPEN lets through what will decide."""
        if self._opened is None:
            return "CLOSED"
        return "OPEN" if time.monotonic() - self._opened < SECONDS_OPEN else "HALF_OPEN"

    def record(self, *, failed: bool) -> None:
        """Tell how a call ended."""
        if not failed:
            self._failures, self._opened = 0, None
            return
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN or self._opened is not None:
            self._opened = time.monotonic()


def breaker_states(breakers: Iterable[Breaker]) -> GaugeMetricFamily:
    """One series for each breaker and state, 1 for the state that it has and 0 for the others."""
    states = GaugeMetricFamily(BREAKER_STATE, "State of each circuit breaker.", labels=["breaker", "state"])
    for breaker in breakers:
        for state in STATES:
            states.add_metric([breaker.name, state], float(breaker.state == state))
    return states
