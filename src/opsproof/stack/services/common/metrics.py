"""Prometheus metrics of a service, in a registry of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.4, 0.5, 0.75, 1.0, 2.0, 2.5, 3.0, 5.0, 7.5, 10.0, 15.0, 30.0)

_LONGEST_READING = 0.5


async def in_time(reading: Awaitable[list[Metric]]) -> list[Metric]:
    """The metrics of a reading; none if a store keeps it waiting, so that a scrape hangs on no store."""
    try:
        async with asyncio.timeout(_LONGEST_READING):
            return await reading
    except TimeoutError:
        return []


@dataclass(frozen=True)
class CounterSpec:
    """A counter of one system: what it counts and by which labels."""

    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class HistogramSpec:
    """A histogram of one system, in seconds."""

    help: str


class _Extra:
    """A collector for what was fetched for one scrape."""

    def __init__(self) -> None:
        self.metrics: tuple[Metric, ...] = ()

    def collect(self) -> Iterable[Metric]:
        return self.metrics


class Metrics:
    """
    The request metrics that every service has, and the counters that a system adds.

    Args:
        info: Labels of `app_info`.
        counters: The system's own counters, by name.
        histograms: The system's own histograms, by name.
    """

    def __init__(
        self, info: Mapping[str, str], counters: Mapping[str, CounterSpec], histograms: Mapping[str, HistogramSpec]
    ) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        labels = ("method", "path", "client", "status")
        self._requests = Counter("http_requests_total", "Answered requests.", labels, registry=registry)
        self._seconds = Histogram(
            "http_request_duration_seconds", "Time to answer.", labels[:3], buckets=_BUCKETS, registry=registry
        )
        self._counters = {
            name: Counter(name, spec.help, spec.labels, registry=registry) for name, spec in counters.items()
        }
        self._histograms = {
            name: Histogram(name, spec.help, buckets=_BUCKETS, registry=registry) for name, spec in histograms.items()
        }
        Gauge("app_info", "What is running; always 1.", tuple(info), registry=registry).labels(**info).set(1)
        ProcessCollector(registry=registry)
        self._extra = _Extra()
        self._registry.register(self._extra)
        self._frozen: bytes | None = None

    def observe(self, method: str, path: str, client: str, status: int, seconds: float) -> None:
        """Count one answered request under its path template; `client` is `synthetic` for what a gate asked."""
        self._requests.labels(method, path, client, str(status)).inc()
        self._seconds.labels(method, path, client).observe(seconds)

    def count(self, name: str, amount: float = 1, /, **labels: str) -> None:
        """Raise one of the system's counters."""
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def observe_value(self, name: str, seconds: float) -> None:
        """Add to one of the system's histograms."""
        self._histograms[name].observe(seconds)

    def exposition(self, extra: Iterable[Metric], *, frozen: bool) -> bytes:
        """The text for a scrape; while frozen, always the text of the first such scrape."""
        if frozen and self._frozen is not None:
            return self._frozen
        self._extra.metrics = tuple(extra)
        text = generate_latest(self._registry)
        self._frozen = text if frozen else None
        return text
