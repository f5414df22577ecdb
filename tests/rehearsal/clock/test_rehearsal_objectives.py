"""RTO and the phases: judged by what was measured, and not proven without it."""

from datetime import UTC, datetime, timedelta

import pytest

from opsproof.rehearsal.clock.objectives import Scale, phases, rto
from opsproof.rehearsal.facts import Moments, Proof

T0 = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
GIB = 2**30


def moments(**seconds):
    return Moments(**{name: T0 + timedelta(seconds=after) for name, after in seconds.items()})


ALL = {"t0": 0, "t1": 60, "t2": 120, "t3": 300, "t4": 600, "t5": 900}
REPAIR = {"t0": 0, "t3": 300, "t4": 600}


@pytest.mark.parametrize(
    ("noted", "further", "proof", "upper"),
    [
        pytest.param(ALL, {}, Proof.PROVEN, 600, id="measured"),
        pytest.param(ALL, {"declared": 9000}, Proof.PROVEN, 600, id="measured-wins-over-declared"),
        pytest.param({**ALL, "t4": 3601, "t5": 3700}, {}, Proof.FAILED, 3601, id="too-long"),
        pytest.param(REPAIR, {"declared": 900}, Proof.PROVEN, 1500, id="declared"),
        pytest.param(REPAIR, {"declared": 3001}, Proof.FAILED, 3601, id="declared-makes-it-too-long"),
        pytest.param(REPAIR, {}, Proof.NOT_PROVEN, 600, id="neither-measured-nor-declared"),
        pytest.param({"t0": 0, "t1": 1, "t2": 2, "t4": 600}, {}, Proof.NOT_PROVEN, 600, id="no-committed-write"),
        pytest.param({"t0": 0, "t1": 1, "t2": 2, "t3": 3}, {}, Proof.NOT_PROVEN, None, id="never-usable"),
        pytest.param({"t4": 600}, {}, Proof.NOT_PROVEN, None, id="no-failure"),
        pytest.param(ALL, {"uncertainty": "joined by wall clocks"}, Proof.NOT_PROVEN, 600, id="no-trusted-clock"),
        pytest.param(ALL, {"scale": Scale(GIB, 10, None)}, Proof.NOT_PROVEN, 600, id="size-unknown"),
        pytest.param(ALL, {"scale": Scale(GIB, 10, GIB)}, Proof.PROVEN, 600, id="full-size"),
        pytest.param(ALL, {"scale": Scale(GIB, 10, 101 * GIB)}, Proof.PROVEN, 1600, id="projected"),
        pytest.param(ALL, {"scale": Scale(GIB, 10, 1001 * GIB)}, Proof.FAILED, 10600, id="projected-too-long"),
        pytest.param(ALL, {"scale": Scale(0, 0, GIB)}, Proof.NOT_PROVEN, 600, id="no-rate"),
        pytest.param(ALL, {"scale": Scale(GIB, 10, GIB, 0, 0, GIB)}, Proof.NOT_PROVEN, 600, id="nothing-was-replayed"),
        pytest.param(ALL, {"scale": Scale(GIB, 10, GIB, GIB, 5, 3 * GIB)}, Proof.PROVEN, 610, id="replay-projected"),
    ],
)
def test_rto_is_judged_by_its_upper_bound(noted, further, proof, upper):
    """What nobody measured is not proven, and never zero seconds."""
    fact = rto(3600, moments(**noted), **further)

    assert (fact.proof, fact.upper) == (proof, upper)
    assert proof is Proof.NOT_PROVEN or fact.lower == noted["t4"]


def test_what_is_missing_is_said():
    """The auditor reads why."""
    fact = rto(3600, moments(**REPAIR), scale=Scale(GIB, 0, 2 * GIB))

    assert fact.why.startswith("missing: detection and declaration (T1, T2): measured or declared, the time at full")
    assert "first committed write (T3) after 300.00 s" in fact.why
    assert "protected again (T5) not measured" in fact.why


def test_what_was_declared_and_projected_is_said():
    """A number that was not measured must not look as if it had been."""
    fact = rto(3600, moments(**REPAIR), declared=900, scale=Scale(GIB, 10, 11 * GIB), embedded=True)

    assert "900 s are declared for detection and declaration, not measured" in fact.why
    assert f"{11 * GIB} bytes take 100 s longer" in fact.why
    assert "it says nothing of an environment" in fact.why


def test_each_phase_is_judged_by_its_budget():
    """A phase that nobody went through is not proven; nor is one without a budget, nor unexplained time."""
    facts = phases(
        {"declare": 900, "verify": 1800, "database": 60},
        {"database": 61.0, "declare": 10.0, "cleaning": 3.0, "unexplained": 2.0},
    )

    assert [(fact.name, fact.budget, fact.seconds, fact.proof) for fact in facts] == [
        ("declare", 900, 10.0, Proof.PROVEN),
        ("verify", 1800, None, Proof.NOT_PROVEN),
        ("database", 60, 61.0, Proof.FAILED),
        ("cleaning", None, 3.0, Proof.NOT_PROVEN),
        ("unexplained", None, 2.0, Proof.NOT_PROVEN),
    ]
