"""Histograms are added up: what workers measured together is what one would have measured."""

import numpy as np
import pytest
from bench_parts import histogram, times
from hypothesis import given
from hypothesis import strategies as st

from opsproof.benchmark.histograms import LONGEST, MICROSECONDS, decoded, encoded, merged, new_histogram, times_of

SECONDS = st.lists(st.floats(0, 4000), max_size=100)
HOUR = LONGEST / MICROSECONDS


def counts(text: str) -> "np.ndarray":
    """How many values each class has."""
    return np.frombuffer(decoded(text).counts, dtype=np.int64)


def capped(seconds: list[float]) -> str:
    return histogram(min(value, HOUR) for value in seconds)


@given(st.lists(SECONDS, max_size=6))
def test_merged_histograms_are_that_of_all_their_values(workers):
    pooled = [value for worker in workers for value in worker]

    assert (counts(merged(map(capped, workers))) == counts(capped(pooled))).all()


@given(st.lists(SECONDS, min_size=1, max_size=4), st.sampled_from([0.5, 0.95, 0.99]))
def test_times_of_several_are_times_of_their_sum(workers, q):
    apart = times_of(map(capped, workers))
    together = times_of([merged(map(capped, workers))])

    assert apart.total == together.total == sum(map(len, workers))
    if apart.total:
        assert apart.quantile(q, confidence=0.95) == together.quantile(q, confidence=0.95)
        assert apart.mean() == pytest.approx(together.mean())


def test_a_p95_is_never_the_mean_of_p95s():
    """Two workers with a p95 of 164 and 957 ms: neither their mean, 560 ms, nor the larger one is the truth."""
    quick, slow = [0.01] * 900 + [0.164] * 100, [0.3] * 90 + [0.957] * 10
    apart = [times(one).quantile(0.95, confidence=0.95).value for one in (quick, slow)]
    pooled = times_of([merged([histogram(quick), histogram(slow)])]).quantile(0.95, confidence=0.95).value

    assert apart == [pytest.approx(0.164, rel=0.001), pytest.approx(0.957, rel=0.001)]
    assert pooled == pytest.approx(sorted(quick + slow)[1044], rel=0.001)


@given(SECONDS)
def test_a_text_is_the_histogram(seconds):
    text = capped(seconds)

    assert encoded(decoded(text)) == text
    assert bool(text) == bool(seconds)
    assert counts(text).sum() == len(seconds)


@given(st.floats(0, HOUR))
def test_a_value_lies_in_its_class_of_three_digits(value):
    seen = times([value])

    micros = round(value * MICROSECONDS) / MICROSECONDS
    assert seen.low[0] <= micros <= seen.high[0]
    assert seen.high[0] - seen.low[0] <= 0.001 * micros


def test_what_took_longer_than_an_hour_is_counted_as_one():
    made = new_histogram()

    assert made.record_value(LONGEST)
    assert times_of([encoded(made)]).slower(HOUR - 4).fewest == 1


@pytest.mark.parametrize("text", ["x", "SElTVA==", "HISTFAAAABt4nJNpmSzMwMDAyQABzFCaEUoz2X+A0gAmHwLx"])
def test_another_text_is_refused(text):
    with pytest.raises(ValueError, match="histogram"):
        decoded(text)


def test_a_histogram_of_other_bounds_is_refused():
    from hdrh.histogram import HdrHistogram

    other = HdrHistogram(1, 1000, 2)
    other.record_value(5)

    with pytest.raises(ValueError, match="other bounds"):
        decoded(other.encode().decode())
