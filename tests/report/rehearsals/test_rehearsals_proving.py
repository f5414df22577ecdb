"""A report never says more than its numbers."""

from typing import Any

import pytest
from rehearsal_builders import (
    a_failed_rehearsal,
    a_ledger,
    a_rehearsal,
    a_step,
    an_aborted_rehearsal,
    at,
    objectives,
    phases,
)

from opsproof.rehearsal.facts import CopyFact, Moments, PhaseFact, Proof, RehearsalFact
from opsproof.report.rehearsals.proving import (
    objective_of,
    proof_of,
    proof_of_all,
    proof_of_phase,
    serves_again,
    weakness,
    worst_exposure,
)

UNMEASURED = {"lower": None, "upper": None}


def proofs(fact: RehearsalFact) -> dict[str, Proof]:
    return {objective.name: proof_of(fact, objective) for objective in fact.objectives}


@pytest.mark.parametrize(
    ("changes", "objective", "expected"),
    [
        pytest.param({}, "RTO", Proof.PROVEN, id="measured"),
        pytest.param({"moments": Moments(t0=at(0))}, "RTO", Proof.NOT_PROVEN, id="no-T4"),
        pytest.param({"moments": Moments(t4=at(17))}, "RTO", Proof.NOT_PROVEN, id="no-T0"),
        pytest.param({"objectives": objectives(rto=UNMEASURED)}, "RTO", Proof.NOT_PROVEN, id="no-number"),
        pytest.param(
            {"objectives": objectives(rto={"upper": 14400.5})}, "RTO", Proof.FAILED, id="over-and-called-proven"
        ),
        pytest.param({"ledger": None}, "RPO", Proof.NOT_PROVEN, id="no-ledger"),
        pytest.param({"ledger": a_ledger(sent=0)}, "RPO", Proof.NOT_PROVEN, id="empty-ledger"),
        pytest.param({"objectives": objectives(rpo=UNMEASURED)}, "RPO", Proof.NOT_PROVEN, id="no-bound"),
    ],
)
def test_an_objective_is_proven_only_by_what_it_rests_on(changes: Any, objective: str, expected: Proof) -> None:
    """run.json may call it proven; a report that repeats that without T4 or a ledger would be believed."""
    assert proofs(a_rehearsal(**changes))[objective] is expected


@pytest.mark.parametrize(
    ("seconds", "proof", "expected"),
    [(None, Proof.PROVEN, Proof.NOT_PROVEN), (31.0, Proof.PROVEN, Proof.FAILED), (29.0, Proof.PROVEN, Proof.PROVEN)],
    ids=["not-gone-through", "over-its-budget", "well"],
)
def test_a_phase_that_was_not_gone_through_is_not_proven(seconds: float | None, proof: Proof, expected: Proof) -> None:
    """A skipped phase within its budget of 30 s is the oldest trick."""
    phase = PhaseFact(name="data", budget=30.0, seconds=seconds, proof=proof)

    assert proof_of_phase(a_rehearsal(), phase) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("passed", Proof.PROVEN),
        ("failed", Proof.FAILED),
        ("unknown", Proof.NOT_PROVEN),
        ("skipped", Proof.NOT_PROVEN),
        ("not executed", Proof.NOT_PROVEN),
    ],
)
def test_a_phase_is_proven_by_steps_that_all_passed(status: str, expected: Proof) -> None:
    """A phase in time, one of whose steps was skipped, is not proven."""
    steps = (a_step("data", "rows", 1.0), a_step("data", "totals", 2.0, status=status), a_step("verify", "sum", 0.5))
    phase = PhaseFact(name="data", budget=30.0, seconds=3.0, proof=Proof.PROVEN)

    assert proof_of_phase(a_rehearsal(steps=steps), phase) is expected


@pytest.mark.parametrize(
    ("status", "seconds", "budget", "expected"),
    [
        ("passed", 3.0, 30.0, ""),
        ("failed", 3.0, 30.0, "step_failed"),
        ("unknown", 3.0, 30.0, "step_not_passed"),
        ("passed", 31.0, 30.0, "over_budget"),
        ("passed", 3.0, None, "no_budget"),
        ("not executed", None, 30.0, "not_gone_through"),
    ],
)
def test_a_phase_says_why_it_is_not_proven(
    status: str, seconds: float | None, budget: float | None, expected: str
) -> None:
    """Three seconds of a budget of thirty that FAILED are a riddle."""
    phase = PhaseFact(name="data", budget=budget, seconds=seconds, proof=Proof.PROVEN)

    assert weakness(a_rehearsal(steps=(a_step("data", "rows", 1.0, status=status),)), phase) == expected


def test_a_phase_without_a_budget_holds_nothing_up() -> None:
    """The clock calls it not proven: there is no limit to prove it against."""
    loose = PhaseFact(name="protect", budget=None, seconds=3.9, proof=Proof.NOT_PROVEN)
    missing = PhaseFact(name="protect", budget=None, seconds=None, proof=Proof.NOT_PROVEN)

    assert proof_of_all(a_rehearsal(phases=(*phases(), loose))) is Proof.PROVEN
    assert proof_of_all(a_rehearsal(phases=(*phases(), missing))) is Proof.NOT_PROVEN


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        pytest.param(a_rehearsal(), Proof.PROVEN, id="all-proven"),
        pytest.param(a_failed_rehearsal(), Proof.FAILED, id="rpo-failed"),
        pytest.param(an_aborted_rehearsal(), Proof.FAILED, id="a-step-failed"),
        pytest.param(a_rehearsal(objectives=()), Proof.NOT_PROVEN, id="no-objective"),
        pytest.param(a_rehearsal(not_executed=("fail back",)), Proof.NOT_PROVEN, id="a-step-not-executed"),
        pytest.param(a_rehearsal(aborted="disk full"), Proof.NOT_PROVEN, id="aborted"),
        pytest.param(a_rehearsal(phases=phases(data=(None, Proof.NOT_PROVEN))), Proof.NOT_PROVEN, id="a-phase-missing"),
    ],
)
def test_a_rehearsal_is_proven_only_as_a_whole(fact: RehearsalFact, expected: Proof) -> None:
    """The word on top is what most readers take along."""
    assert proof_of_all(fact) is expected


@pytest.mark.parametrize(
    ("changes", "serves"),
    [
        ({}, True),
        ({"aborted": "given up"}, False),
        ({"moments": Moments(t0=at(0))}, False),
        ({"phases": phases(business=(None, Proof.NOT_PROVEN))}, False),
        ({"phases": ()}, False),
        ({"steps": (a_step("service", "the_pool", 1.0, status="failed"),)}, False),
        ({"steps": (a_step("data", "rows", 1.0, status="unknown"),)}, False),
        ({"steps": (a_step("failback", "rewind", 1.0, status="failed"),)}, True),
    ],
    ids=["well", "given-up", "no-T4", "no-business", "no-phases", "a-step-failed", "a-step-unknown", "a-later-step"],
)
def test_a_service_is_back_only_with_its_data(changes: Any, *, serves: bool) -> None:
    """The notice to customers hangs on it."""
    assert serves_again(a_rehearsal(**changes)) is serves


def test_the_worst_exposure_is_not_known_if_one_copy_is_not() -> None:
    """The unknown copy may be the worst."""
    known = CopyFact(name="standby", newest=at(0), exposure=1.0, why="")
    unknown = CopyFact(name="dump", newest=None, exposure=None, why="cut")

    assert worst_exposure(a_rehearsal(copies=(known,))) == 1.0
    assert worst_exposure(a_rehearsal(copies=(known, unknown))) is None
    assert worst_exposure(a_rehearsal(copies=())) is None


def test_an_objective_that_is_not_there_is_none() -> None:
    """A template asks for both."""
    assert objective_of(a_rehearsal(objectives=()), "RTO") is None
