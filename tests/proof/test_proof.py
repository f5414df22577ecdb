"""Every check is proven: green, a fault seen in force, red for its own reason, the fault seen gone, green again."""

import pytest
from proof_gate import Check, checks_in_repository

from opsproof.judge.outcome import Cause, Status
from opsproof.judge.verdict import Word
from opsproof.stack.faults import FAULTS, injected

CHECKS = checks_in_repository()
CITED = sorted({fault for check in CHECKS.values() for fault in check.faults})


def test_every_check_names_a_fault_that_exists():
    """A check that nothing can turn red is a decoration."""
    assert [name for name, check in CHECKS.items() if not check.faults] == []
    assert [fault for fault in CITED if fault not in FAULTS] == []


def test_every_check_of_every_system_has_a_fault_there(green):
    """A fault of another system proves nothing about this one."""
    unproven = [
        outcome.check
        for outcome in green.outcomes
        if outcome.status is Status.PASSED
        and not any(proves(fault, CHECKS[outcome.name], outcome.profile) for fault in FAULTS)
    ]

    assert unproven == []


def test_the_sound_stack_is_green(green):
    """Without a fault every check that applies passes, so that what a fault turns red is its doing."""
    assert green.verdict.word is Word.PASS, green.verdict.reasons
    assert {(o.status, o.message) for o in green.outcomes if o.status is not Status.PASSED} == {
        (Status.SKIPPED, "ingest/embedded has no target `workers`")
    }


@pytest.mark.parametrize("name", CITED)
def test_fault_turns_its_checks_red_and_no_other(name, stack, run_gate):
    """
    Under the fault the checks that cite it fail, on every system that it touches.

    Another check fails only where the run itself says why: its target depends on one that is down.
    """
    with injected(FAULTS[name], stack):
        broken = run_gate()
    healed = run_gate()

    cited = {(o.name, o.profile) for o in broken.outcomes if proves(name, CHECKS[o.name], o.profile)}
    failed = [o for o in broken.outcomes if o.status is Status.FAILED]
    explained = {check for root in broken.root_causes for check in (*root.direct, *root.downstream)}
    unrelated = [o for o in failed if (o.name, o.profile) not in cited and o.check not in explained]
    assert cited, f"no check cites {name} on a system that it touches"
    not_red = [o for o in broken.outcomes if (o.name, o.profile) in cited - {(o.name, o.profile) for o in failed}]
    broken_checks = [o for o in broken.outcomes if o.cause is Cause.CHECK_BROKEN]
    assert not not_red, f"{name} leaves them green or unmeasured:{_told(not_red)}"
    assert not unrelated, f"{name} turns them red, and they do not cite it:{_told(unrelated)}"
    assert not broken_checks, f"broken under {name}:{_told(broken_checks)}"
    for outcome in failed:
        assert outcome.severity == CHECKS[outcome.name].severity
        assert outcome.message
        assert outcome.next_step
    assert broken.verdict.word is (Word.FAIL if _blocking(failed) else Word.PASS)
    assert healed.verdict.word is Word.PASS, f"{healed.verdict.reasons}{_told(_not_green(healed))}"


@pytest.mark.parametrize(
    ("name", "cause", "next_step"),
    [
        pytest.param("token-expired", Cause.PRECONDITION_MISSING, "Renew the variable", id="token-expired"),
        pytest.param("no-evaluation-runs", Cause.NO_DATA, "Run one evaluation", id="no-evaluation-runs"),
    ],
)
def test_what_cannot_be_measured_is_inconclusive(name, cause, next_step, stack, run_gate):
    """Blindness is no failure of the service, and no pass either; the next step is about our own eyes."""
    with injected(FAULTS[name], stack):
        blind = run_gate()

    unknown = [outcome for outcome in blind.outcomes if outcome.status is Status.UNKNOWN]
    assert blind.verdict.word is Word.INCONCLUSIVE, blind.verdict.reasons
    assert unknown
    assert {outcome.cause for outcome in unknown} == {cause}
    assert all(outcome.next_step.startswith(next_step) for outcome in unknown)


def test_every_fault_is_of_use():
    """A fault that no test injects for a check is not known to matter."""
    blinding = {"token-expired", "no-evaluation-runs"}

    assert set(FAULTS) - set(CITED) - blinding == set()


def proves(fault: str, check: Check, profile: str) -> bool:
    """True if the check cites the fault, and the fault touches the profile's system."""
    return fault in check.faults and profile.partition("/")[0] in FAULTS[fault].systems


def _told(outcomes) -> str:
    return "".join(f"\n  {o.check}: {o.status}, {o.cause}: {o.message}" for o in outcomes)


def _not_green(run) -> list:
    return [o for o in run.outcomes if o.status not in (Status.PASSED, Status.SKIPPED)]


def _blocking(outcomes) -> bool:
    return any(outcome.severity in ("SEV-1", "SEV-2") for outcome in outcomes)
