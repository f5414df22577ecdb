"""What in a record is past its time: updates, post-mortems, escalations, answers to alerts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsproof.report.records.labels import LABELS
from opsproof.report.records.marks import blanks
from opsproof.report.records.reading import Field, is_nobody, named, time_of
from opsproof.report.records.times import LEVEL_1, LEVEL_2

_NONE = ("없음", "필요 없음", "none", "not needed")


@dataclass(frozen=True)
class Finding:
    """What keeps a record from being finished, and in which line (from 1)."""

    line: int
    what: str


def overdue(
    about: Mapping[str, str], found: list[Field], text: str, now: datetime, ended: datetime | None
) -> Iterator[Finding]:
    """Updates that were not sent, and a post-mortem that is not written, when they were due."""
    kind = about.get("kind")
    if kind in ("start", "sev") and ended is None:
        field = named(found, "next")
        due = time_of(field)
        if field and due and due < now:
            yield Finding(field.line, f"{field.label}: {_ago(now - due)} overdue; send it, or write the end message")
    if kind == "postmortem" and blanks(text):
        field = named(found, "due")
        due = time_of(field) or (datetime.fromisoformat(about["due"]) if "due" in about else None)
        if field and due and due < now and not field.has_blanks:
            yield Finding(field.line, f"{field.label}: {_ago(now - due)} overdue, and the post-mortem is not written")


def escalation(about: Mapping[str, str], found: list[Field], now: datetime) -> Iterator[Finding]:
    """Runbook 000: level 1 has 30 minutes, level 2 responds within an hour, level 3 names the work and its owner."""
    field = named(found, "escalated") if about.get("kind") == "escalation" else None
    if field is None:
        return
    started, escalated = time_of(named(found, "started")), time_of(field)
    answer = named(found, "answered")
    answered = time_of(answer)
    if field.has_blanks and started and now - started > LEVEL_1:
        yield Finding(
            field.line, f"level 1's 30 minutes ended {_ago(now - started - LEVEL_1)} ago; escalate to level 2"
        )
    if escalated and started and escalated - started > LEVEL_1:
        yield Finding(field.line, f"escalated {_ago(escalated - started - LEVEL_1)} after level 1's 30 minutes")
    if answer and escalated and not answered and now - escalated > LEVEL_2:
        yield Finding(answer.line, f"level 2 has not answered; its hour ended {_ago(now - escalated - LEVEL_2)} ago")
    if answer and escalated and answered and answered - escalated > LEVEL_2:
        yield Finding(answer.line, f"level 2 answered {_ago(answered - escalated - LEVEL_2)} after its hour")
    work, owner = named(found, "work_item"), named(found, "owner")
    handed_over = work is not None and work.filled and not work.has_blanks and not work.value.startswith(_NONE)
    if work and handed_over and (owner is None or not owner.filled or is_nobody(owner.value)):
        yield Finding(work.line, f"{work.label}: no owner is named")


def answers(about: Mapping[str, str], found: list[Field]) -> Iterator[Finding]:
    """Runbook 004: P1 within 30 minutes, P2 within the working hours; `at once` has no number to judge."""
    if about.get("kind") != "alerts":
        return
    due: datetime | None = None
    begun: datetime | None = None
    for field in found:
        if field.label in LABELS["answer_due"]:
            due = time_of(field)
        elif field.label in LABELS["seen"]:
            begun = time_of(field)
        elif field.label in LABELS["answered"] and (answered := time_of(field)):
            if begun and answered < begun:
                yield Finding(field.line, f"{field.label} is before the alert")
            elif due and due != begun and answered > due:
                yield Finding(field.line, f"{field.label}: {_ago(answered - due)} late")


def _ago(past: timedelta) -> str:
    minutes = int(past.total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
