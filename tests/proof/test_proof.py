"""Every check is proven: green, a fault is seen in force, red for its own reason, the fault is seen gone, green again."""

import pytest

from opsproof.judge.outcome import Cause, Status
from opsproof.judge.verdict import Word
from opsproof.stack.faults import FAULTS, injected
from proof_gate import Check, checks_in_repository

CHECKS = checks_in_repository()
CITED = sorted({fault for check in CHECKS.values() for fault in check.faults})
BLIND = {Cause.UNREACHABLE, Cause.TIMED_OUT, Cause.BAD_ANSWER, Cause.PRECONDITION_MISSING}


def test_every_check_names_a_fault_that_exists():
    """A check that nothing can turn red is a decoration."""
    assert [name for name, check in CHECKS.items() if not check.faults] == []
    assert [fault for fault in CITED if fault not in FAULTS] == []


def test_every_check_of_every_system_has_a_fault_there(green):
    """A fault of another system proves nothing about this one."""
    unproven = [
        outcome.check
        for outcome in green.outcomes
        if not any(proves(fault, CHECKS[outcome.name], outcome.profile) for fault in FAULTS)
    ]

    assert unproven == []


def test_the_sound_stack_is_green(green):
    """Without a fault every check passes, so that what a fault turns red is its doing."""
    assert green.verdict.word is Word.PASS, green.verdict.reasons
    assert {outcome.status for outcome in green.outcomes} == {Status.PASSED}


@pytest.mark.parametrize("name", CITED)
def test_fault_turns_its_checks_red_and_no_other(name, stack, run_gate):
    """Under the fault exactly the checks that cite it fail; the others pass or say that they could not look."""
    with injected(FAULTS[name], stack):
        broken = run_gate()
    healed = run_gate()

    cited = {o.check for o in broken.outcomes if proves(name, CHECKS[o.name], o.profile)}
    failed = {o.check: o for o in broken.outcomes if o.status is Status.FAILED}
    blind = {o.check: o for o in broken.outcomes if o.status is Status.UNKNOWN}
    assert cited, f"no check cites {name} on a system that it touches"
    assert cited - set(failed) == set(), f"{name} leaves them green or unmeasured"
    assert set(failed) - cited == set(), f"{name} turns them red, and they do not cite it"
    assert {o.check: o.cause for o in blind.values() if o.cause not in BLIND} == {}
    for outcome in failed.values():
        assert outcome.cause is not Cause.CHECK_BROKEN
        assert outcome.severity == CHECKS[outcome.name].severity
        assert outcome.message
        assert outcome.next_step
    assert broken.verdict.word is (Word.FAIL if _blocking(failed.values()) else Word.PASS)
    assert healed.verdict.word is Word.PASS, healed.verdict.reasons


def proves(fault: str, check: Check, profile: str) -> bool:
    """True if the check cites the fault, and the fault touches the profile's system."""
    return fault in check.faults and profile.partition("/")[0] in FAULTS[fault].systems


def _blocking(outcomes) -> bool:
    return any(outcome.severity in ("SEV-1", "SEV-2") for outcome in outcomes)
