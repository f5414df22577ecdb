"""The verdict: green is earned, and nothing else is green."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged import PROFILE, a_policy, a_waiver, an_outcome, failed, skipped, unknown

from opsproof.judge.outcome import Outcome, Status, WaiverUse
from opsproof.judge.verdict import EXIT_STATUS, Word, blocks, judge, required_targets

WAIVED = an_outcome(
    status=Status.WAIVED,
    cause="target wrong",
    waiver=WaiverUse(owner="kim", reason="known", until=a_waiver().until, expired=False),
)
EXPIRED = failed(
    "health.old",
    severity="SEV-3",
    waiver=WaiverUse(owner="kim", reason="known", until="2026-01-01T00:00:00Z", expired=True),
)


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        pytest.param([an_outcome()], Word.PASS, id="all-passed"),
        pytest.param([], Word.INCONCLUSIVE, id="nothing-ran"),
        pytest.param([skipped()], Word.INCONCLUSIVE, id="all-skipped"),
        pytest.param([an_outcome(), skipped("other.one")], Word.PASS, id="one-skipped"),
        pytest.param([an_outcome(), failed("other.one")], Word.FAIL, id="one-failed"),
        pytest.param([an_outcome(), failed("other.one", severity="SEV-3")], Word.PASS, id="failed-below-fail-on"),
        pytest.param([an_outcome(), unknown("other.one")], Word.INCONCLUSIVE, id="one-unknown"),
        pytest.param([an_outcome(), unknown("other.one", severity="SEV-3")], Word.PASS, id="unknown-below-fail-on"),
        pytest.param([failed(), unknown("other.one")], Word.FAIL, id="failed-beats-unknown"),
        pytest.param([an_outcome("other.one"), WAIVED], Word.PASS, id="one-waived"),
        pytest.param([WAIVED], Word.INCONCLUSIVE, id="all-waived"),
        pytest.param([an_outcome(), EXPIRED], Word.FAIL, id="expired-waiver-blocks-below-fail-on"),
    ],
)
def test_only_a_pass_that_was_seen_is_green(outcomes: list[Outcome], word: Word) -> None:
    """Exit status 0 means that somebody looked and saw that it is well."""
    verdict = judge(outcomes, {PROFILE: a_policy()})

    assert (verdict.word, verdict.exit_status) == (word, EXIT_STATUS[word])
    assert word is Word.PASS or verdict.reasons


def test_a_warning_of_a_pass_is_told() -> None:
    """A failure below fail_on does not stop the gate, and is not hidden either."""
    verdict = judge([an_outcome(), failed("other.one", severity="SEV-3")], {PROFILE: a_policy()})

    assert any("other.one" in reason for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("answered", "status", "word"),
    [
        pytest.param(("api", "cache"), Status.PASSED, Word.PASS, id="answered"),
        pytest.param(("api",), Status.PASSED, Word.INCONCLUSIVE, id="not-asked"),
        pytest.param(("api", "cache"), Status.SKIPPED, Word.INCONCLUSIVE, id="skipped"),
    ],
)
def test_what_the_profile_requires_must_have_answered(answered: tuple[str, ...], status: Status, word: Word) -> None:
    """A required target that nobody got an answer from leaves the run inconclusive."""
    other = (
        skipped("other.one", answered=answered) if status is Status.SKIPPED else an_outcome("o.o", answered=answered)
    )

    verdict = judge([an_outcome(), other], {PROFILE: a_policy(require=["api", "cache"])})

    assert verdict.word is word


@pytest.mark.parametrize(
    ("markers", "required"),
    [
        pytest.param(None, ("any", "cache", "store"), id="no-selection-requires-all"),
        pytest.param({"smoke"}, ("any", "cache"), id="by-marker"),
        pytest.param({"hourly"}, ("any",), id="another-marker"),
    ],
)
def test_requirements_go_by_the_markers_that_were_selected(markers: set[str] | None, required: tuple[str, ...]) -> None:
    """A payload run need not have asked the cache that the smoke gate requires."""
    policy = a_policy(require={"any": ["any"], "smoke": ["cache"], "dr": ["store"]})

    assert required_targets(policy, markers) == required


@pytest.mark.parametrize(
    ("severity", "fail_on", "stops"),
    [("SEV-1", "SEV-1", True), ("SEV-2", "SEV-1", False), ("SEV-2", "SEV-3", True), ("SEV-3", "SEV-2", False)],
)
def test_a_severity_stops_the_gate_from_fail_on_upwards(severity: str, fail_on: str, stops: bool) -> None:
    """SEV-1 is the worst."""
    assert blocks(severity, fail_on) is stops  # type: ignore[arg-type]


_STATUSES = st.sampled_from([an_outcome, failed, unknown, skipped])
_SEVERITIES = st.sampled_from(["SEV-1", "SEV-2", "SEV-3"])
_RUNS = st.lists(st.tuples(_STATUSES, _SEVERITIES), max_size=8).map(
    lambda run: [make(f"some.check_{number}", severity=severity) for number, (make, severity) in enumerate(run)]
)


@given(outcomes=_RUNS, seed=st.integers(), fail_on=_SEVERITIES)
def test_pass_means_that_all_that_matters_was_seen_to_pass(outcomes: list[Outcome], seed: int, fail_on: str) -> None:
    """Whatever the run, and in whatever order its outcomes arrive."""
    policy = {PROFILE: a_policy(fail_on=fail_on)}
    verdict = judge(outcomes, policy)
    shuffled = random.Random(seed).sample(outcomes, len(outcomes))

    assert judge(shuffled, policy).word is verdict.word
    if verdict.word is Word.PASS:
        assert any(outcome.status is Status.PASSED for outcome in outcomes)
        assert all(
            outcome.status in (Status.PASSED, Status.SKIPPED)
            for outcome in outcomes
            if blocks(outcome.severity, policy[PROFILE].fail_on)
        )
