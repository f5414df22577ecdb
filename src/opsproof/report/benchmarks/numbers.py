"""The numbers of a benchmark as people read them: of all requests, and by name."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from opsproof.benchmark.facts import BenchmarkFact, GateFact, RequestFact
from opsproof.benchmark.histograms import times_of
from opsproof.benchmark.selecting import everything_of
from opsproof.judge.benchmark.times import Times
from opsproof.judge.benchmark.words import number_words
from opsproof.profile.thresholds import threshold

QUANTILES = (0.5, 0.95, 0.99)
NOTHING = "–"
_ANY = 0.95
"""Of bounds that are not asked for."""


class Line(NamedTuple):
    """
    Requests that are told together.

    Attributes:
        name: Of the requests; "" for all.
        part: Which of them: "" for all, `good` or `failed`.
        ended: That ended.
        failed: Of these.
        unfinished: That did not.
        times: Their response times.
    """

    name: str
    part: str
    ended: int
    failed: int
    unfinished: int
    times: Times


def lines(fact: BenchmarkFact) -> Iterator[Line]:
    """All requests together, then by name; good ones and failed ones apart where there are both."""
    if len(fact.requests) != 1:
        yield from _lines("", fact.requests)
    for one in fact.requests:
        yield from _lines(one.name, [one])


def _lines(name: str, requests: Sequence[RequestFact]) -> Iterator[Line]:
    ended, failed = sum(one.ended for one in requests), sum(one.failed for one in requests)
    unfinished = sum(len(one.ages) for one in requests)
    yield Line(name, "", ended, failed, unfinished, everything_of(requests))
    if 0 < failed < ended:
        yield Line(name, "good", ended - failed, 0, 0, times_of([one.good for one in requests]))
        yield Line(name, "failed", failed, failed, 0, times_of([one.bad for one in requests]))


def service_of(fact: BenchmarkFact) -> Times:
    """Service times of all requests that ended: from the moment at which each was sent."""
    return times_of([one.service for one in fact.requests])


def quantile(times: Times, q: float) -> float:
    """A quantile in seconds; infinite if it is among what never ended, NaN without a request."""
    return times.quantile(q, confidence=_ANY).value


def longest(times: Times) -> float:
    """The longest time in seconds; infinite if something never ended, NaN without a request."""
    if len(times.ages):
        return math.inf
    return float(times.high[-1]) if times.total else math.nan


def time_text(seconds: float) -> str:
    """A time, as the sentences of gates tell it; a dash if there is none."""
    return NOTHING if math.isnan(seconds) else number_words(seconds, "s")


def mean_text(times: Times) -> str:
    """The mean; at least so much where something never ended."""
    return f"{'≥ ' if len(times.ages) else ''}{time_text(times.mean())}"


def gate_number(gate: GateFact, value: float | None) -> str:
    """A number of a gate in its unit; a dash if it is not known."""
    if value is None or math.isnan(value):
        return NOTHING
    return number_words(value, "%" if gate.measure in ("errors", "rate") else "s")


def gate_bounds(gate: GateFact) -> str:
    """Both bounds of a gate's number: `14.2 ms .. 15 ms`; a dash where it is counted, or neither is known."""
    if gate.measure == "rate" or (gate.lower is None and gate.upper is None):
        return NOTHING
    low = -math.inf if gate.lower is None else gate.lower
    high = math.inf if gate.upper is None else gate.upper
    return f"{gate_number(gate, low)} .. {gate_number(gate, high)}"


def time_limits(fact: BenchmarkFact, request: str) -> Iterator[tuple[GateFact, float]]:
    """Gates on times of the requests of one name, with their limit in seconds."""
    for gate in fact.gates:
        if gate.limit and gate.request == request and gate.measure not in ("errors", "rate"):
            yield gate, threshold(gate.limit).bounds[0]
