"""Samples of one selector on one track, as they come in look by look."""

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from statistics import median

from opsproof.judge.canary.series import Series

_OF_THE_SCRAPE = frozenset({"job", "instance", "endpoint", "prometheus", "prometheus_replica", "replica"})
"""Labels that say by whom and where something was scraped, and not what it is."""

Labels = frozenset[tuple[str, str]]


class History:
    """What was sampled so far: each series with all its points, oldest first."""

    def __init__(self) -> None:
        self._points: dict[Labels, list[tuple[float, float]]] = {}
        self.until: float | None = None
        """Unix seconds up to which the source was asked."""

    def add(self, found: Iterable[Series], until: float) -> None:
        """Add what a question gave; points that were there are not added again."""
        for one in found:
            known = self._points.setdefault(frozenset(one.labels.items()), [])
            last = known[-1][0] if known else float("-inf")
            known.extend(point for point in one.points if point[0] > last)
        self.until = until

    def series(self) -> list[Series]:
        """All series so far."""
        return [Series(dict(key), points) for key, points in self._points.items()]

    @property
    def labels(self) -> set[Labels]:
        """The labels of each series."""
        return set(self._points)

    @property
    def pods(self) -> set[str]:
        """Who the series are of; nobody where they are aggregated."""
        return {pod for key in self._points if (pod := _pod(dict(key)))}

    def values(self, label: str) -> set[str]:
        """The values that a label has."""
        return {value for key in self._points for name, value in key if name == label}

    def told_twice(self) -> str:
        """A pod of which two series tell at one time, but for job and address the same; "" if there is none."""
        spans: dict[Labels, tuple[float, float]] = {}
        for key, points in self._points.items():
            labels = {name: value for name, value in key if name not in _OF_THE_SCRAPE}
            if "pod" not in labels or not points:
                continue
            alike, span = frozenset(labels.items()), (points[0][0], points[-1][0])
            first, last = spans.get(alike, (math.inf, -math.inf))
            if max(first, span[0]) < min(last, span[1]):
                return labels["pod"]
            spans[alike] = span
        return ""

    @property
    def newest(self) -> float | None:
        """Unix seconds of the newest sample; None if there is none."""
        return max((points[-1][0] for points in self._points.values() if points), default=None)

    def silent(self, seconds: float, start: float) -> str:
        """
        Pods that tell nothing any more, and whose place nobody took; "" if there are none.

        Args:
            seconds: By which the newest sample of a pod is older than the newest of all.
            start: Unix seconds of the watch's begin; who ended before is not missed.
        """
        spans: dict[str, tuple[float, float]] = {}
        for key, points in self._points.items():
            if (pod := _pod(dict(key))) and points:
                first, last = spans.get(pod, (points[0][0], points[-1][0]))
                spans[pod] = min(first, points[0][0]), max(last, points[-1][0])
        newest = self.newest or 0.0
        ended = {pod: last for pod, (_, last) in spans.items() if newest - last > seconds and last > start}
        now = sum(newest - last <= seconds for _, last in spans.values())
        before = [sum(first <= end <= last for first, last in spans.values()) for end in ended.values()]
        return ", ".join(sorted(ended)) if max(before, default=0) > now else ""

    def edges(self) -> set[frozenset[str]]:
        """The sets of bucket edges that pods have."""
        found: dict[Labels, set[str]] = {}
        for key in self._points:
            labels = dict(key)
            edge = labels.pop("le", "")
            found.setdefault(frozenset(labels.items()), set()).add(edge)
        return {frozenset(one) for one in found.values()}

    @property
    def moved(self) -> float | None:
        """Unix seconds of the newest sample that is another one than that before it; None if nothing ever moved."""
        return max((at for points in self._points.values() if (at := _moved(points)) is not None), default=None)

    @property
    def scrape(self) -> float | None:
        """Seconds between two samples, as seen; None before the second one."""
        gaps = [later[0] - earlier[0] for points in self._points.values() for earlier, later in pairwise(points)]
        return median(gaps) if gaps else None


def _pod(labels: Mapping[str, str]) -> str:
    return labels.get("pod") or labels.get("target") or labels.get("instance") or ""


def _moved(points: list[tuple[float, float]]) -> float | None:
    for (_, before), (at, value) in zip(reversed(points[:-1]), reversed(points), strict=False):
        if value != before:
            return at
    return points[0][0] if len(points) == 1 else None
