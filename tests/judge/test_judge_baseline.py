"""What is new since the baseline, what was there before, and what nobody knows."""

import pytest
from judged import an_outcome, failed, skipped, unknown

from opsproof.judge.baseline import bad_in_both, healed, told_apart
from opsproof.judge.outcome import Cause, Status


@pytest.mark.parametrize(
    ("now", "then", "before"),
    [
        pytest.param(failed(), [failed(message="other words")], True, id="same-cause"),
        pytest.param(failed(), [an_outcome()], False, id="was-green"),
        pytest.param(failed(cause=Cause.TIMED_OUT), [failed()], False, id="other-cause"),
        pytest.param(failed(), [failed(status=Status.WAIVED)], True, id="was-waived"),
        pytest.param(failed(), [], None, id="not-looked-at"),
        pytest.param(failed(), [skipped()], None, id="did-not-apply"),
        pytest.param(failed(), [unknown()], None, id="could-not-be-measured"),
        pytest.param(unknown(), [unknown()], True, id="as-blind-as-then"),
        pytest.param(unknown(), [failed()], False, id="newly-blind"),
        pytest.param(failed(), [failed(profile="demo/other")], None, id="other-profile"),
        pytest.param(an_outcome(), [failed()], None, id="green-now"),
        pytest.param(failed(status=Status.WAIVED), [failed()], None, id="waived-now"),
    ],
)
def test_an_outcome_is_new_was_there_before_or_nobody_knows(now, then, before):
    """What the baseline did not see is not called new."""
    assert told_apart([now], then) == (now.model_copy(update={"before": before}),)


def test_what_was_bad_and_is_green_is_told():
    """The operator who repaired it wants to know."""
    then = [failed("a.a"), unknown("a.b"), an_outcome("a.c"), failed("a.d")]
    now = [an_outcome("a.a"), an_outcome("a.b"), failed("a.c"), failed("a.d", message="worse")]

    assert healed(now, then) == ("a.a[demo/local]", "a.b[demo/local]")
    assert [(one.check, one.message) for one in bad_in_both(now, then)] == [("a.d[demo/local]", "it is wrong")]
