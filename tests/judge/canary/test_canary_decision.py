"""Many criteria, one answer; promote is earned."""

from itertools import product

import pytest

from opsproof.judge.canary.compare import Tolerance
from opsproof.judge.canary.decision import Judgement, decide
from opsproof.judge.canary.rules import Answer, Plan, Rule
from opsproof.judge.canary.series import State

PROMOTE, ROLLBACK, INCONCLUSIVE = Answer.PROMOTE, Answer.ROLLBACK, Answer.INCONCLUSIVE


def decided(*answers, terminated=False, critical=True, weight=0.5):
    rules = [Rule(f"c{n}", limit=0.01, critical=critical, weight=weight) for n in range(len(answers))]
    judged = [
        Judgement(rule.name, answer, State.OK, {"en": "says so", "ko": "그렇다"})
        for rule, answer in zip(rules, answers, strict=True)
        if answer
    ]
    return decide(rules, judged, Plan.of(rules, 20), terminated=terminated)


@pytest.mark.parametrize("answers", list(product([PROMOTE, ROLLBACK, INCONCLUSIVE, None], repeat=3)))
def test_promote_only_if_all_promote(answers):
    """None: never judged."""
    told = decided(*answers)

    expected = ROLLBACK if ROLLBACK in answers else PROMOTE if set(answers) == {PROMOTE} else INCONCLUSIVE
    assert told.answer is expected
    assert told.exit_status == {PROMOTE: 0, ROLLBACK: 1, INCONCLUSIVE: 6}[expected]


@pytest.mark.parametrize("answers", [(), (None,), (PROMOTE,), (ROLLBACK,), (INCONCLUSIVE,)])
def test_a_watch_that_was_ended_is_inconclusive(answers):
    told = decided(*answers, terminated=True)

    assert (told.answer, told.exit_status) == (INCONCLUSIVE, 6)
    assert "ended before its time" in told.reasons[0]["en"]


def test_nothing_to_judge_is_inconclusive():
    assert decided().answer is INCONCLUSIVE
    assert decided(None).answer is INCONCLUSIVE
    assert "never judged" in decided(None).reasons[0]["en"]


def test_weights_of_what_is_not_critical_add_up():
    assert decided(ROLLBACK, PROMOTE, critical=False).answer is INCONCLUSIVE
    assert decided(ROLLBACK, ROLLBACK, critical=False).answer is ROLLBACK
    assert decided(ROLLBACK, PROMOTE, critical=False, weight=1.0).answer is ROLLBACK
    assert decided(*[ROLLBACK] * 10, critical=False, weight=0.1).answer is ROLLBACK
    assert decided(*[ROLLBACK] * 9, PROMOTE, critical=False, weight=0.1).answer is INCONCLUSIVE


def test_a_judgement_of_something_else_does_not_count():
    rule = Rule("errors", limit=0.01)
    other = Judgement("other", PROMOTE, State.OK, {"en": "", "ko": ""})

    assert decide([rule], [other], Plan.of([rule], 20)).answer is INCONCLUSIVE


def test_reasons_name_their_criterion_and_the_decisive_come_first():
    reasons = decided(PROMOTE, INCONCLUSIVE, ROLLBACK).reasons

    assert [reason["en"] for reason in reasons] == ["c2: says so", "c1: says so"]
    assert reasons[0]["ko"] == "c2: 그렇다"


def test_the_risk_is_shared_by_all_tests():
    rules = [Rule("a", limit=0.01), Rule("b", limit=0.01, tolerance=Tolerance()), Rule("c", tolerance=Tolerance())]

    assert Plan.of(rules, 20).risk == pytest.approx(0.01 / 4)
