"""
Histograms of times, as HdrHistogram keeps them: three significant digits, mergeable, in a text of a few kilobytes.

Times are whole microseconds up to one hour; what took longer counts as an hour.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from opsproof.benchmark.facts import Histogram
from opsproof.judge.benchmark.times import Times

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MICROSECONDS = 1_000_000
LONGEST = 3600 * MICROSECONDS
DIGITS = 3


def new_histogram() -> Any:
    """An empty histogram for `record_value` with microseconds; no library of its kind has types."""
    from hdrh.histogram import HdrHistogram

    return HdrHistogram(1, LONGEST, DIGITS)


def record_all(histogram: Any, micros: Sequence[int]) -> None:
    """
    Record many values at once, which takes a tenth of the time that one by one takes.

    Args:
        histogram: Of `new_histogram`.
        micros: Microseconds, from 0 to `LONGEST`.
    """
    import numpy as np

    if not micros:
        return
    values = np.asarray(micros, np.int64)
    counts = np.frombuffer(histogram.counts, np.int64)
    np.add.at(counts, _lowest().searchsorted(values, side="right") - 1, 1)
    histogram.total_count += len(micros)
    histogram.min_value = min(histogram.min_value, int(values.min()))
    histogram.max_value = max(histogram.max_value, int(values.max()))


def encoded(histogram: Any) -> Histogram:
    """The text of a histogram (HdrHistogram V2, deflated, base64); "" of an empty one."""
    return Histogram(histogram.encode().decode() if histogram.total_count else "")


def decoded(text: str) -> Any:
    """
    The histogram of a text.

    Raises:
        ValueError: The text is none, or of other bounds.
    """
    from hdrh.histogram import HdrHistogram

    histogram = new_histogram()
    if not text:
        return histogram
    try:
        read = HdrHistogram.decode(text.encode())
    except Exception as exc:  # the library raises whatever its parts raise: binascii, zlib, its own
        raise ValueError(f"not a histogram: {type(exc).__name__}") from exc
    if (read.highest_trackable_value, read.significant_figures) != (LONGEST, DIGITS):
        raise ValueError("a histogram of other bounds than 1 us to one hour with three digits")
    return read


def merged(texts: Iterable[str]) -> Histogram:
    """The histogram of several, counted together."""
    total = new_histogram()
    for text in texts:
        if text:
            total.add(decoded(text))
    return encoded(total)


def times_of(texts: Iterable[str], ages: Iterable[float] = ()) -> Times:
    """
    Times of all these histograms together.

    Args:
        texts: Histograms.
        ages: Seconds that requests which had not ended had waited.
    """
    import numpy as np

    low, high = _classes()
    counts = np.zeros(len(low))
    for text in texts:
        if text:
            counts += np.frombuffer(decoded(text).counts, dtype=np.int64)[: len(low)]
    there = counts > 0
    return Times(low[there], high[there], counts[there], np.sort(np.asarray(list(ages), float)))


@functools.cache
def _classes() -> tuple[Array, Array]:
    """Least and largest value of each class, in seconds; whole microseconds, so neighbours do not touch."""
    import numpy as np

    low = _lowest().astype(float)
    high = np.append(low[1:] - 1, LONGEST)
    return low / MICROSECONDS, np.maximum(low, high) / MICROSECONDS


@functools.cache
def _lowest() -> NDArray[np.int64]:
    """Least value of each class, in microseconds."""
    import numpy as np

    histogram = new_histogram()
    return np.asarray([histogram.get_value_from_index(index) for index in range(histogram.counts_len)], np.int64)
