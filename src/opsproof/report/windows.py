"""A window and an incident in words: how long, since when, and what broke the stretch."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from opsproof.judge.limits import Lang
from opsproof.judge.windows import Ending, State, Timeline, WindowFact
from opsproof.profile.thresholds import number_text
from opsproof.report.run import Impact, IncidentFact, Run
from opsproof.report.view import seconds_text

LOCAL_ZONE = "Asia/Seoul"
BAR_WIDTH = 48
_MARKS = {State.HEALTHY: ".", State.GAP: "-", State.UNKNOWN: "?", State.FAILED: "x"}
_WORST = list(_MARKS)


def zone_of(run: Run) -> ZoneInfo:
    """The time zone of the people who read the run; that of Korea if the run does not say."""
    return ZoneInfo(run.incident.timezone if run.incident else LOCAL_ZONE)


def time_text(at: datetime, zone: ZoneInfo, *, date: bool = False) -> str:
    """
    A time for people, in their zone and in UTC: `03:12:27 KST (18:12:27Z)`.

    Args:
        at: The time, with its zone.
        zone: Where the reader is.
        date: True to give the day too.
    """
    local, utc = at.astimezone(zone), at.astimezone(ZoneInfo("UTC"))
    day = "%Y-%m-%d " if date else ""
    other = day if date and local.date() != utc.date() else ""
    return f"{local:{day}%H:%M:%S %Z} ({utc:{other}%H:%M:%S}Z)"


def headline(window: WindowFact, zone: ZoneInfo, said: Mapping[str, str]) -> str:
    """How the window ended, in a line."""
    if window.unsteady:
        key = "window_unsteady" if window.stable_for else "window_not_ready"
        total, stretch = len(window.timelines), seconds_text(window.stable_for)
        return said[key].format(n=window.unsteady, total=total, stretch=stretch)
    if window.ending is not Ending.STABLE:
        key = "window_hopeless" if window.ending is Ending.TERMINAL else "window_not_stable"
        return said[key].format(why=window.why or window.ending)
    since = window.started + timedelta(seconds=window.stable_since or 0.0)
    if not window.stable_for:
        passed = seconds_text((window.ended - window.started).total_seconds())
        return said["window_ready"].format(time=passed, attempts=window.attempts)
    return said["window_stable"].format(
        stretch=seconds_text(window.longest),
        since=time_text(since, zone),
        after=seconds_text(window.stable_since or 0.0),
    )


def course(window: WindowFact, said: Mapping[str, str]) -> str:
    """What happened in the window, in a line: first healthy, longest stretch, flaps, gaps, samples."""
    parts = []
    if window.first_healthy is None:
        parts.append(said["never_healthy"])
    else:
        parts.append(said["first_healthy"].format(time=seconds_text(window.first_healthy)))
    if window.ending is not Ending.STABLE and window.stable_for:
        longest, aim = seconds_text(window.longest), seconds_text(window.stable_for)
        parts.append(said["longest_stretch"].format(longest=longest, aim=aim))
    parts.append(said["flaps_and_gaps"].format(flaps=window.flaps, gaps=window.gaps))
    parts.append(said["samples"].format(samples=window.samples, attempts=window.attempts, every=f"{window.interval:g}"))
    return "; ".join(parts)


def restless(window: WindowFact) -> list[Timeline]:
    """Timelines of the checks that were not healthy all the time, those that failed first."""
    lines = [
        line
        for line in window.timelines
        if not line.spans or any(span.state is not State.HEALTHY for span in line.spans)
    ]
    return sorted(lines, key=lambda line: not any(span.state is State.FAILED for span in line.spans))


def bar(line: Timeline, window: WindowFact, width: int = BAR_WIDTH) -> str:
    """
    A timeline as a row of marks from the window's begin to its end: `.` healthy, `x` failed, `?` unknown, `-` a gap.

    A mark stands for the worst of its time. A state lasts until another is seen; before the first sample it is blank.
    """
    length = max((span.end for one in window.timelines for span in one.spans), default=0.0) or 1.0
    marks = [" "] * width
    ranks = [-1] * width
    ends = [*(span.start for span in line.spans[1:]), line.spans[-1].end if line.spans else 0.0]
    for span, end in zip(line.spans, ends, strict=True):
        first = min(width - 1, int(span.start / length * width))
        last = max(first, math.ceil(end / length * width) - 1)
        for position in range(first, last + 1):
            if _WORST.index(span.state) > ranks[position]:
                ranks[position], marks[position] = _WORST.index(span.state), _MARKS[span.state]
    return "".join(marks)


def incident_text(run: Run, incident: IncidentFact, said: Mapping[str, str]) -> str:
    """When the incident began, and how long before this run."""
    before = seconds_text((run.started - incident.started).total_seconds())
    began = time_text(incident.started, ZoneInfo(incident.timezone), date=True)
    return said["incident_began"].format(time=began, before=before)


def impact_texts(incident: IncidentFact, lang: Lang) -> Iterator[str]:
    """The numbers since the incident began, a line each."""
    for impact in incident.impact:
        yield f"{impact.title[lang]}: {impact_number(impact)}"


def impact_number(impact: Impact) -> str:
    """A number of an incident with its unit, and the counts behind it."""
    note = f" ({impact.note})" if impact.note else ""
    return f"{number_text(impact.value, impact.unit)}{note}"
