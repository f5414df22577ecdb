"""Every check is proven: green, a fault seen in force, red for its own reason, the fault seen gone, green again."""

import pytest
from proof_gate import CHECKS, CITED, INDICATORS, REPOSITORY, check_of, not_green, objections, proves, told

from opsproof.judge.diagnosis import diagnose
from opsproof.judge.outcome import Cause, Status
from opsproof.judge.verdict import Word
from opsproof.profile import load_profile
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
    assert green.verdict.word is Word.PASS, f"{green.verdict.reasons}{told(not_green(green))}"
    assert {o.message for o in green.outcomes if o.status is not Status.PASSED} <= {
        f"{system}/embedded has no target `workers`" for system in ("ingest", "factory-ai", "ops-assistant")
    }


@pytest.mark.parametrize("fault", CITED)
def test_fault_turns_its_checks_red_and_no_other(fault, lanes):
    """See `objections` for what that means; on a busy machine a fault may need a second try."""
    assert objections(fault, lanes.proof(fault)) == []


@pytest.mark.parametrize("fault", BLINDING)
def test_what_cannot_be_measured_is_inconclusive(fault, lanes):
    """Blindness is no failure of the service, and no pass either; the next step is about our own eyes."""
    blind = lanes.proof(fault).broken
    cause, next_step = BLINDING[fault]

    unknown = [outcome for outcome in blind.outcomes if outcome.status is Status.UNKNOWN]
    assert unknown
    assert cause in {outcome.cause for outcome in unknown}, told(unknown)
    assert all(outcome.next_step.startswith(next_step) for outcome in unknown if outcome.cause is cause)
    assert blind.verdict.word is not Word.PASS
    if fault not in CITED:
        failed = [o for o in blind.outcomes if o.status is Status.FAILED and not check_of(o).about_traffic]
        assert not failed, told(failed)


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
