"""What of a benchmark a gate looks at: requests of a name, their times, the seconds in which they ended."""

import math
from collections.abc import Iterable, Sequence

from opsproof.benchmark.facts import NEVER_BEGUN, BenchmarkFact, RequestFact, SecondFact
from opsproof.benchmark.histograms import times_of
from opsproof.judge.benchmark.gates import Part
from opsproof.judge.benchmark.times import Times


def parts_of(measured: BenchmarkFact, request: str, limit: float) -> list[Part]:
    """
    The seconds of a benchmark after its warm-up, for the requests of one name.

    Args:
        measured: The benchmark.
        request: Name of the requests; "" for all.
        limit: Seconds beyond which a request is slow.
    """
    return [
        _part(second, request, limit)
        for second in measured.seconds
        if second.second >= measured.plan.warm_up and (second.times.get(request) or not request)
    ]


def requests_of(measured: BenchmarkFact, name: str) -> list[RequestFact]:
    """
    The requests of one name; all of them for "".

    Each arrival that was never begun may have been one of that name: then it is said to have waited for no time at
    least, which keeps a gate from passing, and lets none fail.
    """
    if not name:
        return list(measured.requests)
    found = [one for one in measured.requests if one.name == name]
    never = [one for one in measured.requests if one.name == NEVER_BEGUN] if found else []
    return found + [one.model_copy(update={"ages": (0.0,) * len(one.ages)}) for one in never]


def names_of(measured: BenchmarkFact) -> set[str]:
    """Names of the requests that ended."""
    return {one.name for one in measured.requests if one.ended}


def asked(requests: Iterable[RequestFact]) -> int:
    """Requests that were sent, ended or not; arrivals that nobody began are none."""
    return sum(one.ended + len(one.ages) for one in requests if one.name != NEVER_BEGUN)


def everything_of(requests: Sequence[RequestFact]) -> Times:
    """Response times of requests, good and bad; those that never ended at their age."""
    texts = [text for one in requests for text in (one.good, one.bad)]
    return times_of(texts, [age for one in requests for age in one.ages])


def good_of(requests: Sequence[RequestFact]) -> Times:
    """Response times of requests that did not fail; what never ended may still have been one."""
    return times_of([one.good for one in requests], [age for one in requests for age in one.ages])


def _part(second: SecondFact, name: str, limit: float) -> Part:
    text = second.times.get(name, "")
    if not text:
        return Part(0)
    times = times_of([text])
    return Part(
        requests=times.total,
        failed=second.failed.get(name, 0),
        slow=times.slower(limit).fewest if math.isfinite(limit) else 0.0,
        seconds=times.mean() * times.total,
    )
