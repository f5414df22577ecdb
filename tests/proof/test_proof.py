"""Every check is proven: green, a fault seen in force, red for its own reason, the fault seen gone, green again."""

import pytest
from proof_gate import CHECKS, CITED, INDICATORS, REPOSITORY, check_of, must_be_green_again, proves

from opsproof.judge.diagnosis import diagnose
from opsproof.judge.outcome import Cause, Status
from opsproof.judge.verdict import Word
from opsproof.profile import load_profile
from opsproof.profile.scalars import SEVERITIES
from opsproof.stack.faults import FAULTS

BLINDING = {
    "token-expired": (Cause.PRECONDITION_MISSING, "Renew the variable"),
    "no-evaluation-runs": (Cause.NO_DATA, "Run one evaluation"),
    "prometheus-stopped": (Cause.UNREACHABLE, ""),
    "prometheus-empty": (Cause.NO_DATA, ""),
    "scrape-down": (Cause.NO_DATA, ""),
    "metrics-stale": (Cause.NO_DATA, ""),
    "alertmanager-stopped": (Cause.UNREACHABLE, ""),
}
"""Faults of our own eyes: why nothing can be measured, and how the next step begins."""

SCENARIOS = (
    ("ops-wrong-answer", "ops-assistant", "wrong-answer"),
    ("ops-rows-lost", "ops-assistant", "no-data"),
    ("ops-external-slow", "ops-assistant", "tool-timeout"),
    ("ops-external-502", "ops-assistant", "external-5xx"),
    ("ops-permission-denied", "ops-assistant", "permission"),
    ("ops-pool-overflow", "ops-assistant", "database"),
    ("ops-slow-2500ms", "ops-assistant", "slow"),
    ("ops-memory-full", "ops-assistant", "memory"),
    ("factory-ai-judgment-503", "factory-ai", "judgment-service-down"),
    ("factory-ai-llm-failures-6", "factory-ai", "llm-trouble"),
    ("factory-ai-lock-waiting", "factory-ai", "postgresql-slow"),
    ("factory-ai-negative-feedback-25", "factory-ai", "bad-rules"),
    ("error-share-6", "evaluation", "api-availability"),
    ("jobs-failed", "evaluation", "job-success"),
    ("metadata-key-missing", "evaluation", "evaluation-runs"),
    ("storebridge-naver-used-up", "storebridge", "naver-rate-limit"),
    ("storebridge-registrations-60", "storebridge", "registrations-fail"),
    ("storebridge-connections-open", "storebridge", "connections-used-up"),
    ("storebridge-database-large", "storebridge", "disk-full"),
    ("api-stopped", "storebridge", "crash-loop"),
)
"""Fault, system, and the scenario that `pytest -m diagnosis` must name first."""


def test_every_check_names_a_fault_that_exists():
    """A check that nothing can turn red is a decoration."""
    checks = {**CHECKS, **INDICATORS}
    assert [name for name, check in checks.items() if not check.faults] == []
    assert [fault for fault in CITED if fault not in FAULTS] == []


def test_every_check_of_every_system_has_a_fault_there(green):
    """A fault of another system proves nothing about this one."""
    unproven = [
        outcome.check
        for outcome in green.outcomes
        if outcome.status is Status.PASSED and not any(proves(fault, outcome) for fault in check_of(outcome).faults)
    ]

    assert unproven == []


def test_the_sound_stack_is_green(green):
    """Without a fault every check that applies passes, so that what a fault turns red is its doing."""
    assert green.verdict.word is Word.PASS, f"{green.verdict.reasons}{_told(_not_green(green))}"
    assert {o.message for o in green.outcomes if o.status is not Status.PASSED} <= {
        f"{system}/embedded has no target `workers`" for system in ("ingest", "factory-ai", "ops-assistant")
    }


@pytest.mark.parametrize("fault", CITED)
def test_fault_turns_its_checks_red_and_no_other(fault, lanes):
    """
    Under the fault the checks that cite it fail, on every system that it touches.

    Another check fails only where the run itself says why (its target depends on one that is down), or where it is
    about all traffic of a window: the errors that the fault makes are in it, as many as there happened to be.
    """
    proof = lanes.proof(fault)

    broken = proof.broken
    cited = {(o.name, o.profile) for o in broken.outcomes if proves(fault, o)}
    failed = [o for o in broken.outcomes if o.status is Status.FAILED]
    red = {(o.name, o.profile) for o in failed}
    explained = {check for root in broken.root_causes for check in (*root.direct, *root.downstream)}
    unrelated = [
        o
        for o in failed
        if (o.name, o.profile) not in cited and o.check not in explained and not check_of(o).about_traffic
    ]
    assert cited, f"no check cites {fault} on a system that it touches"
    not_red = [o for o in broken.outcomes if (o.name, o.profile) in cited - red]
    broken_checks = [o for o in broken.outcomes if o.cause is Cause.CHECK_BROKEN]
    assert not not_red, f"{fault} leaves them green or unmeasured:{_told(not_red)}"
    assert not unrelated, f"{fault} turns them red, and they do not cite it:{_told(unrelated)}"
    assert not broken_checks, f"broken under {fault}:{_told(broken_checks)}"
    for outcome in failed:
        assert outcome.severity in SEVERITIES
        assert outcome.message
        assert outcome.next_step
    assert (broken.verdict.word is Word.FAIL) is any(outcome.severity in ("SEV-1", "SEV-2") for outcome in failed)
    again = {(o.name, o.profile) for o in proof.healed.outcomes if o.status is Status.PASSED}
    not_green = [o for o in _not_green(proof.healed) if must_be_green_again(fault, o)]
    assert not not_green, f"not green again after {fault}:{_told(not_green)}"
    assert cited <= again, f"not looked at again: {cited - again}"


@pytest.mark.parametrize("fault", BLINDING)
def test_what_cannot_be_measured_is_inconclusive(fault, lanes):
    """Blindness is no failure of the service, and no pass either; the next step is about our own eyes."""
    blind = lanes.proof(fault).broken
    cause, next_step = BLINDING[fault]

    unknown = [outcome for outcome in blind.outcomes if outcome.status is Status.UNKNOWN]
    assert unknown
    assert cause in {outcome.cause for outcome in unknown}, _told(unknown)
    assert all(outcome.next_step.startswith(next_step) for outcome in unknown if outcome.cause is cause)
    if fault not in CITED:
        assert blind.verdict.word is Word.INCONCLUSIVE, blind.verdict.reasons
        assert {outcome.cause for outcome in unknown} == {cause}, _told(unknown)


@pytest.mark.parametrize(
    ("fault", "check", "priority"),
    [
        ("storebridge-queue-5001", "indicators.queue-depth", "P1"),
        ("storebridge-queue-2001", "indicators.queue-depth", "P2"),
        ("storebridge-errors-6", "indicators.error-share", "P0"),
        ("storebridge-slow-6s", "indicators.latency-p95", "P1"),
        ("storebridge-registrations-60", "indicators.registration-success", "P1"),
        ("factory-ai-judgment-503", "indicators.judgment-unavailable", "P0"),
    ],
)
def test_a_fault_has_the_priority_of_the_runbook(fault, check, priority, lanes):
    """What pages somebody at night is not what waits for the morning."""
    (outcome,) = (o for o in lanes.proof(fault).broken.outcomes if o.name == check)

    assert outcome.priority == priority, outcome.message


@pytest.mark.parametrize(("fault", "system", "scenario"), SCENARIOS)
def test_a_diagnosis_names_the_scenario_first(fault, system, scenario, lanes):
    """All scenarios of four runbooks, each told from its neighbours by what a fault of it leaves behind."""
    profile = load_profile(f"{system}/embedded", root=REPOSITORY / "profiles", variables={}, missing="keep")
    outcomes = [o for o in lanes.proof(fault).broken.outcomes if o.profile == profile.name]

    fits = diagnose(profile.name, profile.scenarios, outcomes).fits

    assert [fit.scenario for fit in fits][:1] == [scenario], fits


def test_every_fault_is_of_use():
    """A fault that no test injects for a check is not known to matter."""
    assert set(FAULTS) - set(CITED) - set(BLINDING) == set()


def _told(outcomes) -> str:
    return "".join(f"\n  {o.check}: {o.status}, {o.cause}: {o.message}" for o in outcomes)


def _not_green(run) -> list:
    return [o for o in run.outcomes if o.status not in (Status.PASSED, Status.SKIPPED)]
