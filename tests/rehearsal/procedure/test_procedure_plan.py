"""The plan is told before anything is touched, and its hash is what was rehearsed."""

from dataclasses import replace

import pytest
from planning import SECRET, STEPS, plan_of

from opsproof.rehearsal.procedure.plan import told

FIRST_CRITICAL = replace(STEPS[0], critical=True)


def test_the_same_plan_has_the_same_hash(described):
    """A journal is resumed, and a trend is drawn, by it."""
    assert plan_of(described).sha256 == plan_of(described).sha256


@pytest.mark.parametrize(
    "steps",
    [STEPS[:-1], STEPS[::-1], (FIRST_CRITICAL, *STEPS[1:]), (replace(STEPS[0], title="Else"), *STEPS[1:])],
    ids=["a step less", "another order", "another abort rule", "another title"],
)
def test_other_steps_are_another_plan(described, steps):
    """What was not done was not rehearsed."""
    assert plan_of(described, steps=steps).sha256 != plan_of(described).sha256


@pytest.mark.parametrize("change", [{"rto": 1.0}, {"rpo": 1.0}, {"declared": 60.0}, {"phases": {"declare": 1.0}}])
def test_other_objectives_and_budgets_are_another_plan(described, change):
    """A limit that was raised afterwards was not held."""
    plan = plan_of(described)
    other = replace(plan, objectives=plan.objectives.model_copy(update=change))

    assert other.sha256 != plan.sha256


def test_a_plan_of_another_environment_or_scenario_is_another_one(described):
    """A rehearsal in staging says nothing of production."""
    plan = plan_of(described)
    hashes = {plan.sha256, replace(plan, profile="factory-ai/dr").sha256, plan_of(described, "polluted-data").sha256}

    assert len(hashes) == 3


def test_a_phase_without_a_budget_has_half_an_hour(described):
    """A step that waits for ever is given up by nobody."""
    plan = plan_of(described)

    assert (plan.budget("declare"), plan.budget("database"), plan.budget("protect")) == (900.0, 7200.0, 1800.0)


def test_the_plan_tells_objectives_phases_and_steps_in_their_order(described):
    """It is read aloud before the operator says yes."""
    plan = plan_of(described)

    lines = told(plan, described, embedded=True)

    assert lines == [
        "region-loss on factory-ai/embedded: Loss of the region",
        f"  RTO 4h, RPO 30m; plan {plan.sha256[:12]}",
        "  touches nothing but clusters of its own, which are gone afterwards",
        "  declare, at most 15m",
        "    The first is done",
        "  database, at most 2h",
        "    What all stands on is done (given up where it fails)",
        "  service, at most 30m",
        "    The later is done",
        "  failback, at most 30m",
        "    Nothing is left (always)",
    ]


def test_the_plan_tells_what_is_touched_by_what_and_no_secret(described):
    """An address is what a person recognizes a mistake by; a password is nobody's business."""
    rehearsals = described.rehearsals.model_copy(
        update={"commands": {"promote": ("patronictl", "failover", "--force")}}
    )
    real = described.model_copy(update={"rehearsals": rehearsals})

    text = "\n".join(told(plan_of(real), real, embedded=False))

    assert "touches home.example:5432/factory-ai\n" in text
    assert "touches dr.example:5432/factory-ai\n" in text
    assert "only if its system identifier is 7440000000000000001" in text
    assert "only if SELECT name FROM opsproof_environment gives rehearsal" in text
    assert "promote: patronictl failover --force" in text
    assert SECRET not in text
    assert "admin" not in text
