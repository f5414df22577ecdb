"""Whether a number is normal, held against what it was when all was well."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsproof.judge.limits import State, judge_number
from opsproof.judge.normal import NoReference, Reference, bounds, judge_normal
from opsproof.profile.indicators import Indicator
from opsproof.profile.normal import Normal

TEXT = {"en": "x", "ko": "x"}
AT = datetime(2026, 11, 12, 17, 10, tzinfo=UTC)

numbers = st.floats(0, 1e12, allow_nan=False)
factors = st.none() | st.floats(1, 1e3)
shares = st.none() | st.floats(0.001, 1)


@st.composite
def normals(draw):
    """Any `normal` that a profile may say."""
    most, least = draw(st.tuples(factors, shares).filter(any))
    above = draw(st.just(0.0) | st.floats(0, 1e6)) if most else 0.0
    return Normal(at_most=most, at_least=least, above=above)


@st.composite
def indicators(draw):
    """An indicator with limits of every kind, or none."""
    limits = draw(st.sampled_from([{}, {"ok": "< 1000"}, {"ok": "< 10", "p1": "> 5000"}, {"p2": "> 7"}]))
    return Indicator(title=TEXT, next_step=TEXT, sql="SELECT 1", normal=draw(normals()), **limits)


def judged(indicator, value, reference, *, recovering=True, lang="en", at_least=False):
    """What limits and `normal` say together."""
    by_limits = judge_number(indicator, value, recovering=recovering, lang=lang)
    return judge_normal(
        indicator, by_limits, reference, at_least=at_least, timezone="Asia/Seoul", recovering=recovering, lang=lang
    )


@given(normals(), numbers)
def test_what_is_as_it_was_is_normal(normal, reference):
    """Whatever the factors: no profile can call the reference itself not normal."""
    low, high = bounds(normal, reference)

    assert low <= reference <= high


@given(normals(), numbers, numbers, numbers)
def test_nearer_to_the_reference_is_never_less_normal(normal, reference, one, other):
    """Normal is one stretch of numbers with the reference in it."""
    low, high = bounds(normal, reference)
    near, far = sorted((one, other), key=lambda value: abs(value - reference))

    if (near - reference) * (far - reference) >= 0 and low <= far <= high:
        assert low <= near <= high


@given(indicators(), numbers, numbers)
def test_nothing_at_or_below_the_floor_is_too_high(indicator, value, reference):
    """Two errors where there was one are no incident."""
    compared = judged(indicator, value, Reference(reference, AT, run="3f9a")).normal

    if indicator.normal.at_most and value <= indicator.normal.above and not indicator.normal.at_least:
        assert compared.normal is True


@given(indicators(), numbers, numbers, st.booleans())
def test_a_comparison_never_makes_a_number_better(indicator, value, reference, recovering):
    """What the limits call bad stays bad, as urgent as it was; the number must be within them and normal."""
    by_limits = judge_number(indicator, value, recovering=recovering)
    both = judged(indicator, value, Reference(reference, AT, run="3f9a"), recovering=recovering)

    if by_limits.state is State.WELL:
        assert (both.state is State.WELL) is both.normal.normal
    else:
        assert (both.state, both.severity, both.priority) == (by_limits.state, by_limits.severity, by_limits.priority)
        assert both.words.startswith(by_limits.words)
    assert both.value == value


@given(indicators(), numbers, st.sampled_from([NoReference("no_baseline"), Reference(-1.0, AT, run="3f9a")]))
def test_without_a_reference_the_limits_alone_decide(indicator, value, reference):
    """And the words say that there was nothing to compare with."""
    by_limits, both = judge_number(indicator, value, recovering=True), judged(indicator, value, reference)

    assert both.model_copy(update={"normal": None}) == by_limits
    assert (both.normal.normal, both.normal.reference) == (None, None)
    assert both.normal.words.startswith("nothing to compare with: ")


@given(normals(), numbers, numbers)
def test_a_number_that_may_be_greater_is_not_called_normal_below_the_most(normal, value, reference):
    """A quantile beyond the histogram's last bucket is at least so much."""
    indicator = Indicator(title=TEXT, next_step=TEXT, sql="SELECT 1", normal=normal)
    compared = judged(indicator, value, Reference(reference, AT, run="3f9a"), at_least=True).normal
    low, high = bounds(normal, reference)

    assert compared.normal is (None if low <= value <= high < math.inf else low <= value <= high)


SHARE = Indicator(
    title=TEXT,
    next_step=TEXT,
    sql="SELECT 1",
    unit="%",
    ok="< 5 %",
    p1="> 20 %",
    normal={"at_most": 1.5, "above": 0.01},
)
RATE = Indicator(title=TEXT, next_step=TEXT, promql="sum(up)", unit="req/s", normal={"at_least": 0.5, "offset": "7d"})


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        pytest.param(
            "en",
            "4 %, within its limits, not normal: it was 2 % in the baseline (run 3f9a, 2026-11-13 02:10 KST), and at"
            " most 3 % is normal (1.5 times that): not recovered yet",
            id="en",
        ),
        pytest.param(
            "ko",
            "4 %, 한도 이내, 정상 수준이 아님: 기준 실행(3f9a, 2026-11-13 02:10 KST)에는 2 %,"
            " 정상은 3 % 이하 (그 1.5배): 아직 복구되지 않음",
            id="ko",
        ),
    ],
)
def test_the_words_have_both_numbers_the_time_and_the_factor(lang, words):
    """At three in the morning nobody looks them up."""
    assert judged(SHARE, 0.04, Reference(0.02, AT, run="3f9a"), lang=lang).words == words


@pytest.mark.parametrize(
    ("asked", "value", "reference", "words"),
    [
        pytest.param(
            SHARE, 0.02, Reference(0.0001, AT, run="3f9a"), "at most 1 % is normal (`above`; 1.5 times that is less)"
        ),
        pytest.param(
            RATE,
            2,
            Reference(10, AT, offset=7 * 86400.0, before="incident"),
            "2 req/s, not normal: it was 10 req/s 7d before the incident (2026-11-13 02:10 KST), and at least 5 req/s"
            " is normal (0.5 times that)",
        ),
        pytest.param(SHARE, 0.3, Reference(0.02, AT, run="3f9a"), "which is P1 (> 20 %; well is < 5 %); it was 2 % in"),
    ],
    ids=["by-the-floor", "too-low", "bad-by-its-limit"],
)
def test_the_words_say_which_rule_it_is(asked, value, reference, words):
    """The floor is another rule than the factor; a number that is bad says what it was, too."""
    assert words in judged(asked, value, reference).words


def test_a_number_that_is_not_normal_holds_up_a_recovery_and_warns_a_round():
    """As one between well and bad does."""
    then = Reference(0.02, AT, run="3f9a")
    recovery, round_ = judged(SHARE, 0.04, then), judged(SHARE, 0.04, then, recovering=False)

    assert (recovery.state, recovery.severity, recovery.priority) == (State.BETWEEN, "SEV-2", None)
    assert (round_.state, round_.severity) == (State.BETWEEN, "SEV-3")
    assert "not recovered yet" not in round_.words
