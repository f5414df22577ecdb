"""What a report may say of a rehearsal's numbers: without a number, and without its moments, nothing is proven."""

from typing import Literal

from opsproof.judge.outcome import Status
from opsproof.rehearsal.facts import ObjectiveFact, PhaseFact, Proof, RehearsalFact

Weakness = Literal["over_budget", "step_failed", "not_gone_through", "step_not_passed", "no_budget", ""]
RTO, RPO = "RTO", "RPO"
_USABLE = ("service", "data", "business")
"""Phases that say that customers are served again, with their data."""


def proof_of(fact: RehearsalFact, objective: ObjectiveFact) -> Proof:
    """
    What is proven of an objective. A report never says more than the numbers beside it.

    Args:
        fact: The rehearsal, with its moments and its ledger.
        objective: One of its objectives.
    """
    if objective.proof is Proof.FAILED or (objective.upper is not None and objective.upper > objective.limit):
        return Proof.FAILED
    if objective.upper is None or lacking(fact, objective):
        return Proof.NOT_PROVEN
    return objective.proof


def lacking(fact: RehearsalFact, objective: ObjectiveFact) -> str:
    """What a number of an objective would have to rest on and is not there: `T4`, `ledger`; "" if all is."""
    if objective.name == RTO:
        return "T0" if fact.moments.t0 is None else "T4" if fact.moments.t4 is None else ""
    if objective.name == RPO:
        return "" if fact.ledger and fact.ledger.sent else "ledger"
    return ""


def proof_of_phase(fact: RehearsalFact, phase: PhaseFact) -> Proof:
    """
    What is proven of a phase; one that was not gone through is not proven, whatever its budget.

    Args:
        fact: The rehearsal: a phase is proven by steps that all passed.
        phase: One of its phases.
    """
    states = {step.status for step in fact.steps if step.phase == phase.name}
    over = phase.budget is not None and phase.seconds is not None and phase.seconds > phase.budget
    if phase.proof is Proof.FAILED or Status.FAILED in states or over:
        return Proof.FAILED
    return Proof.NOT_PROVEN if phase.seconds is None or states - {Status.PASSED} else phase.proof


def weakness(fact: RehearsalFact, phase: PhaseFact) -> Weakness:
    """Why a phase is not proven: a phase that took a second of two hours may have failed for one of its steps."""
    states = {step.status for step in fact.steps if step.phase == phase.name}
    if phase.budget is not None and phase.seconds is not None and phase.seconds > phase.budget:
        return "over_budget"
    if Status.FAILED in states:
        return "step_failed"
    if phase.seconds is None:
        return "not_gone_through"
    if states - {Status.PASSED}:
        return "step_not_passed"
    return "no_budget" if phase.budget is None else ""


def proof_of_all(fact: RehearsalFact) -> Proof:
    """
    The worst of the objectives, steps and phases that have a budget.

    A rehearsal without an objective, or one that was given up, proves nothing whole.
    """
    budgeted = [phase for phase in fact.phases if phase.budget is not None or phase.seconds is None]
    proofs = [
        *(proof_of(fact, objective) for objective in fact.objectives),
        *(proof_of_phase(fact, phase) for phase in budgeted),
    ]
    if any(step.status == Status.FAILED for step in fact.steps):
        return Proof.FAILED
    if Proof.FAILED in proofs:
        return Proof.FAILED
    passed = all(step.status == Status.PASSED for step in fact.steps)
    whole = fact.objectives and passed and not fact.aborted and not fact.not_executed and Proof.NOT_PROVEN not in proofs
    return Proof.PROVEN if whole else Proof.NOT_PROVEN


def objective_of(fact: RehearsalFact, name: str) -> ObjectiveFact | None:
    """The objective of that name; None if the rehearsal had none."""
    return next((objective for objective in fact.objectives if objective.name == name), None)


def serves_again(fact: RehearsalFact) -> bool:
    """True if the rehearsal shows that the service could be used again, with its data; however late."""
    gone_through = {phase.name for phase in fact.phases if phase.seconds is not None}
    passed = all(step.status == Status.PASSED for step in fact.steps if step.phase in _USABLE)
    there = fact.moments.t0 is not None and fact.moments.t4 is not None
    return not fact.aborted and there and passed and gone_through >= set(_USABLE)


def worst_exposure(fact: RehearsalFact) -> float | None:
    """Seconds that would be lost with nothing but the worst copy; None if there is none, or one is not known."""
    seen = [copy.exposure for copy in fact.copies]
    known = [seconds for seconds in seen if seconds is not None]
    return max(known) if seen and len(known) == len(seen) else None
