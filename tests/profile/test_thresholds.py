"""Limits as people write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsproof.profile.thresholds import number_text, threshold


@pytest.mark.parametrize(
    ("text", "well", "bad"),
    [
        ("< 1000", 999, 1000),
        ("<= 1,000", 1000, 1001),
        ("> 5 %", 0.0501, 0.05),
        (">= 14_000", 14_000, 13_999),
        ("< 2.5s", 2.4, 2.5),
        ("< 400 ms", 0.399, 0.4),
        ("> 80 GB", 80e9 + 1, 80e9),
        ("== 1", 1, 0),
        ("!= 0", 1, 0),
        ("10 .. 20", 20, 20.1),
        ("10..20 %", 0.1, 0.09),
    ],
)
def test_a_limit_holds_where_people_expect_it(text, well, bad):
    """The runbooks' ways to write a limit, at its very border."""
    limit = threshold(text)

    assert limit.holds(well)
    assert not limit.holds(bad)


@pytest.mark.parametrize("text", ["", "1000", "=> 5", "< five", "> 5 percent", "20 .. 10", "< nan", "<", "5 > 3"])
def test_what_is_no_limit_is_refused(text):
    """A limit that is not understood must not judge anything."""
    with pytest.raises(ValueError, match="expected a"):
        threshold(text)


@given(
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.integers(-20, 20),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.integers(-20, 20),
)
def test_overlap_is_what_numbers_say(one, first, other, second):
    """`ok` and a priority that can both hold would make the judgement a matter of order."""
    a, b = threshold(f"{one} {first}"), threshold(f"{other} {second}")
    numbers = [first, second, first + 0.5, first - 0.5, second + 0.5, second - 0.5, -math.inf, math.inf]

    assert a.overlaps(b) == any(a.holds(number) and b.holds(number) for number in numbers)


@given(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(-20, 20), st.integers(-20, 20))
def test_a_limit_that_holds_from_a_number_on_holds_for_all_greater_ones(one, bound, value):
    """Of what is only known to be at least so much, nothing else can be said."""
    limit = threshold(f"{one} {bound}")
    greater = [value, value + 0.5, bound, bound + 0.5, math.inf]

    assert limit.holds_from(value) == all(limit.holds(number) for number in greater if number >= value)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.061, "%", "6.1 %"),
        (2.534, "s", "2.53 s"),
        (5001, "jobs", "5,001 jobs"),
        (0.000012, "%", "0.0012 %"),
        (0, "", "0"),
        (12345.678, "", "12,345.7"),
    ],
)
def test_a_number_is_written_for_people(value, unit, text):
    """With its unit, and no more digits than matter."""
    assert number_text(value, unit) == text
