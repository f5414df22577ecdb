"""Times of records: local and UTC side by side, and when the runbooks want something done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from opsproof.judge.limits import Lang
from opsproof.profile.indicators import Priority
from opsproof.profile.scalars import Severity

if TYPE_CHECKING:
    from holidays import HolidayBase

ZONE = "Asia/Seoul"
"""Where the people are who handle an incident, unless the run says otherwise."""

FIRST_UPDATE = timedelta(minutes=30)
"""After the message that an incident has begun (runbook 002, 커뮤니케이션 템플릿)."""

UPDATE_EVERY: Mapping[Severity, timedelta] = {
    "SEV-1": timedelta(minutes=15),
    "SEV-2": timedelta(minutes=30),
    "SEV-3": timedelta(minutes=60),
}
"""Between two reports (runbook 003, SEV 보고 형식)."""

LEVEL_1 = timedelta(minutes=30)
"""What the operations team has not solved by then goes to level 2 (runbook 000, 에스컬레이션)."""

LEVEL_2 = timedelta(hours=1)
"""In which level 2 responds (runbook 000, 에스컬레이션)."""

_BUSINESS_DAYS = 3


def local_and_utc(at: datetime, zone: str) -> str:
    """
    A time for people, local and UTC: `2026-11-20 02:10 KST (2026-11-19 17:10 UTC)`.

    Args:
        at: The time, with its zone.
        zone: The local zone. `KST` stands for Asia/Seoul; others show their offset, which needs no table of names.
    """
    utc = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    local = at.astimezone(ZoneInfo(zone))
    if local.utcoffset() == timedelta(0):
        return utc
    name = "KST" if zone == ZONE else local.isoformat()[-6:]
    return f"{local:%Y-%m-%d %H:%M} {name} ({utc})"


def clock_text(at: datetime, zone: str) -> str:
    """A time to the second, without its year: `11-20 02:10:04`."""
    return f"{at.astimezone(ZoneInfo(zone)):%m-%d %H:%M:%S}"


def duration_text(seconds: float, lang: Lang) -> str:
    """A duration for people: `94 s`, `5 min 3 s`, `2 h 10 min`; in Korean `94초`, `5분 3초`, `2시간 10분`."""
    hour, minute, second = ("시간", "분", "초") if lang == "ko" else (" h", " min", " s")
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + second
    whole = round(seconds)
    if whole < 120 and whole % 60:
        return f"{whole}{second}"
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    parts = ((hours, hour), (minutes, minute), (0 if hours else rest, second))
    return " ".join(f"{number}{unit}" for number, unit in parts if number)


def post_mortem_due(priority: Priority, ended: datetime, zone: str) -> datetime:
    """
    When the post-mortem must be there (runbook 002, 사후 조치).

    Args:
        priority: P1 (and P0, which the runbook does not have) within 24 hours; P2 within 3 business days.
        ended: The end of the incident.
        zone: Whose days count; Saturday, Sunday and Korea's holidays are no business days.

    Returns:
        24 hours after the end, or the end of the third business day.
    """
    if priority != "P2":
        return ended + timedelta(hours=24)
    day = _calendar().get_nth_working_day(ended.astimezone(ZoneInfo(zone)).date(), _BUSINESS_DAYS)
    return datetime.combine(day, time(23, 59), ZoneInfo(zone))


def answer_due(priority: Priority, since: datetime, zone: str) -> datetime:
    """
    When somebody must have answered a finding (runbook 004, 알림 우선순위).

    Args:
        priority: P0 at once, P1 within 30 minutes, P2 within the working hours of the same day.
        since: When it was seen.
        zone: Whose working days count.

    Returns:
        The time; for P2 the end of that day, or of the next business day where that is none: the runbook has no hour.
    """
    if priority == "P0":
        return since
    if priority == "P1":
        return since + timedelta(minutes=30)
    day = since.astimezone(ZoneInfo(zone)).date()
    calendar = _calendar()
    working = day if calendar.is_working_day(day) else calendar.get_nth_working_day(day, 1)
    return datetime.combine(working, time(23, 59), ZoneInfo(zone))


def _calendar() -> HolidayBase:
    """Korea's working days; a year is added when it is asked for."""
    import holidays

    return holidays.country_holidays("KR")
