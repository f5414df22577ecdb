"""A benchmark over time: percentiles of the requests that ended in each second, and how much load there was."""

import math
from collections import defaultdict
from typing import NamedTuple

from opsproof.benchmark.facts import BenchmarkFact, SecondFact
from opsproof.benchmark.histograms import times_of
from opsproof.report.benchmarks.numbers import QUANTILES, quantile

_MOST = 240
"""Moments beyond which a picture shows no more: several seconds are one moment then."""


class Moment(NamedTuple):
    """
    Some seconds of a benchmark, told together.

    Attributes:
        begin: From the begin of the arrivals, in seconds.
        end: The same.
        times: The quantiles of `QUANTILES`, in seconds; empty if no request ended.
        planned: Arrivals a second that were due.
        begun: Arrivals a second that were begun.
        failed: Requests a second that failed.
        waiting: True if no request ended, though there were some in flight.
    """

    begin: float
    end: float
    times: tuple[float, ...]
    planned: float
    begun: float
    failed: float
    waiting: bool


def course(fact: BenchmarkFact, request: str) -> list[Moment]:
    """
    How it went, second by second; of a long benchmark, several seconds by several seconds.

    Args:
        fact: The benchmark.
        request: Name of the requests; "" for all.
    """
    if not fact.seconds:
        return []
    width = math.ceil((max(second.second for second in fact.seconds) + 1) / _MOST)
    together: dict[int, list[SecondFact]] = defaultdict(list)
    for second in fact.seconds:
        together[second.second // width].append(second)
    return [_moment(number * width, width, together[number], request) for number in sorted(together)]


def _moment(begin: int, width: int, seconds: list[SecondFact], request: str) -> Moment:
    times = times_of(second.times.get(request, "") for second in seconds)
    return Moment(
        begin=begin,
        end=begin + width,
        times=tuple(quantile(times, q) for q in QUANTILES) if times.total else (),
        planned=sum(second.planned for second in seconds) / width,
        begun=sum(second.begun for second in seconds) / width,
        failed=sum(second.failed.get(request, 0) for second in seconds) / width,
        waiting=not times.total and any(second.in_flight for second in seconds),
    )
