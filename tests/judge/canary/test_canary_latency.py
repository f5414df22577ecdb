"""Latency out of buckets: exact at an edge, two counts between edges, refused beyond the last one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsproof.judge.canary.latency import (
    BeyondBuckets,
    buckets_of,
    increased_buckets,
    quantile_of,
    slower,
)
from opsproof.judge.canary.series import Series

COUNTS = {"0.5": 600.0, "1.0": 900.0, "2.50": 940.0, "5": 990.0, "+Inf": 1_000.0}


def test_a_limit_at_an_edge_is_exact():
    slow = slower(buckets_of(COUNTS), 2.5)

    assert (slow.fewest, slow.most, slow.total, slow.exact) == (60, 60, 1_000, True)


def test_a_limit_between_two_edges_is_two_counts():
    slow = slower(buckets_of(COUNTS), 3.0)

    assert (slow.fewest, slow.most, slow.exact, slow.below, slow.above) == (10, 60, False, 2.5, 5.0)


def test_a_limit_in_the_first_bucket():
    slow = slower(buckets_of(COUNTS), 0.1)

    assert (slow.fewest, slow.most, slow.below, slow.above) == (400, 1_000, 0.0, 0.5)


@pytest.mark.parametrize("counts", [COUNTS, {"+Inf": 1_000.0}, {}])
def test_a_limit_above_the_last_finite_edge_is_refused(counts):
    with pytest.raises(BeyondBuckets, match="above the last finite bucket edge"):
        slower(buckets_of(counts), 5.01)


def test_the_last_finite_edge_can_be_the_limit():
    assert slower(buckets_of(COUNTS), 5.0).most == 10


def test_a_histogram_without_its_total_is_refused():
    with pytest.raises(ValueError, match="Inf"):
        buckets_of({"2.5": 10.0})


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_bucket_without_a_number_is_refused(bad):
    with pytest.raises(ValueError, match="no number"):
        buckets_of({"2.5": 10.0, "+Inf": bad})


def test_the_same_edge_written_differently_is_one():
    """Two releases of a client library side by side."""
    buckets = buckets_of({"2.5": 10.0, "2.50": 5.0, "+Inf": 20.0})

    assert (buckets.edges, buckets.counts) == ((2.5, math.inf), (15.0, 20.0))


def test_buckets_read_at_different_moments_are_mended_and_told():
    buckets = buckets_of({"1": 100.0, "2.5": 98.0, "+Inf": 99.0})

    assert (buckets.counts, buckets.dips) == ((100.0, 100.0, 100.0), 2)
    assert slower(buckets, 2.5).most == 0


@pytest.mark.parametrize(
    ("counts", "q", "value", "low", "high"),
    [
        ({"1": 90.0, "2.5": 100.0, "+Inf": 100.0}, 0.95, 1.75, 1.0, 2.5),
        ({"1": 50.0, "2": 60.0, "+Inf": 100.0}, 0.95, None, 2.0, math.inf),
        ({"1": 100.0, "+Inf": 100.0}, 0.95, 0.95, 0.0, 1.0),
        ({"1": 0.0, "+Inf": 0.0}, 0.95, None, 0.0, math.inf),
    ],
)
def test_an_estimate_has_the_bounds_of_its_bucket(counts, q, value, low, high):
    told = quantile_of(buckets_of(counts), q)

    assert (told.low, told.high) == (low, high)
    assert told.value == (None if value is None else pytest.approx(value))


def test_buckets_of_a_window_are_pooled_over_pods():
    def line(le, pod, *values):
        return Series({"le": le, "pod": pod}, [(1_000.0 + 15 * at, value) for at, value in enumerate(values)])

    buckets, counted = increased_buckets(
        [line("2.5", "a", 10, 20), line("+Inf", "a", 10, 22), line("2.5", "b", 5, 1), line("+Inf", "b", 5, 1)],
        1_000,
        1_300,
        scrape_s=15,
    )

    assert (buckets.edges, buckets.counts) == ((2.5, math.inf), (11.0, 13.0))
    assert counted["2.5"].resets == 1


def test_a_series_without_an_edge_is_no_bucket():
    with pytest.raises(ValueError, match="without the label le"):
        increased_buckets([Series({"pod": "a"}, [(1.0, 1.0)])], 0, 10, scrape_s=1)


@given(st.lists(st.floats(0.001, 20), min_size=1, max_size=60), st.floats(0.01, 4.9))
def test_the_true_count_is_between_the_two(times, limit):
    edges = (0.1, 0.5, 1.0, 2.5, 5.0)
    counts = {str(edge): float(sum(time <= edge for time in times)) for edge in edges} | {"+Inf": float(len(times))}

    slow = slower(buckets_of(counts), limit)

    assert slow.fewest <= sum(time > limit for time in times) <= slow.most
