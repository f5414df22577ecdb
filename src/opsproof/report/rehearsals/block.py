"""A rehearsal in a few lines, for the terminal and summary.md."""

from collections.abc import Iterator

from opsproof.judge.limits import Lang
from opsproof.rehearsal.facts import ObjectiveFact, Proof, RehearsalFact
from opsproof.report.block import Row
from opsproof.report.rehearsals.proving import RPO, objective_of, proof_of, proof_of_all, proof_of_phase, weakness
from opsproof.report.rehearsals.remarks import why_of
from opsproof.report.rehearsals.words import PROOFS, phase_name, took, words
from opsproof.report.text import one_line


def headline(fact: RehearsalFact, lang: Lang) -> Row[Proof]:
    """Which scenario it was, and what is proven of all of it."""
    said, proof = words(lang), proof_of_all(fact)
    title = fact.title.get(lang) or fact.scenario
    where = f"; {said['embedded']}" if fact.embedded else ""
    text = f"{PROOFS[lang][proof]}: {fact.scenario} ({title}), {fact.profile}{where}"
    return Row(said["rehearsal"], one_line(text), proof)


def rows(fact: RehearsalFact, lang: Lang) -> Iterator[Row[Proof]]:
    """
    What an operator must know of a rehearsal: objectives, phases, lost writes, and what was not executed.

    Args:
        fact: The rehearsal.
        lang: Language of the fixed words.
    """
    said = words(lang)
    for objective in fact.objectives:
        proof = proof_of(fact, objective)
        text = f"{PROOFS[lang][proof]}, {measured(fact, objective, lang)}"
        why = why_of(fact, objective, lang)
        yield _row(objective.name, f"{text}: {why}" if why else text, proof)
    if not fact.objectives:
        yield _row("RTO, RPO", said["no_objectives"], Proof.NOT_PROVEN)
    if fact.phases:
        judged = [phase for phase in fact.phases if phase.budget is not None or phase.seconds is None]
        proofs = {proof_of_phase(fact, phase) for phase in judged or fact.phases}
        worst = next(proof for proof in (Proof.FAILED, Proof.NOT_PROVEN, Proof.PROVEN) if proof in proofs)
        yield _row(said["phases"], "; ".join(_phases(fact, lang)), worst)
    yield _row(said["writes"], ledger_text(fact, lang), _ledger_proof(fact))
    if silent := [fault.name for fault in fact.seeded if not fault.caught_by]:
        yield _row(said["seeded"], said["stayed_green"].format(n=len(silent), names=", ".join(silent)), Proof.FAILED)
    elif fact.seeded:
        yield _row(said["seeded"], said["all_caught"].format(n=len(fact.seeded)), Proof.PROVEN)
    if fact.aborted:
        yield _row(said["aborted"], fact.aborted, Proof.NOT_PROVEN)
    for step in fact.not_executed:
        yield _row(said["not_executed"], step, Proof.NOT_PROVEN)


def measured(fact: RehearsalFact, objective: ObjectiveFact, lang: Lang) -> str:
    """A measured objective against its limit: `1.9 s .. 2.1 s, limit 30 min, resolution 200 ms`."""
    said = words(lang)
    limit = f"{said['limit']} {took(objective.limit, lang)}"
    if objective.upper is None:
        return limit
    lower = objective.lower
    bounds = took(objective.upper, lang)
    if lower is not None and lower != objective.upper:
        bounds = f"{took(lower, lang)} .. {bounds}"
    resolution = objective.resolution
    return f"{bounds}, {limit}" + (f", {said['resolution']} {took(resolution, lang)}" if resolution is not None else "")


def ledger_text(fact: RehearsalFact, lang: Lang) -> str:
    """What became of the writes, in a line."""
    said, ledger = words(lang), fact.ledger
    if ledger is None:
        return said["no_ledger"]
    if not ledger.sent:
        return said["ledger_empty"]
    return said["ledger"].format(
        sent=ledger.sent,
        ok=ledger.ok,
        lost=ledger.lost,
        to_replay=ledger.to_replay,
        indeterminate=ledger.indeterminate_present + ledger.indeterminate_absent,
        present=ledger.indeterminate_present,
        unexpected=ledger.unexpected,
        conflicting=ledger.conflicting,
    )


def _ledger_proof(fact: RehearsalFact) -> Proof:
    """Lost writes are judged by the RPO, but they are never green."""
    ledger = fact.ledger
    if ledger is None or not ledger.sent:
        return Proof.NOT_PROVEN
    if ledger.unexpected or ledger.conflicting:
        return Proof.FAILED
    rpo = objective_of(fact, RPO)
    proof = proof_of(fact, rpo) if rpo else Proof.NOT_PROVEN
    return Proof.NOT_PROVEN if ledger.lost and proof is Proof.PROVEN else proof


def _phases(fact: RehearsalFact, lang: Lang) -> Iterator[str]:
    said = words(lang)
    for phase in fact.phases:
        if phase.seconds is None:
            continue
        proof = proof_of_phase(fact, phase)
        text = f"{phase_name(phase.name, lang)} {took(phase.seconds, lang)}"
        if phase.budget is not None:
            text += f" ({said['limit']} {took(phase.budget, lang)})"
        fine = proof is Proof.PROVEN or (phase.budget is None and proof is Proof.NOT_PROVEN)
        why = weakness(fact, phase)
        yield text if fine else f"{text} {PROOFS[lang][proof]}" + (f", {said[why]}" if why else "")
    if missing := [phase_name(phase.name, lang) for phase in fact.phases if phase.seconds is None]:
        yield said["none_of_them"].format(names=", ".join(missing))


def _row(label: str, text: str, proof: Proof) -> Row[Proof]:
    return Row(label, one_line(text), proof)
