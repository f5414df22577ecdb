"""A circuit breaker: after some failures in a row it lets next to nobody through, until a call succeeds."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Literal

from prometheus_client.metrics_core import GaugeMetricFamily

from opsproof.stack.services.factory_ai.names import BREAKER_STATE

State = Literal["CLOSED", "OPEN"]
STATES: tuple[State, ...] = ("CLOSED", "OPEN")

FAILURES_TO_OPEN = 5
"""In a row."""

SECONDS_BETWEEN_TRIALS = 2.0
"""An open breaker lets one call through so often; if it succeeds, the breaker closes."""


class Breaker:
    """
    Stands before one dependency.

    Args:
        name: `llm` or `mcp`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: State = "CLOSED"
        self._failures = 0
        self._tried = 0.0

    def refuses(self) -> bool:
        """Whether a call may not be made now; a call that may be made must be, and its end told."""
        if self.state == "CLOSED":
            return False
        now = time.monotonic()
        if now - self._tried < SECONDS_BETWEEN_TRIALS:
            return True
        self._tried = now
        return False

    def record(self, *, failed: bool) -> None:
        """Tell how a call ended."""
        self._failures = self._failures + 1 if failed else 0
        if self._failures >= FAILURES_TO_OPEN and self.state == "CLOSED":
            self.state, self._tried = "OPEN", time.monotonic()
        if not failed:
            self.state = "CLOSED"


def breaker_states(breakers: Iterable[Breaker]) -> GaugeMetricFamily:
    """One series for each breaker and state, 1 for the state that it has and 0 for the others."""
    states = GaugeMetricFamily(BREAKER_STATE, "State of each circuit breaker.", labels=["service", "state"])
    for breaker in breakers:
        for state in STATES:
            states.add_metric([breaker.name, state], float(breaker.state == state))
    return states
