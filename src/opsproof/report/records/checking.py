"""Is a record finished: blanks, fields that the runbook wants, times that contradict each other or are past."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from opsproof.errors import OpsproofError
from opsproof.report.records.labels import IN_ENGLISH, IN_KOREAN, LABELS, SEV_WANTED, WANTED
from opsproof.report.records.marks import blanks, read_header
from opsproof.report.records.reading import Field, day_in, fields, time_in
from opsproof.report.records.times import LEVEL_1, LEVEL_2

_WITH_A_TIME = (
    "started",
    "ended",
    "time",
    "relief_eta",
    "final_eta",
    "eta",
    "escalated",
    "answered",
    "outage",
    "restored",
)
_OPEN = ("미정", "open", "필요 없음", "not needed", "없음", "none")
_OWNER = re.compile(r"(?:담당자|owner): *([^,()\[\]\s][^,()\[\]]*)", re.IGNORECASE)
_ROW_TIME = re.compile(r"^\| (\d{2}-\d{2} \d{2}:\d{2}(?::\d{2})?) \|")


@dataclass(frozen=True)
class Finding:
    """What keeps a record from being finished, and in which line (from 1)."""

    line: int
    what: str


def read_record(path: Path) -> str:
    """
    Read a record.

    Raises:
        OpsproofError: It cannot be read, or opsproof did not make it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise OpsproofError(
            f"the record cannot be read: {getattr(exc, 'strerror', None) or 'it is no UTF-8 text'}",
            where=str(path),
            next_step="Name a record that `opsproof record incident` wrote.",
        ) from exc
    if "kind" not in read_header(text):
        raise OpsproofError(
            "the file has not the first line of a record",
            where=str(path),
            next_step="Name a record that `opsproof record incident` wrote, and leave its first line as it is.",
        )
    return text


def end_of(path: Path, text: str) -> datetime | None:
    """When the incident of a record ended, as its end message in the same folder says; None if it has not ended."""
    about = read_header(text)
    for other in sorted(path.parent.glob(f"{about.get('incident', '')}-end.*.md")):
        words = other.read_text(encoding="utf-8", errors="replace")
        head = read_header(words)
        if head.get("incident") == about.get("incident") and head.get("recovered") == "yes":
            found = [_time(field) for field in fields(words) if field.label in LABELS["ended"]]
            if found and found[0]:
                return found[0]
    return None


def check_record(text: str, *, now: datetime, ended: datetime | None = None) -> list[Finding]:
    """
    What is left to do in a record.

    Args:
        text: The record.
        now: The time, with zone: due times before it are past.
        ended: When the incident ended, if that is known: then no update is due any more.

    Returns:
        Findings in the order of lines; empty if the record is finished.
    """
    about, found = read_header(text), fields(text)
    findings = [Finding(line, f"blank: {what}") for line, what in blanks(text)]
    if about.get("kind") in ("end", "customer-notice") and about.get("recovered") == "no":
        findings.append(Finding(1, "recovery is not verified; run the recovery checks again and make it from that run"))
        return findings
    findings += _missing(about, found)
    findings += _times(found)
    findings += _order(about, found)
    findings += _from_to(about, found)
    findings += _one_line(found)
    findings += _prevention(found)
    findings += _overdue(about, found, text, now, ended)
    findings += _data_loss(about, found)
    findings += _escalation(about, found, now)
    findings += _answers(about, found)
    findings += _timeline(text)
    return sorted(dict.fromkeys(findings), key=lambda finding: finding.line)


def _named(found: list[Field], key: str) -> Field | None:
    return next((field for field in found if field.label in LABELS[key]), None)


def _wanted(about: Mapping[str, str]) -> tuple[str, ...]:
    kind = about.get("kind", "")
    return SEV_WANTED.get(about.get("severity", ""), ()) if kind == "sev" else WANTED.get(kind, ())


def _missing(about: Mapping[str, str], found: list[Field]) -> Iterator[Finding]:
    labels = IN_ENGLISH if about.get("lang") == "en" else IN_KOREAN
    for key in _wanted(about):
        field = _named(found, key)
        if field is None:
            yield Finding(1, f"missing: {' or '.join(labels[key])}")
        elif not field.filled and not field.has_blanks:
            yield Finding(field.line, f"empty: {field.label}")


def _times(found: list[Field]) -> Iterator[Finding]:
    labels = {label for key in _WITH_A_TIME for label in LABELS[key]}
    for field in found:
        if field.label not in labels or field.has_blanks or field.value.startswith(_OPEN):
            continue
        try:
            at = time_in(field.value)
        except ValueError:
            yield Finding(field.line, f"{field.label}: there is no such time")
            continue
        if at is None:
            yield Finding(field.line, f"{field.label}: expected a time such as 2026-11-20 02:10 KST")
        elif at.tzinfo is None:
            yield Finding(field.line, f"{field.label}: the time has no zone; write KST, UTC or +09:00")


def _time(field: Field | None) -> datetime | None:
    """The time in a field, if it has a zone; what is wrong with it is told by `_times`."""
    try:
        at = time_in(field.value) if field else None
    except ValueError:
        return None
    return at if at and at.tzinfo else None


def _order(about: Mapping[str, str], found: list[Field]) -> Iterator[Finding]:
    """Runbook 003: all scenarios have the same fields in the same order."""
    if about.get("kind") != "scenario":
        return
    there = [field for key in WANTED["scenario"] if (field := _named(found, key))]
    for before, after in pairwise(there):
        if before.line > after.line:
            yield Finding(after.line, f"{after.label} stands before {before.label}; the order is the runbook's")


def _from_to(about: Mapping[str, str], found: list[Field]) -> Iterator[Finding]:
    end_field = _named(found, "ended")
    ended = _time(end_field)
    started = _time(_named(found, "started"))
    if started is None and "started" in about:
        started = datetime.fromisoformat(about["started"]).replace(second=0)
    if end_field and ended and started and ended < started:
        yield Finding(end_field.line, f"{end_field.label} is before the start")


def _one_line(found: list[Field]) -> Iterator[Finding]:
    for key in ("cause", "rollback_cause"):
        field = _named(found, key)
        if field and field.below:
            yield Finding(field.line, f"{field.label}: one line, and {len(field.below) + 1} were written")


def _prevention(found: list[Field]) -> Iterator[Finding]:
    field = _named(found, "prevention")
    if field is None or field.has_blanks:
        return
    whole = " ".join((field.value, *field.below))
    if not _OWNER.search(whole):
        yield Finding(field.line, f"{field.label}: no owner (담당자: / owner:)")
    try:
        due = day_in(whole)
    except ValueError:
        yield Finding(field.line, f"{field.label}: there is no such date")
        return
    if due is None:
        yield Finding(field.line, f"{field.label}: no due date (기한: / due: YYYY-MM-DD)")
    ended = _time(_named(found, "ended"))
    if due and ended and due < ended.date():
        yield Finding(field.line, f"{field.label}: due {due}, before the incident ended")


def _overdue(
    about: Mapping[str, str], found: list[Field], text: str, now: datetime, ended: datetime | None
) -> Iterator[Finding]:
    kind = about.get("kind")
    if kind in ("start", "sev") and ended is None:
        field = _named(found, "next")
        due = _time(field)
        if field and due and due < now:
            yield Finding(field.line, f"{field.label}: {_ago(now - due)} overdue; send it, or write the end message")
    if kind == "postmortem" and blanks(text):
        field = _named(found, "due")
        due = _time(field) or (datetime.fromisoformat(about["due"]) if "due" in about else None)
        if field and due and due < now and not field.has_blanks:
            yield Finding(field.line, f"{field.label}: {_ago(now - due)} overdue, and the post-mortem is not written")


def _data_loss(about: Mapping[str, str], found: list[Field]) -> Iterator[Finding]:
    field = _named(found, "loss") if about.get("kind") == "customer-notice" else None
    if field and field.filled and not field.has_blanks and not re.search(r"\d", field.value):
        yield Finding(field.line, f"{field.label}: expected what was measured, with its number")


def _escalation(about: Mapping[str, str], found: list[Field], now: datetime) -> Iterator[Finding]:
    """Runbook 000: level 1 has 30 minutes, level 2 responds within an hour, level 3 names the work and its owner."""
    field = _named(found, "escalated") if about.get("kind") == "escalation" else None
    if field is None:
        return
    started, escalated = _time(_named(found, "started")), _time(field)
    answer = _named(found, "answered")
    answered = _time(answer)
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
    work, owner = _named(found, "work_item"), _named(found, "owner")
    named = work is not None and work.filled and not work.has_blanks and not work.value.startswith(_OPEN)
    if work and named and (owner is None or not owner.filled or owner.value.startswith(_OPEN)):
        yield Finding(work.line, f"{work.label}: no owner is named")


def _answers(about: Mapping[str, str], found: list[Field]) -> Iterator[Finding]:
    """Runbook 004: P1 within 30 minutes, P2 within the working hours; `at once` has no number to judge."""
    if about.get("kind") != "alerts":
        return
    due: datetime | None = None
    begun: datetime | None = None
    for field in found:
        if field.label in LABELS["answer_due"]:
            due = _time(field)
        elif field.label in LABELS["seen"]:
            begun = _time(field)
        elif field.label in LABELS["answered"] and (answered := _time(field)):
            if begun and answered < begun:
                yield Finding(field.line, f"{field.label} is before the alert")
            elif due and due != begun and answered > due:
                yield Finding(field.line, f"{field.label}: {_ago(answered - due)} late")


def _timeline(text: str) -> Iterator[Finding]:
    rows = [(n, match[1]) for n, line in enumerate(text.splitlines(), start=1) if (match := _ROW_TIME.match(line))]
    for (_, before), (number, after) in pairwise(rows):
        new_year = before.startswith("12-") and after.startswith("01-")
        if after[: len(before)] < before[: len(after)] and not new_year:
            yield Finding(number, f"timeline: {after} stands after {before}")


def _ago(past: timedelta) -> str:
    minutes = int(past.total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
