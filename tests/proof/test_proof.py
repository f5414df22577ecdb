"""Every check is proven: green, a fault seen in force, red for its own reason, the fault seen gone, green again."""

import os

import pytest
from proof_gate import (
    BLINDING,
    CHECKS,
    CITED,
    DAMAGES,
    INDICATORS,
    REPOSITORY,
    blind_objections,
    check_of,
    covering,
    not_green,
    objections,
    proves,
    told,
)

from opsproof.judge.diagnosis import diagnose
from opsproof.judge.outcome import Cause, Status
from opsproof.judge.verdict import Word
from opsproof.plugin.check import indicator_check
from opsproof.profile import load_profile
from opsproof.stack.faults import FAULTS
from opsproof.stack.parts import ALL

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
    ("ops-log-database", "ops-assistant", "database"),
    ("ops-health-degraded", "ops-assistant", "database"),
    ("postgres-stopped", "ops-assistant", "database"),
    ("ops-memory-errors", "ops-assistant", "memory"),
    ("factory-ai-llm-slow-2200ms", "factory-ai", "llm-trouble"),
    ("factory-ai-database-cpu", "factory-ai", "postgresql-slow"),
    ("factory-ai-query-slow", "factory-ai", "postgresql-slow"),
    ("redis-stopped", "factory-ai", "judgment-service-down"),
    ("postgres-stopped", "evaluation", "api-availability"),
    ("jobs-waiting", "evaluation", "job-success"),
    ("worker-stopped", "evaluation", "job-success"),
    ("storebridge-log-naver", "storebridge", "naver-rate-limit"),
    ("storebridge-log-database", "storebridge", "connections-used-up"),
    ("storebridge-api-restarting", "storebridge", "crash-loop"),
)
"""Fault, system, and the scenario that `pytest -m diagnosis` must name first: each symptom of a runbook alone, too."""
PRIORITIES = (
    ("storebridge-queue-5001", "indicators.queue-depth", "P1"),
    ("storebridge-queue-2001", "indicators.queue-depth", "P2"),
    ("storebridge-errors-6", "indicators.error-share", "P0"),
    ("storebridge-slow-6s", "indicators.latency-p95", "P1"),
    ("storebridge-registrations-60", "indicators.registration-success", "P1"),
    ("factory-ai-judgment-503", "indicators.judgment-unavailable", "P0"),
)
PROVEN = CITED if "OPSPROOF_ALL_FAULTS" in os.environ else covering(fault for fault, _, _ in (*SCENARIOS, *PRIORITIES))
"""By default so many that every check is turned red; `make faults` proves all, which takes four times as long."""


def test_every_check_names_a_fault_that_exists():
    """A check that nothing can turn red is a decoration."""
    checks = {**CHECKS, **INDICATORS}
    assert [name for name, check in checks.items() if check.needs_a_fault is not bool(check.faults)] == []
    assert [fault for fault in CITED if fault not in FAULTS] == []


def test_every_check_of_backups_is_turned_red_by_a_damage():
    """`opsproof dr prove` and tests/rehearsal damage copies, and see that what must catch it does."""
    assert [name for name, check in CHECKS.items() if check.on_site and name not in DAMAGES] == []


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


@pytest.mark.parametrize("fault", PROVEN)
def test_fault_turns_its_checks_red_and_no_other(fault, lanes):
    """See `objections` for what that means; on a busy machine a fault may need a second try."""
    assert objections(fault, lanes.proof(fault)) == []


@pytest.mark.parametrize("fault", BLINDING)
def test_what_cannot_be_measured_is_inconclusive(fault, lanes):
    """Blindness is no failure of the service, and no pass either; the next step is about our own eyes."""
    assert blind_objections(fault, lanes.proof(fault)) == []


@pytest.mark.parametrize(("fault", "check", "priority"), PRIORITIES)
def test_a_fault_has_the_priority_of_the_runbook(fault, check, priority, lanes):
    """What pages somebody at night is not what waits for the morning."""
    (outcome,) = (o for o in lanes.proof(fault).broken.outcomes if o.name == check)

    assert outcome.priority == priority, outcome.message


@pytest.mark.parametrize(("fault", "system", "scenario"), SCENARIOS)
def test_a_diagnosis_names_the_scenario_first(fault, system, scenario, lanes):
    """All scenarios of four runbooks, each told from its neighbours by what a fault of it leaves behind."""
    fits = _diagnosis(fault, system, lanes).fits

    assert [fit.scenario for fit in fits][:1] == [scenario], fits


@pytest.mark.parametrize("fault", ["factory-ai-llm-failures-3"])
def test_a_number_that_is_not_yet_bad_is_no_incident(fault, lanes):
    """3 % of failed calls is more than is well, and less than the 5 % by which the runbook knows the incident."""
    assert "llm-trouble" not in {fit.scenario for fit in _diagnosis(fault, "factory-ai", lanes).fits}


@pytest.mark.parametrize("system", ["factory-ai", "ops-assistant", "storebridge", "evaluation"])
@pytest.mark.parametrize("fault", ["prometheus-stopped"])
def test_what_cannot_be_measured_speaks_for_no_scenario(fault, system, lanes):
    """With Prometheus down every number is unknown; a diagnosis made of that would send people the wrong way."""
    outcomes = lanes.proof(fault).broken.outcomes
    unknown = {o.name for o in outcomes if o.profile == f"{system}/embedded" and o.status is Status.UNKNOWN}

    assert unknown
    for fit in _diagnosis(fault, system, lanes).fits:
        assert not unknown & set(fit.there), fit


def _diagnosis(fault, system, lanes):
    profile = load_profile(f"{system}/embedded", root=REPOSITORY / "profiles", variables={}, missing="keep")
    outcomes = [o for o in lanes.proof(fault).broken.outcomes if o.profile == profile.name]
    return diagnose(profile.name, profile.scenarios, outcomes)


@pytest.mark.parametrize("system", ALL)
@pytest.mark.parametrize("fault", ["no-traffic"])
def test_without_users_no_number_of_traffic_is_green(fault, system, lanes):
    """What the gate asks itself is no traffic: 0 % errors of nobody, asked by ourselves, would be a pass."""
    profile = load_profile(f"{system}/embedded", root=REPOSITORY / "profiles", variables={}, missing="keep")
    forms = {indicator_check(key): one.ratio or one.quantile for key, one in profile.indicators.items()}
    of_traffic = {name for name, form in forms.items() if form and form.of.startswith("http_request")}
    rates = {indicator_check(key) for key, one in profile.indicators.items() if one.rate}
    blind = {o.name: o for o in lanes.proof(fault).broken.outcomes if o.profile == profile.name}

    assert of_traffic
    assert {(blind[name].status, blind[name].cause) for name in of_traffic} == {(Status.UNKNOWN, Cause.NO_DATA)}
    assert [name for name in of_traffic if "no traffic" not in blind[name].message] == []
    assert {blind[name].status for name in rates} <= {Status.FAILED}


def test_every_fault_is_of_use():
    """A fault that no test injects for a check is not known to matter."""
    assert set(FAULTS) - set(CITED) - set(BLINDING) == set()
