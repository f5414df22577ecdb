"""Is a record finished: blanks, fields that the runbook wants, times that contradict each other or are past."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from opsproof.errors import OpsproofError
from opsproof.report.records.deadlines import Finding, answers, escalation, overdue
from opsproof.report.records.kinds import KINDS
from opsproof.report.records.labels import IN_ENGLISH, IN_KOREAN, LABELS, SEV_WANTED, WANTED
from opsproof.report.records.marks import blanks, read_header
from opsproof.report.records.reading import OPEN, Field, day_in, fields, is_nobody, named, time_in, time_of

_CLAIMS = [name for name, kind in KINDS.items() if kind.claims]
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
_OWNER = re.compile(r"(?:담당자|owner): *([^,()\[\]\s][^,()\[\]]*)", re.IGNORECASE)
_ROW_TIME = re.compile(r"^\| (\d{2}-\d{2} \d{2}:\d{2}(?::\d{2})?) \|")


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
            found = [time_of(field) for field in fields(words) if field.label in LABELS["ended"]]
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
    if about.get("kind") in _CLAIMS and about.get("recovered") == "no":
        findings.append(Finding(1, "recovery is not verified; run the recovery checks again and make it from that run"))
        return findings
    findings += _missing(about, found)
    findings += _times(found)
    findings += _order(about, found)
    findings += _from_to(about, found)
    findings += _one_line(found)
    findings += _prevention(found)
    findings += overdue(about, found, text, now, ended)
    findings += _data_loss(about, found)
    findings += escalation(about, found, now)
    findings += answers(about, found)
    findings += _timeline(text)
    return sorted(dict.fromkeys(findings), key=lambda finding: finding.line)


def _wanted(about: Mapping[str, str]) -> tuple[str, ...]:
    kind = about.get("kind", "")
    return SEV_WANTED.get(about.get("severity", ""), ()) if kind == "sev" else WANTED.get(kind, ())


def _missing(about: Mapping[str, str], found: list[Field]) -> Iterator[Finding]:
    labels = IN_ENGLISH if about.get("lang") == "en" else IN_KOREAN
    for key in _wanted(about):
        field = named(found, key)
        if field is None:
            yield Finding(1, f"missing: {' or '.join(labels[key])}")
        elif not field.filled and not field.has_blanks:
            yield Finding(field.line, f"empty: {field.label}")


def _times(found: list[Field]) -> Iterator[Finding]:
    labels = {label for key in _WITH_A_TIME for label in LABELS[key]}
    for field in found:
        if field.label not in labels or field.has_blanks or field.value.startswith(OPEN):
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


def _order(about: Mapping[str, str], found: list[Field]) -> Iterator[Finding]:
    """Runbook 003: all scenarios have the same fields in the same order."""
    if about.get("kind") != "scenario":
        return
    there = [field for key in WANTED["scenario"] if (field := named(found, key))]
    for before, after in pairwise(there):
        if before.line > after.line:
            yield Finding(after.line, f"{after.label} stands before {before.label}; the order is the runbook's")


def _from_to(about: Mapping[str, str], found: list[Field]) -> Iterator[Finding]:
    end_field = named(found, "ended")
    ended = time_of(end_field)
    started = time_of(named(found, "started"))
    if started is None and "started" in about:
        started = datetime.fromisoformat(about["started"]).replace(second=0)
    if end_field and ended and started and ended < started:
        yield Finding(end_field.line, f"{end_field.label} is before the start")


def _one_line(found: list[Field]) -> Iterator[Finding]:
    for key in ("cause", "rollback_cause"):
        field = named(found, key)
        if field and field.below:
            yield Finding(field.line, f"{field.label}: one line, and {len(field.below) + 1} were written")


def _prevention(found: list[Field]) -> Iterator[Finding]:
    field = named(found, "prevention")
    if field is None or field.has_blanks:
        return
    whole = " ".join((field.value, *field.below))
    owner = _OWNER.search(whole)
    if owner is None or is_nobody(owner[1]):
        yield Finding(field.line, f"{field.label}: no owner (담당자: / owner:)")
    try:
        due = day_in(whole)
    except ValueError:
        yield Finding(field.line, f"{field.label}: there is no such date")
        return
    if due is None:
        yield Finding(field.line, f"{field.label}: no due date (기한: / due: YYYY-MM-DD)")
    ended = time_of(named(found, "ended"))
    if due and ended and due < ended.date():
        yield Finding(field.line, f"{field.label}: due {due}, before the incident ended")


def _data_loss(about: Mapping[str, str], found: list[Field]) -> Iterator[Finding]:
    field = named(found, "loss") if about.get("kind") == "customer-notice" else None
    if field and field.filled and not field.has_blanks and not re.search(r"\d", field.value):
        yield Finding(field.line, f"{field.label}: expected what was measured, with its number")


def _timeline(text: str) -> Iterator[Finding]:
    rows = [(n, match[1]) for n, line in enumerate(text.splitlines(), start=1) if (match := _ROW_TIME.match(line))]
    for (_, before), (number, after) in pairwise(rows):
        new_year = before.startswith("12-") and after.startswith("01-")
        if after[: len(before)] < before[: len(after)] and not new_year:
            yield Finding(number, f"timeline: {after} stands after {before}")
