"""The structured forms, computed from increases of counters, wherever these come from."""

import math
from collections.abc import Iterable, Mapping

from opsproof.probes.metrics.sample import Sample
from opsproof.profile.numbers import Quantile, Rate

_MOST_TIMES, _MOST_MORE = 1.5, 2
"""By how much a part may look larger than the whole: of what was counted, and beside it."""


class Nothing(ValueError):
    """There is no number; the text says why."""


class Contradiction(ValueError):
    """The numbers cannot belong together; the text says why."""


def share(of: float, over: float) -> Sample:
    """
    The share of one increase in another, 1 at most.

    Two counters of one service are not read at the very same moment, and `increase()` extrapolates, so that a part may
    look a little larger than the whole.

    Raises:
        Nothing: `over` did not increase: nothing happened of which there could be a share.
        Contradiction: `of` increased by far more than `over`, which cannot include it.
    """
    if of > _MOST_TIMES * over + _MOST_MORE:
        raise Contradiction(f"`over` does not include what `of` counts: {of:.6g} of {over:.6g}")
    if over <= 0:
        raise Nothing("there was no traffic in the window: a share of nothing is not 0 %")
    return Sample(min(of / over, 1.0), f"{of:.6g} of {over:.6g}")


def quantile(form: Quantile, buckets: Mapping[float, float]) -> Sample:
    """
    A quantile of a histogram, by the rule of Prometheus' `histogram_quantile`.

    Values are taken as evenly spread within a bucket; the first bucket begins at 0. A quantile in the last bucket,
    which has no upper end, is at least as large as that bucket's lower end.

    Args:
        form: Asks for it.
        buckets: By upper end (the last is infinite), how many observations of the window are not larger.

    Raises:
        Nothing: Nothing was observed, or the histogram lacks its last bucket.
    """
    ends = sorted(buckets)
    if not ends:
        raise Nothing("nothing was observed in the window: there was no traffic")
    if ends[-1] != math.inf or len(ends) == 1:
        raise Nothing("the histogram has no bucket for +Inf, or no other: it is no histogram")
    counts = _rising(buckets[end] for end in ends)
    total = counts[-1]
    if total <= 0:
        raise Nothing("nothing was observed in the window: there was no traffic")
    rank = form.q * total
    at = next(place for place, count in enumerate(counts) if count >= rank)
    note = f"p{form.q * 100:g} of {total:.6g} observations"
    if at == len(ends) - 1:
        beyond = f"{note}; at least {ends[-2]:g}: it lies beyond the histogram's last bucket"
        return Sample(ends[-2], beyond, at_least=True)
    upper = ends[at]
    if at == 0 and upper <= 0:
        return Sample(upper, note)
    lower, below = (ends[at - 1], counts[at - 1]) if at else (0.0, 0.0)
    return Sample(lower + (upper - lower) * (rank - below) / (counts[at] - below), note)


def rate(form: Rate, increase: float) -> Sample:
    """Increase in one second, on average."""
    return Sample(increase / form.window)


def _rising(counts: Iterable[float]) -> list[float]:
    """Cumulative counts that never fall; readings of buckets at slightly different moments may make them."""
    found: list[float] = []
    for count in counts:
        found.append(max(count, found[-1] if found else 0.0))
    return found
