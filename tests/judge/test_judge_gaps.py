"""What keeps a run from being conclusive beside its checks; and that every bad outcome is told once."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged import PROFILE, a_policy, an_outcome, failed, unknown

from opsproof.judge.outcome import Cause, Outcome
from opsproof.judge.root_causes import TargetFact, root_causes
from opsproof.judge.verdict import Word, judge

TARGETS = {
    profile: {
        "api": TargetFact(kind="http", address="http://10.0.0.1:80/x", depends_on=("database", "cache")),
        "database": TargetFact(kind="postgres", address="postgresql://10.0.0.2:5432/x", depends_on=("disk",)),
        "cache": TargetFact(kind="redis", address="redis://10.0.0.3:6379/0"),
        "disk": TargetFact(kind="http", address="http://10.0.0.4:80"),
    }
    for profile in (PROFILE, "demo/other")
}


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [([an_outcome()], Word.INCONCLUSIVE), ([an_outcome(), failed("other.one")], Word.FAIL)],
    ids=["passed", "failed"],
)
def test_a_gap_is_no_pass_and_hides_no_failure(outcomes: list[Outcome], word: Word) -> None:
    """A file that could not be read may hold the check that would have failed."""
    verdict = judge(outcomes, {PROFILE: a_policy()}, gaps=["could not be read: test_x.py"])

    assert verdict.word is word
    assert "could not be read: test_x.py" in verdict.reasons


def test_a_run_that_ended_early_keeps_its_exit_status() -> None:
    """2 to 5 keep pytest's own meanings; the word is judged all the same."""
    verdict = judge([failed()], {PROFILE: a_policy()}, gaps=["interrupted"], exit_status=2)

    assert (verdict.word, verdict.exit_status) == (Word.FAIL, 2)


def test_what_blames_no_target_stands_for_itself() -> None:
    """A check whose time was over before anything answered is no target that is down."""
    late = [unknown(f"late.{n}", cause=Cause.TIMED_OUT, target="", message=f"late {n}") for n in range(3)]

    assert root_causes(late, TARGETS) == ()


_BAD = st.builds(
    lambda make, number, cause, target, profile, message: make(
        f"some.check_{number}", profile=profile, cause=cause, target=target, message=message
    ),
    st.sampled_from([failed, unknown]),
    st.integers(0, 50),
    st.sampled_from([cause for cause in Cause if cause not in (Cause.DOES_NOT_APPLY, Cause.NOT_ALLOWED)]),
    st.sampled_from(["", *TARGETS[PROFILE]]),
    st.sampled_from(list(TARGETS)),
    st.sampled_from(["one reason", "another reason"]),
)


@given(outcomes=st.lists(_BAD, max_size=12, unique_by=lambda outcome: outcome.check), seed=st.integers())
def test_every_bad_outcome_is_told_once_whatever_the_order(outcomes: list[Outcome], seed: int) -> None:
    """In one root cause or for itself; workers report in any order."""

    def told(run: list[Outcome]) -> set[tuple[frozenset[str], frozenset[str]]]:
        return {(frozenset(root.direct), frozenset(root.downstream)) for root in root_causes(run, TARGETS)}

    groups = told(outcomes)
    explained = [check for direct, downstream in groups for check in (*direct, *downstream)]

    assert len(explained) == len(set(explained))
    assert set(explained) <= {outcome.check for outcome in outcomes}
    assert all(direct for direct, _ in groups)
    assert told(random.Random(seed).sample(outcomes, len(outcomes))) == groups
