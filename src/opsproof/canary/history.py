"""Samples of one selector on one track, as they come in look by look."""

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from statistics import median

from opsproof.judge.canary.series import Series

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

    def series(self, wanted: Callable[[Mapping[str, str]], bool] = lambda _: True) -> list[Series]:
        """All series so far, or those whose labels are wanted."""
        return [Series(labels, points) for key, points in self._points.items() if wanted(labels := dict(key))]

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
            labels = dict(key)
            pod = labels.get("pod") or labels.get("target") or labels.get("instance")
            if pod and points:
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


def _moved(points: list[tuple[float, float]]) -> float | None:
    for (_, before), (at, value) in zip(reversed(points[:-1]), reversed(points), strict=False):
        if value != before:
            return at
    return points[0][0] if len(points) == 1 else None
