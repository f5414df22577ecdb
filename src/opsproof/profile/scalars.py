"""Scalar types of a profile: durations, severities, addresses that hold a secret."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

Severity = Literal["SEV-1", "SEV-2", "SEV-3"]
"""How bad a failed check is; SEV-1 is the worst (runbook 003, 심각도 수준)."""

SEVERITIES: tuple[Severity, ...] = ("SEV-1", "SEV-2", "SEV-3")

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MOMENT = "expected a time with its zone, for example 2026-11-20T03:10+09:00"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")


def seconds(value: object) -> float:
    """
    Read a duration such as `250ms`, `5s`, `2m` or `12h`.

    Args:
        value: The text, or a bare number of seconds (also as text: a variable is always text).

    Returns:
        Seconds.

    Raises:
        ValueError: The text is no duration.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise ValueError("expected a duration such as 250ms, 5s, 2m or 12h")
    return float(match[1]) * _UNITS[match[2] or "s"]


def duration_text(value: float) -> str:
    """
    Write a duration so that `seconds` reads it back: `0.25` is `250ms`, `90` is `90s`, `120` is `2m`.

    Args:
        value: Seconds.

    Returns:
        The shortest whole number with its unit; milliseconds where it is no whole number of seconds.
    """
    for unit in ("d", "h", "m", "s"):
        if value >= _UNITS[unit] and value % _UNITS[unit] == 0:
            return f"{value / _UNITS[unit]:.0f}{unit}"
    return f"{value * 1000:.12g}ms"


def moment_text(time: datetime, timezone: str = "") -> str:
    """A moment to the minute, `2026-11-20 02:10 KST`: in this zone, or in that in which it was given."""
    return f"{time.astimezone(ZoneInfo(timezone)) if timezone else time:%Y-%m-%d %H:%M %Z}"


def _end_of_day(value: object) -> object:
    """A bare date means until the end of that day, UTC."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        value = date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time.max, UTC)
    return value


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected a time zone such as Asia/Seoul or UTC") from None
    return value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("expected a time zone, for example 2026-12-31T18:00:00+09:00 (a bare date ends at 24:00 UTC)")
    return value


def _written_out(value: object) -> object:
    """A bare number, or a date without a time, is no time that somebody meant."""
    if isinstance(value, str) and ":" in value:
        return value
    raise ValueError(_MOMENT)


def _zoned(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(_MOMENT)
    return value


DurationOrNone = Annotated[
    float,
    BeforeValidator(seconds, json_schema_input_type=Annotated[str, Field(pattern=f"^{_DURATION.pattern}$")] | float),
    PlainSerializer(duration_text, when_used="json"),
    Field(ge=0, allow_inf_nan=False, description="A duration: 250ms, 5s, 2m, 12h; a bare number is seconds."),
]
"""0 is one, too: an overlay switches off what its base has."""
Duration = Annotated[DurationOrNone, Field(gt=0)]
Moment = Annotated[datetime, AfterValidator(_zoned), BeforeValidator(_written_out, json_schema_input_type=str)]
Expiry = Annotated[datetime, AfterValidator(_aware), BeforeValidator(_end_of_day, json_schema_input_type=str)]
TimeZone = Annotated[str, AfterValidator(_known_zone)]
