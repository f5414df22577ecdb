"""What a reader must see first: everything of a rehearsal that is not proven, failed, lost, or stayed green."""

from collections.abc import Iterator
from datetime import datetime

from opsproof.judge.limits import Lang
from opsproof.judge.outcome import Status
from opsproof.rehearsal.facts import ObjectiveFact, Proof, RehearsalFact
from opsproof.report.rehearsals.proving import RPO, lacking, objective_of, proof_of, proof_of_phase, weakness
from opsproof.report.rehearsals.trend import Trend
from opsproof.report.rehearsals.words import PROOFS, STATES, phase_name, step_title, took, words

_BAD = (Status.FAILED, Status.UNKNOWN)


def remarks(fact: RehearsalFact, trend: Trend, lang: Lang, now: datetime) -> list[str]:
    """
    The sentences on top of a report, the worst first; empty if everything is proven.

    Args:
        fact: The rehearsal.
        trend: It among the earlier ones.
        lang: Language of the report.
        now: When the report is made: a rehearsal expires.
    """
    return [
        *_course(fact, lang),
        *_ledger(fact, lang),
        *_seeded(fact, lang),
        *_phases(fact, lang),
        *_copies(fact, lang),
        *_time(fact, trend, lang, now),
    ]


def why_of(fact: RehearsalFact, objective: ObjectiveFact, lang: Lang) -> str:
    """Why an objective has its proof, with what its number lacks to rest on."""
    said, missing = words(lang), lacking(fact, objective)
    lacks = (
        "" if not missing else said["no_ledger_for_it" if missing == "ledger" else "no_moment"].format(moment=missing)
    )
    if objective.upper is None and not lacks:
        lacks = said["no_number"]
    return "; ".join(part for part in (objective.why, lacks) if part)


def _course(fact: RehearsalFact, lang: Lang) -> Iterator[str]:
    said = words(lang)
    if fact.aborted:
        yield said["remark_aborted"].format(why=fact.aborted)
    if not fact.objectives:
        yield said["no_objectives"]
    for objective in fact.objectives:
        if (proof := proof_of(fact, objective)) is not Proof.PROVEN:
            why = why_of(fact, objective, lang)
            yield said["remark_objective"].format(name=objective.name, proof=PROOFS[lang][proof], why=why)
    alike: dict[tuple[str, str], list[str]] = {}
    for step in fact.steps:
        if step.status in _BAD:
            alike.setdefault((step.status, step.words), []).append(step_title(step, lang).rstrip("."))
    for (status, found), titles in alike.items():
        others = said["remark_others"].format(n=len(titles) - 1) if len(titles) > 1 else ""
        yield said["remark_step"].format(step=titles[0] + others, status=STATES[lang][status], words=found)
    if fact.not_executed:
        yield said["remark_not_executed"].format(n=len(fact.not_executed))


def _ledger(fact: RehearsalFact, lang: Lang) -> Iterator[str]:
    if fact.ledger is None:
        return
    for key, number in (
        ("remark_lost", fact.ledger.lost - fact.ledger.to_replay),
        ("remark_to_replay", fact.ledger.to_replay),
        ("remark_conflicting", fact.ledger.conflicting),
        ("remark_unexpected", fact.ledger.unexpected),
    ):
        if number:
            yield words(lang)[key].format(n=number)


def _seeded(fact: RehearsalFact, lang: Lang) -> Iterator[str]:
    for fault in fact.seeded:
        if not fault.caught_by:
            yield words(lang)["remark_seeded"].format(name=fault.name, usual=fault.usual)


def _phases(fact: RehearsalFact, lang: Lang) -> Iterator[str]:
    said = words(lang)
    for phase in fact.phases:
        if proof_of_phase(fact, phase) is not Proof.FAILED:
            continue
        name = phase_name(phase.name, lang)
        why = weakness(fact, phase)
        if why != "over_budget" or phase.seconds is None or phase.budget is None:
            yield said["remark_phase_failed"].format(name=name, why=said[why] if why else "-")
        else:
            yield said["remark_phase"].format(
                name=name, seconds=took(phase.seconds, lang), budget=took(phase.budget, lang)
            )


def _copies(fact: RehearsalFact, lang: Lang) -> Iterator[str]:
    said, rpo = words(lang), objective_of(fact, RPO)
    for copy in fact.copies:
        if copy.exposure is None:
            yield said["remark_copy_unknown"].format(name=copy.name, why=copy.why)
        elif rpo and copy.exposure > rpo.limit:
            yield said["remark_copy_old"].format(
                name=copy.name, exposure=took(copy.exposure, lang), limit=took(rpo.limit, lang)
            )


def _time(fact: RehearsalFact, trend: Trend, lang: Lang, now: datetime) -> Iterator[str]:
    said, limit = words(lang), fact.last_within
    if fact.projected:
        yield said["remark_projected"].format(words=fact.projected)
    if fact.declared:
        yield said["remark_clock"].format(seconds=took(fact.declared, lang))
    if limit is not None and (age := trend.age(now)) > limit:
        yield said["remark_expired"].format(age=took(age, lang), limit=took(limit, lang))
    if limit is not None and trend.since_previous is not None and trend.since_previous > limit:
        yield said["remark_late"].format(age=took(trend.since_previous, lang), limit=took(limit, lang))
    if trend.plan_changed:
        yield said["remark_plan"]
    if trend.unreadable:
        yield said["remark_unreadable"].format(names=", ".join(trend.unreadable))
