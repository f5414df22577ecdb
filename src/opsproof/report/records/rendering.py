"""Records as Markdown: Jinja2 templates in which everything is text until it says that it is Markdown."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from opsproof.evidence.bundle import EVIDENCE_FILE
from opsproof.judge.limits import Lang
from opsproof.judge.outcome import Outcome, Status
from opsproof.profile.thresholds import number_text
from opsproof.report.folder import RUN_FILE, SUMMARY_FILE
from opsproof.report.markdown import code, prose
from opsproof.report.records import times
from opsproof.report.records.facts import Facts
from opsproof.report.records.filling import fill_in, need
from opsproof.report.records.kinds import KINDS, wanted
from opsproof.report.records.linking import MOST, asked_during, links, relative, telling_first
from opsproof.report.records.marks import Md, blank, header
from opsproof.report.records.saying import not_run_text
from opsproof.report.records.timeline import Outage
from opsproof.report.records.words import ENDINGS, RESULTS
from opsproof.report.words import cause_text


def render(kind: str, facts: Facts, *, templates: Path, run: Path, folder: Path) -> str:
    """
    Write a record.

    Args:
        kind: One of `KINDS`.
        facts: What the run knows.
        templates: The folder that holds `ko/` and `en/`.
        run: The run's folder; evidence is linked there.
        folder: Where the record will lie.

    Returns:
        Markdown, with a first line that `check_record` reads.

    Raises:
        OpsproofError: jinja2 or holidays is not installed, or the template is missing or broken: its line is named.
    """
    need(("jinja2", "holidays"), "records need", "records")
    names = _names(facts, run, folder)
    text = fill_in(templates, f"{facts.asked.lang}/{kind}.md.j2", names, explained="docs/records.md")
    return f"{_first_line(kind, facts)}\n\n{text}\n"


def _names(facts: Facts, run: Path, folder: Path) -> dict[str, Any]:
    """What templates can say (docs/records.md)."""
    lang, zone = facts.asked.lang, facts.zone
    return {
        "f": facts,
        "asked": facts.asked,
        "blank": lambda what: blank(what, lang),
        "when": lambda at: Md(times.local_and_utc(at, zone)),
        "local": lambda at: Md(times.clock_text(at, zone)),
        "utc": lambda at: Md(times.clock_text(at, "UTC")),
        "clock": lambda at: Md(f"{times.clock_text(at, zone)} ({times.clock_text(at, 'UTC')} UTC)"),
        "short": lambda outcome: Md(code(_short(outcome))),
        "took": lambda seconds: Md(times.duration_text(seconds, lang)),
        "number": lambda value, unit: Md(prose(number_text(value, unit))),
        "shows_number": _shows_number,
        "scope": lambda outages: Md(", ".join(_what_failed(outage, facts) for outage in outages)),
        "code": lambda text: Md(code(str(text))),
        "codes": lambda texts: Md(", ".join(code(str(text)) for text in texts)),
        "cut": lambda text, length: Md(prose(text, length)),
        "evidence": lambda outcome, most=MOST: links(telling_first(outcome), most, run, folder),
        "evidence_of": lambda outage: links(asked_during(outage, facts), MOST, run, folder),
        "run_file": lambda name: Md(f"[{name}]({relative(run / name, folder)})"),
        "title": lambda texts: texts.get(lang) or next(iter(texts.values()), ""),
        "item_title": lambda item: Md(item.title[lang] if item.rows else prose(item.title[lang])),
        "result": lambda item: Md(RESULTS[lang][item.result]),
        "ending": lambda window: Md(ENDINGS[lang][window.ending]),
        "skipped": _skipped_once(lang),
        "cause": lambda outcome: Md(cause_text(outcome.cause, lang)),
        "files": {"run": RUN_FILE, "evidence": EVIDENCE_FILE, "summary": SUMMARY_FILE},
        "times": times,
    }


def _skipped_once(lang: Lang) -> Callable[[Outcome], Md]:
    """Says why a check was skipped; a reason, which is in the language of the run, only the first time in a record."""
    told: set[str] = set()

    def skipped(outcome: Outcome) -> Md:
        reason = "" if outcome.message in told else f" ({prose(outcome.message, 200)})" if outcome.message else ""
        told.add(outcome.message)
        return Md(not_run_text(outcome.cause, lang) + reason)

    return skipped


def _shows_number(outcome: Outcome) -> bool:
    """True if an outcome has a number that its message does not tell."""
    if outcome.value is None:
        return False
    return outcome.status is Status.PASSED or number_text(outcome.value, outcome.unit) not in outcome.message


def _what_failed(outage: Outage, facts: Facts) -> str:
    """A check that failed, with what it promises."""
    outcome = facts.outcome_of.get(outage.check)
    return f"{code(outage.check)} {prose(outcome.title.rstrip('.'))}" if outcome else code(outage.check)


def _short(outcome: Outcome) -> str:
    """The check's id without its profile: `jobs.synthetic_work_is_finished[evaluation]`."""
    of_profile = f"{outcome.name}[{outcome.profile}"
    rest = outcome.check.removeprefix(of_profile).strip("-]")
    return f"{outcome.name}[{rest}]" if rest and outcome.check.startswith(of_profile) else outcome.name


def _first_line(kind: str, facts: Facts) -> Md:
    asked = facts.asked
    moments: Mapping[str, datetime | None] = {
        "started": facts.started,
        "ended": facts.ended,
        "written": asked.written,
        "next": _next_update(kind, facts),
        "due": _due(kind, facts),
    }
    return header(
        {
            "kind": kind,
            "lang": asked.lang,
            "incident": asked.incident,
            "zone": facts.zone,
            "recovered": "yes" if facts.recovered else "no",
            "severity": asked.severity or "",
            "priority": asked.priority or "",
            **{key: at.astimezone(UTC).isoformat(timespec="seconds") for key, at in moments.items() if at},
        }
    )


def _next_update(kind: str, facts: Facts) -> datetime | None:
    every: timedelta | None = None
    if kind == "start":
        every = times.FIRST_UPDATE
    elif kind == "sev" and facts.asked.severity and not facts.recovered:
        every = times.UPDATE_EVERY[facts.asked.severity]
    return facts.asked.written + every if every else None


def _due(kind: str, facts: Facts) -> datetime | None:
    if kind != "postmortem" or facts.ended is None or facts.asked.priority is None:
        return None
    return times.post_mortem_due(facts.asked.priority, facts.ended, facts.zone)


def kinds_for(facts: Facts, named: Iterable[str]) -> dict[str, str]:
    """
    The records to write, and of each what is missing for it ("" if nothing is).

    Args:
        facts: What the run knows.
        named: Kinds that the operator named; empty: all that the runbooks of the run's profiles want.
    """
    profiles = frozenset((fact.system, fact.environment) for fact in facts.view.run.profiles.values())
    given = {"severity": facts.asked.severity, "scenario": facts.asked.scenario, "": "nothing"}
    return {kind: "" if given[KINDS[kind].needs] else KINDS[kind].needs for kind in (tuple(named) or wanted(profiles))}
