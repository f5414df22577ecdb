"""Prometheus' HTTP API: its envelope, and the kinds of answers (https://prometheus.io/docs/prometheus/latest/querying/api/)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from opsproof.probes.http.answer import HttpAnswer


class NoApi(ValueError):
    """The answer is not of the API, or says that the query failed; the text says what it says."""


@dataclass(frozen=True)
class Point:
    """
    One series at one time.

    Attributes:
        labels: Its labels, the metric's name as `__name__`.
        value: May be NaN or infinite.
    """

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Series:
    """One series over a stretch: times in UTC, with the value at each."""

    labels: Mapping[str, str]
    points: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True)
class ScrapedTarget:
    """What Prometheus knows of one of its targets; `health` is up, down or unknown."""

    job: str
    instance: str
    labels: Mapping[str, str]
    health: str
    last_error: str


@dataclass(frozen=True)
class AlertRule:
    """An alert rule that Prometheus has loaded; `state` is inactive, pending or firing, `health` ok, err or unknown."""

    name: str
    state: str
    health: str
    last_error: str
    labels: Mapping[str, str]


def data_of(answer: HttpAnswer) -> tuple[Any, str]:
    """
    The data of an answer, and its warnings as one text.

    Raises:
        NoApi: It is an error of the query, or no answer of this API.
        BadAnswer: It is no JSON.
    """
    if answer.status in (502, 503, 504):
        raise NoApi(f"{answer.status_line}: it is starting, overloaded, or a proxy before it does not reach it")
    found = answer.json()
    if not isinstance(found, dict) or found.get("status") not in ("success", "error"):
        raise NoApi(f"{answer.status_line} without the API's envelope: this is no Prometheus")
    if found["status"] == "error":
        raise NoApi(f"the query failed ({found.get('errorType', 'error')}): {found.get('error', '')}")
    return found.get("data"), "; ".join(map(str, found.get("warnings") or ()))


def points(data: Any) -> list[Point]:
    """
    The points of an instant query's data.

    Raises:
        NoApi: The query gives a text or a range, or the data has another form.
    """
    kind = data.get("resultType") if isinstance(data, dict) else None
    try:
        if kind == "vector":
            return [Point(one["metric"], float(one["value"][1])) for one in data["result"]]
        if kind == "scalar":
            return [Point({}, float(data["result"][1]))]
    except (KeyError, TypeError, ValueError, IndexError):
        kind = "data of an unknown form"
    raise NoApi(f"the query gives a {kind or 'data of an unknown form'} where numbers for now were expected")


def series(data: Any) -> list[Series]:
    """The series of a range query's data. Raises NoApi as `points`."""
    try:
        return [
            Series(
                one["metric"],
                tuple((datetime.fromtimestamp(float(at), UTC), float(value)) for at, value in one["values"]),
            )
            for one in _list(data["result"])
        ]
    except (KeyError, TypeError, ValueError):
        raise NoApi("the query gives something else than series over a stretch") from None


def scraped_targets(data: Any) -> list[ScrapedTarget]:
    """The active targets. Raises NoApi as `points`."""
    try:
        return [
            ScrapedTarget(
                one["labels"]["job"], one["labels"]["instance"], one["labels"], one["health"], one.get("lastError", "")
            )
            for one in _list(data["activeTargets"])
        ]
    except (KeyError, TypeError):
        raise NoApi("the list of targets has an unknown form") from None


def alert_rules(data: Any) -> list[AlertRule]:
    """The alert rules of all groups. Raises NoApi as `points`."""
    try:
        return [
            AlertRule(one["name"], one["state"], one["health"], one.get("lastError", ""), one.get("labels") or {})
            for group in _list(data["groups"])
            for one in group["rules"]
            if one["type"] == "alerting"
        ]
    except (KeyError, TypeError):
        raise NoApi("the list of rules has an unknown form") from None


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value
