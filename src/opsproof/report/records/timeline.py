"""What happened when: the incident's start, what was seen of each check in the window, and the run itself."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from opsproof.judge.outcome import Status
from opsproof.judge.windows import State, WindowFact
from opsproof.report.run import Run

What = Literal[
    "incident",
    "window",
    "failed",
    "unknown",
    "gap",
    "healthy",
    "first_healthy",
    "stable_since",
    "window_ended",
    "run",
    "run_ended",
]


@dataclass(frozen=True)
class Event:
    """
    Something that happened.

    Attributes:
        at: When.
        what: What happened.
        check: The check of which it was seen, where it is about one.
        message: What the check said.
        others: Further checks that said the same at that time.
    """

    at: datetime
    what: What
    check: str = ""
    message: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outage:
    """
    A check that was not healthy for a while.

    Attributes:
        check: The check.
        state: How it stood.
        since: When it was first seen so.
        until: When it was first seen to stand otherwise: healthy, or unwell in another way; None: it did to the end.
        message: What it said.
        healed: True if it was healthy then.
        last: When its last sample in this state had its answer; None without a window: it was asked once.
    """

    check: str
    state: State
    since: datetime
    until: datetime | None
    message: str
    healed: bool = False
    last: datetime | None = None


def outages(run: Run) -> tuple[Outage, ...]:
    """What was seen not to be healthy, in order of time; without a window each check was asked once."""
    if run.window is None:
        bad = {Status.FAILED: State.FAILED, Status.UNKNOWN: State.UNKNOWN, Status.WAIVED: State.FAILED}
        seen = [Outage(o.check, bad[o.status], o.started, None, o.message) for o in run.outcomes if o.status in bad]
    else:
        seen = [*_seen_in(run.window)]
    return tuple(sorted(seen, key=lambda outage: outage.since))


def events(run: Run) -> tuple[Event, ...]:
    """The timeline of a run, in order of time."""
    found: list[Event] = []
    if run.incident:
        found.append(Event(run.incident.started, "incident"))
    for outage in outages(run):
        found.append(Event(outage.since, _WHAT[outage.state], outage.check, outage.message))
        if outage.until and outage.healed:
            found.append(Event(outage.until, "healthy", outage.check))
    if window := run.window:
        found.append(Event(window.started, "window"))
        if window.first_healthy is not None:
            found.append(Event(_moment(window, window.first_healthy), "first_healthy"))
        if window.stable_since is not None and window.stable_since != window.first_healthy:
            found.append(Event(_moment(window, window.stable_since), "stable_since"))
        found.append(Event(window.ended, "window_ended"))
    else:
        found += [Event(run.started, "run"), Event(run.finished, "run_ended")]
    ordered = sorted(found, key=lambda event: (event.at, _ORDER.index(event.what)))
    return tuple(_grouped(ordered))


_WHAT: dict[State, What] = {State.FAILED: "failed", State.UNKNOWN: "unknown", State.GAP: "gap"}
_ORDER: tuple[What, ...] = (
    *("incident", "window", "run", "failed", "unknown", "gap", "healthy"),
    *("first_healthy", "stable_since", "window_ended", "run_ended"),
)


def _seen_in(window: WindowFact) -> list[Outage]:
    found = []
    for timeline in window.timelines:
        for span, after in zip(timeline.spans, (*timeline.spans[1:], None), strict=True):
            if span.state is not State.HEALTHY:
                found.append(
                    Outage(
                        timeline.check,
                        span.state,
                        since=_moment(window, span.start),
                        until=_moment(window, after.start) if after else None,
                        message=span.message,
                        healed=after is not None and after.state is State.HEALTHY,
                        last=_moment(window, span.end),
                    )
                )
    return found


def _moment(window: WindowFact, seconds: float) -> datetime:
    return window.started + timedelta(seconds=seconds)


def _grouped(ordered: list[Event]) -> list[Event]:
    """Checks that say the same within one second are one line."""
    found: list[Event] = []
    for event in ordered:
        same = _same_moment(found, event) if event.check else None
        if same is None:
            found.append(event)
        else:
            found[same] = replace(found[same], others=(*found[same].others, event.check))
    return found


def _same_moment(found: list[Event], event: Event) -> int | None:
    """Where the line is that says the same, not more than a second before."""
    for number in reversed(range(len(found))):
        if event.at - found[number].at >= timedelta(seconds=1):
            return None
        if (found[number].what, found[number].message) == (event.what, event.message):
            return number
    return None
