"""dr.md and dr.html: the report of the rehearsals of a run, in Korean and English."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from opsproof.evidence.bundle import EVIDENCE_FILE
from opsproof.evidence.observation import Observation
from opsproof.judge.limits import Lang
from opsproof.judge.outcome import Outcome, Status
from opsproof.rehearsal.facts import FindingFact, PhaseFact, Proof, RehearsalFact, SeededFact
from opsproof.report.folder import RUN_FILE, SUMMARY_FILE
from opsproof.report.markdown import code, code_block, prose
from opsproof.report.page import page
from opsproof.report.records.filling import fill_in, need
from opsproof.report.records.linking import relative
from opsproof.report.records.marks import Md, blank, header
from opsproof.report.records.times import local_and_utc
from opsproof.report.rehearsals import proving
from opsproof.report.rehearsals.block import ledger_text, measured
from opsproof.report.rehearsals.course import Course, course
from opsproof.report.rehearsals.notice import loss_text, says_restored
from opsproof.report.rehearsals.picture import svg, text_picture
from opsproof.report.rehearsals.remarks import remarks, why_of
from opsproof.report.rehearsals.trend import Trend, trends
from opsproof.report.rehearsals.words import PROOFS, SIGNS, STATES, moment, phase_name, step_title, took, words
from opsproof.report.text import one_line
from opsproof.report.view import View
from opsproof.report.windows import zone_of

LANGS: tuple[Lang, ...] = ("ko", "en")
_ANSWER = 240
_TITLE: Mapping[Lang, str] = {"ko": "재해 복구 훈련 보고서", "en": "Disaster recovery rehearsal"}


@dataclass(frozen=True)
class Scenario:
    """
    A rehearsed scenario, as the templates tell it.

    Attributes:
        fact: What came of it.
        trend: It among the earlier ones.
        view: The run, redacted, and its evidence.
        lang: Language of the report.
        written: When the report is made.
    """

    fact: RehearsalFact
    trend: Trend
    view: View
    lang: Lang
    written: datetime

    @property
    def title(self) -> str:
        """What the profile calls it."""
        return self.fact.title.get(self.lang) or self.fact.scenario

    @cached_property
    def remarks(self) -> list[str]:
        """What stands on top of the report."""
        return remarks(self.fact, self.trend, self.lang, self.written)

    @cached_property
    def course(self) -> Course:
        """How it went, for the picture."""
        return course(self.fact, self.outcomes)

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The outcomes of its steps."""
        steps = {step.check for step in self.fact.steps}
        return tuple(outcome for outcome in self.view.run.outcomes if outcome.check in steps)

    def title_of(self, outcome: Outcome) -> str:
        """What must be true after a step, in the report's language."""
        return next(step_title(step, self.lang) for step in self.fact.steps if step.check == outcome.check)

    @property
    def findings(self) -> tuple[FindingFact, ...]:
        """Its findings, and one for each seeded fault that no check caught and nobody has written down yet."""
        known = [finding.what for finding in self.fact.findings]
        silent = [one for one in self.silent if not any(one.name in what for what in known)]
        said = words(self.lang)["remark_seeded"]
        caught_by_none = (said.format(name=one.name, usual=one.usual) for one in silent)
        return (*(FindingFact(what=what, owner="", due=None) for what in caught_by_none), *self.fact.findings)

    @property
    def silent(self) -> tuple[SeededFact, ...]:
        """Seeded faults that no check caught."""
        return tuple(fault for fault in self.fact.seeded if not fault.caught_by)

    @property
    def gone_through(self) -> bool:
        """True if every step of the plan is known to have been executed."""
        fact = self.fact
        whole = all(phase.seconds is not None for phase in fact.phases)
        return bool(fact.steps) and whole and not fact.aborted and not fact.not_executed

    @property
    def restored(self) -> bool:
        """True if the notice may say that the service is back."""
        return says_restored(self.fact)

    @property
    def whole_site(self) -> bool:
        """True if the scenario takes all services of runbook 001 with it."""
        profile = self.view.run.profiles.get(self.fact.profile)
        return self.fact.scenario == "region-loss" and profile is not None and profile.system == "factory-ai"

    @property
    def outage(self) -> float:
        """Seconds from T0 to T4; only of a rehearsal that was restored."""
        begin, end = self.fact.moments.t0, self.fact.moments.t4
        if begin is None or end is None:
            raise ValueError(f"{self.fact.scenario} has no T0 or no T4")
        return (end - begin).total_seconds()

    def telling(self, outcome: Outcome) -> Observation | None:
        """The question that shows best what a check saw: what is wrong, else the last one that had an answer."""
        if telling := self.view.observations.get(outcome.telling):
            return telling
        asked = self.view.asked(outcome)
        return next((one for one in reversed(asked) if one.answer is not None), asked[-1] if asked else None)


def rehearsal_reports(view: View, folder: Path, templates: Path, out: Path | None = None) -> dict[str, str]:
    """
    The reports of a run's rehearsals by file name: `dr.ko.md`, `dr.ko.html`, `dr.en.md`, `dr.en.html`.

    Args:
        view: The run, redacted, and its evidence.
        folder: The run's folder: its other files are hashed as they lie there, earlier runs lie beside it.
        templates: The folder that holds `ko/` and `en/`.
        out: Where the reports will lie, for links; None for the run's folder.

    Returns:
        The texts; empty if nothing was rehearsed.

    Raises:
        OpsproofError: A library or template is missing, or a template is broken.
    """
    if not view.run.rehearsals:
        return {}
    need(("jinja2", "markdown_it"), "the report of a rehearsal needs", "dr")
    written, found = datetime.now(UTC), trends(view.run, folder)
    reports = {}
    for lang in LANGS:
        scenarios = [
            Scenario(fact, trend, view, lang, written) for fact, trend in zip(view.run.rehearsals, found, strict=True)
        ]
        for ending in ("md", "html"):
            reports[f"dr.{lang}.{ending}"] = _report(scenarios, ending, folder, templates, out or folder)
    return reports


def _report(scenarios: list[Scenario], ending: str, folder: Path, templates: Path, out: Path) -> str:
    lang, view = scenarios[0].lang, scenarios[0].view
    pictures = {
        f"<!-- picture {number} -->": svg(scenario.course, lang) for number, scenario in enumerate(scenarios, start=1)
    }
    names = _names(scenarios, folder, out, html=ending == "html") | {
        "picture": lambda number: _picture(scenarios[number - 1], number, html=ending == "html")
    }
    head = header({"kind": "dr", "lang": lang, "written": scenarios[0].written.isoformat(timespec="seconds")})
    text = f"{head}\n\n{fill_in(templates, f'{lang}/dr.md.j2', names, explained='docs/rehearsal-report.md')}\n"
    if ending == "md":
        return text
    profiles = ", ".join(dict.fromkeys(scenario.fact.profile for scenario in scenarios))
    return page(text, f"{_TITLE[lang]}: {profiles}, {view.run.id}", pictures, lang)


def _names(scenarios: list[Scenario], folder: Path, out: Path, *, html: bool) -> dict[str, Any]:
    """What templates can say (docs/rehearsal-report.md)."""
    lang, view = scenarios[0].lang, scenarios[0].view
    zone = zone_of(view.run)
    marked = {"html": html}
    return {
        "scenarios": scenarios,
        "run": view.run,
        "profiles": view.run.profiles,
        "others": [*_others(scenarios)],
        "files": [*_hashes(folder)],
        "proving": proving,
        "local": lambda at: Md(moment(at, zone)),
        "utc": lambda at: Md(moment(at, ZoneInfo("UTC"))),
        "when": lambda at: Md(f"{moment(at, zone)} ({moment(at, ZoneInfo('UTC'))})"),
        "took": lambda seconds: Md(took(seconds, lang)),
        "proof": lambda proof: _proof(proof, lang, **marked),
        "phase": lambda name: Md(prose(phase_name(name, lang))),
        "measured": lambda fact, objective: Md(prose(measured(fact, objective, lang))),
        "why": lambda fact, objective: Md(prose(why_of(fact, objective, lang), 1000)),
        "ledger": lambda fact: Md(prose(ledger_text(fact, lang))),
        "step_title": lambda step: step_title(step, lang),
        "loss": lambda fact: Md(prose(loss_text(fact, lang), 1000)),
        "state": lambda status: _state(status, lang, **marked),
        "short": lambda check: Md(code(check.removesuffix(f"[{scenarios[0].fact.profile}]"))),
        "last": lambda check: Md(code(check.partition("[")[0].rpartition(".")[2])),
        "of_phase": lambda fact, phase: _of_phase(fact, phase, lang, **marked),
        "minute": lambda at: Md(local_and_utc(at, zone.key)),
        "worst": _worst(scenarios),
        "blank": lambda what: _blank(what, lang, **marked),
        "code": lambda text: Md(code(str(text))),
        "codes": lambda texts: Md(", ".join(code(str(text)) for text in texts)),
        "cut": lambda text, length: Md(prose(str(text), length)),
        "answer": _answer,
        "run_file": lambda name: Md(f"[{name}]({relative(folder / name, out)})"),
        "report_of": lambda past: _report_of(past.folder, lang, folder, out),
    }


def _of_phase(fact: RehearsalFact, phase: PhaseFact, lang: Lang, *, html: bool) -> Md:
    """What is proven of a phase; of one that was gone through and has no budget there is nothing to prove."""
    proof, why = proving.proof_of_phase(fact, phase), proving.weakness(fact, phase)
    if proof is Proof.NOT_PROVEN and why == "no_budget":
        return Md(words(lang)["no_budget"])
    marked = _proof(proof, lang, html=html)
    return Md(f"{marked} {words(lang)[why]}") if why and proof is not Proof.PROVEN else marked


def _worst(scenarios: Iterable[Scenario]) -> Proof:
    proofs = {proving.proof_of_all(scenario.fact) for scenario in scenarios}
    return next(proof for proof in (Proof.FAILED, Proof.NOT_PROVEN, Proof.PROVEN) if proof in proofs)


def _proof(proof: Proof, lang: Lang, *, html: bool) -> Md:
    return _marked(proof, PROOFS[lang][proof], html=html)


def _state(status: str, lang: Lang, *, html: bool) -> Md:
    """The status of a check or step; one of neither passed nor failed is never shown as good."""
    proof = {Status.PASSED.value: Proof.PROVEN, Status.FAILED.value: Proof.FAILED}.get(status, Proof.NOT_PROVEN)
    return _marked(proof, STATES[lang].get(status) or prose(status), html=html)


def _marked(proof: Proof, word: str, *, html: bool) -> Md:
    text = f"{SIGNS[proof]} {word}"
    kind = {Proof.PROVEN: "proven", Proof.FAILED: "failed", Proof.NOT_PROVEN: "not-proven"}[proof]
    return Md(f'<span class="{kind}">{text}</span>' if html else f"**{text}**")


def _blank(what: str, lang: Lang, *, html: bool) -> Md:
    text = blank(what, lang)
    return Md(f'<span class="blank">{text}</span>') if html else text


def _picture(scenario: Scenario, number: int, *, html: bool) -> Md:
    if not scenario.course.length:
        return Md("")
    if html:
        return Md(f"<!-- picture {number} -->")
    return Md(code_block(text_picture(scenario.course, scenario.lang)))


def _answer(outcome: Outcome, observation: Observation | None) -> Md:
    """What a check saw: its own words where it is not well, else the answer that it had."""
    if outcome.message and (outcome.status is not Status.PASSED or observation is None):
        return Md(prose(outcome.message))
    if observation is None:
        return Md("-")
    if observation.failure:
        return Md(prose(f"{observation.failure.kind}: {observation.failure.what}"))
    answer = observation.answer or {}
    told = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for key, value in answer.items()
    }
    parts = told.values() if len(told) == 1 else (f"{key}: {text}" for key, text in told.items())
    return Md(prose("; ".join(parts), _ANSWER))


def _others(scenarios: Iterable[Scenario]) -> Iterator[Outcome]:
    """Checks of the same run that belong to no scenario: backups that were verified before."""
    scenarios = [*scenarios]
    steps = {outcome.check for outcome in chain.from_iterable(scenario.outcomes for scenario in scenarios)}
    for outcome in scenarios[0].view.run.outcomes:
        if outcome.check not in steps and outcome.status is not Status.SKIPPED:
            yield outcome


def _hashes(folder: Path) -> Iterator[tuple[str, str]]:
    """The run's files with their SHA-256; "" for one that is not there."""
    for name in (RUN_FILE, EVIDENCE_FILE, SUMMARY_FILE):
        path = folder / name
        yield name, hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _report_of(name: str, lang: Lang, folder: Path, out: Path) -> Md:
    """A link to the report of an earlier run, or to its folder if it has none."""
    if not name:
        return Md("")
    earlier = folder.resolve().parent / name
    report = earlier / f"dr.{lang}.md"
    target = report if report.is_file() else earlier / RUN_FILE
    return Md(f"[{prose(one_line(name))}]({relative(target, out)})")
