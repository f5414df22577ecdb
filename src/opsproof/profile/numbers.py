"""Where an indicator's number comes from: one model for each kind of question."""

from datetime import date
from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from opsproof.profile.scalars import Duration
from opsproof.profile.selectors import parsed_promql, parsed_selector
from opsproof.profile.stores import NamePrefix
from opsproof.profile.targets import Section


def _selector(value: str) -> str:
    parsed_selector(value)
    return value


def _promql(value: str) -> str:
    parsed_promql(value)
    return value


def _dated(value: str) -> str:
    try:
        found = [part for part in Formatter().parse(value) if part[1] is not None]
    except ValueError:
        found = [("", "", "", None)]
    if any(name != "today" or conversion or "{" in (form or "") for _, name, form, conversion in found):
        raise ValueError("expected no placeholder but {today} and {today:%Y%m%d}; a brace itself is written {{ or }}")
    return value


def dated(text: str, today: date) -> str:
    """A name with the date filled in where it has `{today}` or `{today:FORMAT}`."""
    return text.format(today=today)


Dated = Annotated[str, AfterValidator(_dated)]
"""A name in which `{today}` is filled in."""

Selector = Annotated[
    str,
    AfterValidator(_selector),
    Field(description='Which series: a metric\'s name with label matchers, http_requests_total{status=~"5.."}.'),
]
PromQL = Annotated[str, AfterValidator(_promql), Field(description="A PromQL expression that gives one number.")]


class Ratio(Section):
    """
    The share of one counter's increase in another's, from 0 to 1.

    With no increase of `over` there is no share: that is no data, not 0 %.
    """

    of: Selector = Field(description="The counter of what is looked for: failed requests.")
    over: Selector = Field(description="The counter of all: requests. It includes what `of` counts.")
    window: Duration = Field(300.0, description="The stretch looked at, up to now.")


class Rate(Section):
    """Increase of a counter in one second, on average."""

    of: Selector
    window: Duration = Field(300.0, description="The stretch looked at, up to now.")


class Increase(Section):
    """Increase of a counter over the window."""

    of: Selector
    window: Duration = Field(300.0, description="The stretch looked at, up to now.")


class Quantile(Section):
    """A quantile of what a histogram observed in the window; with no observation there is none."""

    of: Selector = Field(description="The histogram, without `_bucket`.")
    q: float = Field(0.95, gt=0, lt=1)
    window: Duration = Field(300.0, description="The stretch looked at, up to now.")


class RedisNumber(Section):
    """A number in a cache: exactly one of its keys. In the names {today} is filled in, {today:%Y%m%d} too."""

    llen: Dated | None = Field(None, description="Length of a list.")
    scard: Dated | None = Field(None, description="Members of a set.")
    zcard: Dated | None = Field(None, description="Members of a sorted set.")
    hlen: Dated | None = Field(None, description="Fields of a hash.")
    xlen: Dated | None = Field(None, description="Entries of a stream.")
    get: Dated | None = Field(None, description="A key that holds the number.")
    scan: Dated | None = Field(None, description="How many keys match a pattern, by SCAN.")
    info: str | None = Field(None, description="A number of INFO, SECTION.NAME: memory.used_memory.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        ways = list(type(self).model_fields)
        if sum(getattr(self, way) is not None for way in ways) != 1:
            raise ValueError(f"expected exactly one of {', '.join(f'`{way}`' for way in ways)}")
        return self


class HttpNumber(Section):
    """A number in a JSON answer of an HTTP API."""

    path: str = Field(description="Path that is asked by GET.")
    field: str = Field(description="Dotted name of the number.")
    identity: str | None = Field(None, description="Identity of the target to use; left out, its `auth`.")


class LogCount(Section):
    """How many log lines a LogQL query selects."""

    query: str = Field(description='A LogQL log query: {app="web"} |= "error".')
    window: Duration = Field(300.0, description="The stretch looked at, up to now.")


class AlertCount(Section):
    """How many alerts fire at the alert manager."""

    match: dict[str, str] = Field({}, description="Labels that the alerts must have: {severity: P0}.")
    silenced: bool = Field(False, description="True: silenced and inhibited alerts count as well.")


class ObjectsNumber(Section):
    """A number of the objects in a store whose names begin with a prefix."""

    prefix: Annotated[NamePrefix, AfterValidator(_dated)] = Field(
        "", description="How their names begin: daily/shop-; {today} is filled in, {today:%Y%m%d} too."
    )
    of: Literal["count", "bytes", "newest-age", "oldest-age", "newest-bytes"] = Field(
        description="How many there are, their bytes together, seconds since the newest or oldest was written, or the "
        "newest one's bytes. Without any object all but the count are no data."
    )


MetricForm = Ratio | Rate | Increase | Quantile
SourceKind = Literal[
    "promql", "ratio", "rate", "increase", "quantile", "sql", "redis", "http", "logs", "alerts", "host", "objects"
]

TARGET_OF_SOURCE: dict[SourceKind, str] = {
    "promql": "metrics",
    "ratio": "metrics",
    "rate": "metrics",
    "increase": "metrics",
    "quantile": "metrics",
    "sql": "database",
    "redis": "cache",
    "http": "api",
    "logs": "logs",
    "alerts": "alerts",
    "host": "host",
    "objects": "backups",
}
"""Which target is asked, where the indicator names no other."""
