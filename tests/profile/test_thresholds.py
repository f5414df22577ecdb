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


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1000",
        "=> 5",
        "< five",
        "> 5 percent",
        "20 .. 10",
        "< nan",
        "<",
        "5 > 3",
        "< 1,5",
        "< 1,00",
        "< 1000,000",
        "10 ms .. 20",
    ],
)
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


@given(
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.integers(-20, 20),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.integers(-20, 20),
)
def test_a_limit_lies_in_another_if_no_number_tells_them_apart(one, first, other, second):
    """A less urgent limit inside a more urgent one would never be heard."""
    a, b = threshold(f"{one} {first}"), threshold(f"{other} {second}")
    numbers = [first, second, first + 0.5, first - 0.5, second + 0.5, second - 0.5, -1e9, 1e9]

    assert a.lies_in(b) == all(b.holds(number) for number in numbers if a.holds(number))


@pytest.mark.parametrize(
    ("unit", "text", "fix"),
    [
        ("GB", "<= 80 GB", "write `unit: bytes`"),
        ("ms", "< 500 ms", "write `unit: s`"),
        ("jobs", "> 5 %", 'write `unit: "%"`'),
        ("", "< 2.5 s", "write `unit: s`"),
        ("s", "< 5 MB", "write `unit: bytes`"),
        ("%", "< 1", "write `< 1 %`"),
        ("%", "10 .. 20", "write `10 .. 20 %`"),
        ("%", "< 1 s", "write `unit: s`"),
    ],
)
def test_a_limit_that_does_not_fit_the_unit_says_what_to_write(unit, text, fix):
    """97 % against `> 5` and 90 GB against 80e9 passed, for the limit meant other numbers than the source."""
    assert fix in threshold(text).misfit(unit)


@pytest.mark.parametrize(
    ("unit", "text"),
    [("%", "< 1 %"), ("%", "== 0"), ("s", "< 10 m"), ("s", "30 .. 60"), ("bytes", "<= 80 GB"), ("ms", "< 500")],
)
def test_a_limit_that_fits_the_unit_is_taken(unit, text):
    """Limits may be written in larger or smaller units where the number's own is known; 0 is 0 in all of them."""
    assert threshold(text).misfit(unit) == ""


def test_percent_are_exact():
    """7 * 0.01 is a little more than 0.07."""
    assert threshold(">= 7 %").holds(0.07)


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
