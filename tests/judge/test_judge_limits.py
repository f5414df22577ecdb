"""What the limits of an indicator say of a number."""

import pytest

from opsproof.judge.limits import judge_number
from opsproof.profile.indicators import Indicator

TEXT = {"en": "x", "ko": "x"}


def indicator(**limits):
    return Indicator(title=TEXT, next_step=TEXT, sql="SELECT 1", **limits)


QUEUE = indicator(unit="jobs", ok="< 1000", p2="> 2000", p1="> 5000")
SHARE = indicator(unit="%", ok="< 10 %", p1="> 20 %")


@pytest.mark.parametrize(
    ("asked", "value", "recovering", "expected"),
    [
        pytest.param(QUEUE, 999, False, ("well", None, "SEV-2"), id="well"),
        pytest.param(QUEUE, 5001, False, ("bad", "P1", "SEV-2"), id="most-urgent-first"),
        pytest.param(QUEUE, 5000, False, ("bad", "P2", "SEV-3"), id="at-the-limit-of-the-worse"),
        pytest.param(QUEUE, 1500, False, ("between", None, "SEV-3"), id="between-in-a-round"),
        pytest.param(QUEUE, 1500, True, ("between", None, "SEV-2"), id="between-in-a-recovery"),
        pytest.param(SHARE, 0.15, False, ("between", None, "SEV-3"), id="keeps-its-state"),
        pytest.param(SHARE, 0.21, True, ("bad", "P1", "SEV-2"), id="bad-in-a-recovery"),
        pytest.param(indicator(ok="< 1"), 1, False, ("bad", None, "SEV-2"), id="no-priority-named"),
        pytest.param(indicator(unit="%", p0="> 5 %"), 0.051, False, ("bad", "P0", "SEV-1"), id="only-a-priority"),
        pytest.param(indicator(unit="%", p0="> 5 %"), 0.05, False, ("well", None, "SEV-1"), id="no-ok-means-not-bad"),
    ],
)
def test_the_most_urgent_limit_that_holds_decides(asked, value, recovering, expected):
    """What is paged, and what only warns."""
    judged = judge_number(asked, value, recovering=recovering)

    assert (judged.state, judged.priority, judged.severity) == expected


def test_the_words_have_the_number_the_limit_and_what_is_well():
    """An operator must not look up the limit."""
    assert judge_number(QUEUE, 5001, recovering=False).words == "5,001 jobs, which is P1 (> 5000; well is < 1000)"
    assert "neither well (< 10 %) nor bad (P1 from > 20 %)" in judge_number(SHARE, 0.15, recovering=False).words
    assert "not recovered yet" in judge_number(SHARE, 0.15, recovering=True).words


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"ok": "< 1000", "p1": "> 500"}, "exclude each other"),
        ({"p0": "> 5", "p1": "> 5"}, "could never hold"),
        ({"ok": "below 5"}, "expected a limit"),
        ({"promql": "up"}, "exactly one source"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(keys, words):
    """The judgement must not depend on the order of the keys."""
    with pytest.raises(ValueError, match=words):
        indicator(**keys)
