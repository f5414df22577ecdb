"""The newest answers against the baseline of the same golden query."""

import pytest

from opsproof import NoData, needs, proven_by, runbook

pytestmark = [pytest.mark.diagnosis, pytest.mark.canary_criteria]

OF_TOOLS = ("ops-external-502", "ops-external-slow")
FAILS = (
    "ops-external-stopped",
    "ops-external-key-refused",
    "ops-external-forbidden",
    "ops-external-quota-used-up",
    "ops-rows-lost",
    "ops-asset-draft",
    "ops-privilege-revoked",
)


@pytest.mark.release
@pytest.mark.recovery
@runbook(
    "OPS-005",
    "OPS-011",
    "OPS-013",
    "OPS-029",
    "OPS-033",
    "OPS-041",
    "OPS-045",
    "OPS-051",
    severity="SEV-2",
    next_step="Read verdict_reason and the diff; what is not PASS must not go into operation, and is no new baseline.",
)
@proven_by("ops-wrong-answer", "ops-trace-without-tools", "ops-filter-narrowed", *OF_TOOLS, *FAILS)
@needs("inspector")
async def test_every_golden_query_passes(api, profile):
    """Each golden query has a verdict with a reason, against its own baseline, and the verdict is PASS."""
    # The runbook captures a new baseline before PASS is confirmed (section 2): a broken result would pass ever after.
    # Here the verdict is that against the baseline that there is.
    results = {result["query"]: result for result in (await api.get(profile.inspector.regression)).field("results")}

    absent = sorted(set(profile.inspector.queries) - set(results))
    assert not absent, f"{profile.inspector.regression} has no verdict of {', '.join(absent)}"
    unsound = [
        query
        for query, result in results.items()
        if result["verdict"] not in ("PASS", "WARN", "FAIL")
        or not result["verdict_reason"]
        or result["baseline_query"] != query
    ]
    assert not unsound, f"no verdict with a reason, against its own baseline, for {', '.join(unsound)}"
    not_passed = {query: result for query, result in results.items() if result["verdict"] != "PASS"}
    assert not not_passed, "; ".join(
        f"{query}: {result['verdict']} ({result['verdict_reason']})" for query, result in not_passed.items()
    )


@runbook(
    "OPS-006",
    "OPS-007",
    "OPS-010",
    "OPS-017",
    "OPS-032",
    "OPS-044",
    severity="SEV-3",
    next_step="Follow the evidence path in Inspector; the rule names the scenario of the runbook.",
)
@proven_by("ops-wrong-answer", "ops-trace-without-tools", "ops-filter-narrowed", *OF_TOOLS)
@needs("inspector")
async def test_no_rule_of_rca_fires(api, profile):
    """No rule of root cause analysis fires on the newest traces; there are traces that it looked at."""
    answer = await api.get(profile.inspector.rca)
    fired = answer.field("fired")
    if not answer.field("traces"):
        raise NoData("RCA looked at no trace", next_step="Ask the golden queries once, then run this check again.")

    assert not fired, "; ".join(
        f"{one['rule']} on {one['query']} ({one['evidence']}, confidence {one['confidence']})" for one in fired
    )
