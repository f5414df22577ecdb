"""What a metrics server answered, and what can be said of it before any number is judged."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How the data of a criterion stand. Only `ok` can ever lead to a promotion; `violation` is a judgement on it."""

    OK = "ok"
    VIOLATION = "violation"
    EMPTY = "empty"
    NAN = "nan"
    INF = "inf"
    STALE = "stale"
    QUERY_ERROR = "query_error"
    SEVERAL_SERIES = "several_series"


@dataclass(frozen=True, slots=True)
class Series:
    """
    One series.

    Attributes:
        labels: Its labels.
        points: Unix seconds and value, oldest first.
    """

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


def state_of(series: Sequence[Series], now: float, *, staleness_s: float) -> State:
    """
    How the answer to a query that should give one number stands.

    Args:
        series: All series of the answer.
        now: Unix seconds at which the number is wanted.
        staleness_s: Seconds from which on the newest point is too old.

    Returns:
        `ok`, or why the newest number must not be used. A query that failed has no answer: its state is `query_error`.
    """
    if len(series) > 1:
        return State.SEVERAL_SERIES
    if not series or not series[0].points:
        return State.EMPTY
    at, value = series[0].points[-1]
    if now - at > staleness_s:
        return State.STALE
    if math.isnan(value):
        return State.NAN
    return State.INF if math.isinf(value) else State.OK


def apart(points: Sequence[tuple[float, float]], seconds: float) -> list[tuple[float, float]]:
    """
    Points that are at least so many seconds apart, from the oldest on.

    A number that is read over five minutes, every 15 seconds, is nearly the same number twenty times, and no test may
    take it for twenty. Points that are as far apart as the number looks back share nothing.

    Args:
        points: Unix seconds and value, oldest first.
        seconds: The least distance.
    """
    kept: list[tuple[float, float]] = []
    for point in points:
        if not kept or point[0] - kept[-1][0] >= seconds:
            kept.append(point)
    return kept
