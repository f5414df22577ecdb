"""Counting over a window: births, restarts, pods that come and go, holes."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsproof.judge.canary.counters import Increase, increase
from opsproof.judge.canary.series import Series

START, END, SCRAPE = 1_000.0, 1_300.0, 15.0


def a_line(*points: tuple[float, float], **labels: str) -> Series:
    return Series(labels, points)


def every_scrape(first: float, *values: float, **labels: str) -> Series:
    return Series(labels, [(first + number * SCRAPE, value) for number, value in enumerate(values)])


def count(*series: Series) -> Increase:
    return increase(series, START, END, scrape_s=SCRAPE)


STEADY = every_scrape(START - 30, *range(1_000_000, 1_000_023))
"""20 in the window: 1 each scrape, the last one at its end, of a counter that has long been there."""


def test_what_was_there_does_not_count():
    told = count(STEADY)

    assert told == Increase(20, until=END)


@pytest.mark.parametrize("after", [1.0, 100.0])
def test_a_series_born_with_30_counts_30(after):
    """`rate` says 0; a birth shortly after the start is told from an old series by the others, which reach back."""
    told = count(STEADY, every_scrape(START + after, 30.0, 30.0, 30.0, code="500"))

    assert (told.count, told.births, told.blind) == (50, 1, False)


def test_without_anything_before_the_start_what_is_there_at_once_was_there():
    told = count(every_scrape(START + 7, 1_000_000, 1_000_003))

    assert (told.count, told.births, told.blind) == (3, 0, False)


def test_a_canary_that_begins_after_the_start_counts_from_nothing_and_it_is_said():
    told = count(every_scrape(START + 40, 5, 9, pod="new"))

    assert (told.count, told.births, told.blind) == (9, 1, True)


def test_a_restart_with_the_same_labels_counts_what_came_since():
    told = count(every_scrape(START, 100, 110, 4, 9))

    assert (told.count, told.resets) == (10 + 4 + 5, 1)


def test_a_new_pod_counts_and_the_old_one_keeps_what_it_counted():
    told = count(every_scrape(START, 100, 110, pod="old"), every_scrape(START + 30, 4, 9, pod="new"))

    assert (told.count, told.births, told.resets, told.holes) == (10 + 9, 1, 0, 0)


def test_a_pod_that_was_gone_before_the_start_counts_nothing():
    assert count(every_scrape(START - 90, 5, 50, 500)).count == 0
    assert count(STEADY, every_scrape(START - 90, 5, 50, 500)).count == 20


def test_nothing_counts_nothing_and_is_blind():
    assert count() == Increase(0.0, blind=True)


def test_a_restart_of_prometheus_loses_nothing():
    """All series have the hole; the counters went on; one was born in it, one began again."""
    before, after = (START - 5, START + 10), (START + 190, START + 205)
    told = count(
        a_line((before[0], 10), (before[1], 12), (after[0], 40), (after[1], 41), pod="a"),
        a_line((before[0], 10), (before[1], 12), (after[0], 5), (after[1], 6), pod="b"),
        a_line((after[0], 7), (after[1], 8), pod="a", code="500"),
    )

    assert told == Increase(31 + 2 + 6 + 8, births=1, resets=1, restarts=1, holes=2, missing_s=180, until=after[1])


def test_a_hole_over_the_start_does_not_bring_in_what_came_before():
    told = count(a_line((START - 600, 10), (START + 60, 9_000), (START + 75, 9_003)))

    assert (told.count, told.births, told.holes, told.missing_s) == (3, 0, 1, 60)


def test_a_missed_scrape_is_no_hole():
    told = count(a_line((START, 10), (START + 15, 11), (START + 45, 13)))

    assert (told.count, told.holes) == (3, 0)


def test_samples_after_the_end_are_of_the_next_look():
    told = count(a_line((START, 10), (END, 11), (END + 1, 99)))

    assert (told.count, told.until) == (1, END)


def test_stale_markers_are_no_values():
    told = count(a_line((START, 10), (START + 15, math.nan), (START + 30, 12)))

    assert (told.count, told.resets) == (2, 0)


@st.composite
def counters(draw: st.DrawFn) -> tuple[Series, float, int, int]:
    """A counter over 24 scrapes, of which the fourth is the start, and what it truly counted after it."""
    born = draw(st.integers(0, 20))
    gone = draw(st.integers(born + 1, 24))
    value, points, true, resets = 0, [], 0, 0
    for tick in range(born, gone):
        new = draw(st.integers(0, 50))
        if tick > born and value > 0 and draw(st.integers(0, 9)) == 0:
            new = draw(st.integers(0, value - 1))
            value, resets = new, resets + (tick > 3)
        else:
            value += new
        true += new if tick > 3 else 0
        points.append((START + (tick - 3) * SCRAPE, float(value)))
    return Series({}, points), true, int(born > 3), resets


@given(st.lists(counters(), max_size=5))
def test_any_counters_against_what_truly_came(lines):
    told = count(STEADY, *(line for line, *_ in lines))

    assert told.count == 20 + sum(true for _, true, _, _ in lines)
    assert told.births == sum(births for *_, births, _ in lines)
    assert told.resets == sum(resets for *_, resets in lines)


@given(counters(), st.sets(st.integers(5, 22)))
def test_scrapes_that_fail_lose_nothing_of_a_counter_that_goes_on(line, failed):
    series, true, _, resets = line
    left_out = {START + (tick - 3) * SCRAPE for tick in failed}
    kept = [point for point in series.points if point[0] not in left_out]
    if resets or not kept or kept[-1] != series.points[-1]:
        return

    assert increase([STEADY, Series({}, kept)], START, END, scrape_s=SCRAPE).count == 20 + true


@given(counters(), st.integers(4, 22))
def test_windows_add_up(line, tick):
    """What one look counted and the next one adds is what one window counts."""
    middle = START + (tick - 3) * SCRAPE
    looks = [
        increase([STEADY, line[0]], begin, end, scrape_s=SCRAPE).count for begin, end in pairwise((START, middle, END))
    ]

    assert sum(looks) == count(STEADY, line[0]).count
