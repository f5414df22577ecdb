"""The right answer to each fault is the one that statistics gives to its numbers, with some requests more or fewer."""

import pytest

from opsproof.judge.canary.compare import Counts, Tolerance
from opsproof.judge.canary.decision import decide
from opsproof.judge.canary.judging import judge_counts, judge_state
from opsproof.judge.canary.rules import Plan, Rule
from opsproof.judge.canary.series import State
from opsproof.stack.canary.faults import FAULTS, WATCH_SECONDS

_WORSE = Tolerance("ratio", 3)
_ERRORS = Rule("errors", 0.01, tolerance=_WORSE)
_SLOW = Rule("p95 < 2.5 s", 0.05, tolerance=_WORSE)
_PARSING = Rule("parsing failures", 0.005, tolerance=_WORSE)
_RULES = (_ERRORS, _SLOW, _PARSING)
_OF_LLM = 0.8
_LOOKS = 12


def _answer(fault, factor):
    """What is decided at the end of a minute, if so many requests of those that were planned were counted."""
    plan, shares = Plan.of(_RULES, _LOOKS), fault.shares
    if shares.unusable:
        return decide(_RULES, [judge_state(rule, State.EMPTY) for rule in _RULES], plan).answer
    requests = round(fault.traffic.rate("canary") * WATCH_SECONDS * factor * (1 - shares.lost))
    stable = round(fault.traffic.rate("stable") * WATCH_SECONDS * factor)
    calls = round(requests * _OF_LLM)
    baseline, sound = Counts(int(stable * shares.baseline_errors), stable), Counts(0, stable)
    judged = [
        judge_counts(_ERRORS, Counts(int(requests * shares.errors), requests), baseline, plan, final=True),
        judge_counts(_SLOW, Counts(int(requests * shares.slow), requests), sound, plan, final=True),
        judge_counts(
            _PARSING, Counts(int(calls * shares.parsing), calls), Counts(0, round(stable * _OF_LLM)), plan, final=True
        ),
    ]
    return decide(_RULES, judged, plan).answer


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.05])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_expected_answer_is_the_sure_one(fault, factor):
    """Not one that a coin decides."""
    assert _answer(fault, factor) == fault.expected


def test_no_fault_has_another_ones_name_and_each_is_told_in_both_languages():
    """The names are for the command line."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    for fault in FAULTS:
        assert fault.title.keys() == fault.why.keys() == {"en", "ko"}
        assert list(fault.steps) == sorted(fault.steps, key=lambda step: step.at)


def test_only_what_is_healthy_is_promoted():
    """Whatever else happens to it."""
    for fault in FAULTS:
        shares = fault.shares
        sick = any((shares.errors, shares.slow, shares.parsing, shares.unusable))
        assert (fault.expected == "promote") == (not sick), fault.name
