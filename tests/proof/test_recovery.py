"""What looks recovered, and is not: the gate is green where people look first, and the checklist of recovery is red."""

import pytest
from proof_gate import CHECKS, INDICATORS

from opsproof.judge.outcome import Status

ANSWERS = "health.the_service_says_that_it_is_healthy"

DECEPTIONS = (
    ("storebridge-registrations-60", "storebridge", "registration-success", (ANSWERS, "indicators.error-share")),
    ("storebridge-naver-503", "storebridge", "jobs.synthetic_work_is_finished", (ANSWERS, "indicators.error-share")),
    ("storebridge-api-restarting", "storebridge", "web-starts", (ANSWERS, "api.core_endpoint_answers")),
    ("users-fail-under-load", "storebridge", "error-share", (ANSWERS, "api.core_endpoint_answers")),
    ("users-fail-under-load", "factory-ai", "server-error-share", (ANSWERS, "api.core_endpoint_answers")),
    ("users-fail-under-load", "ops-assistant", "error-share", (ANSWERS, "api.core_endpoint_answers")),
    ("ops-cache-misses", "ops-assistant", "cache-hit-rate", (ANSWERS, "indicators.error-share")),
    ("factory-ai-workflows-failing", "factory-ai", "completed-workflows", (ANSWERS, "indicators.server-error-share")),
    *(
        (fault, system, check, green)
        for fault, check, green in (
            ("half-wrong-version", "release.what_answers_is_the_expected_release", ()),  # nothing else is judged then
            ("alert-firing", "alerts-firing", (ANSWERS, "api.core_endpoint_answers")),
            ("alert-silenced", "alerts-firing", (ANSWERS, "api.core_endpoint_answers")),
        )
        for system in ("storebridge", "factory-ai", "ops-assistant")
    ),
)
"""Fault, system, the check of the recovery that is red under it, and what is green meanwhile."""


@pytest.mark.parametrize(("fault", "system", "red", "green"), DECEPTIONS)
def test_what_only_looks_recovered_is_red_in_the_recovery(fault, system, red, green, lanes):
    """5xx gone and jobs failing, a restart every few seconds, well while idle, a cold cache, half a rollback."""
    red = red if "." in red else f"indicators.{red}"
    mine = [o for o in lanes.proof(fault).broken.outcomes if o.profile == f"{system}/embedded"]
    states = {name: {o.status for o in mine if o.name == name} for name in (red, *green)}

    assert "recovery" in (INDICATORS.get((red, system)) or CHECKS[red]).markers
    assert Status.FAILED in states[red]
    assert {name: states[name] for name in green} == {name: {Status.PASSED} for name in green}
