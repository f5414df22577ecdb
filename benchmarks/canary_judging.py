"""
Judge 1,000 metrics with 1,440 samples each: a day of minutes, or six hours of 15 seconds.

Half of them are shares (a counter of errors, which begins again once, and one of requests) against a limit, half are
sampled numbers against a limit and against the numbers of a baseline, which are as many. What is measured is all
between the series as they were answered and the one answer. Beside it, in turn, the bare tests of scipy on the same
numbers: the exact interval of counts that somebody else has counted, and the test of Mann and Whitney. They know
nothing of restarts, looks, bursts, effect sizes, or of how many more requests are needed.

A histogram of twelve buckets is twelve series; what judging 100 of them takes is told, too. Exit status 1 if judging
the 1,000 metrics takes more than a second, or an answer is wrong.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import binomtest, mannwhitneyu

from opsproof.judge.canary.compare import Counts, Tolerance
from opsproof.judge.canary.counters import increase
from opsproof.judge.canary.decision import Judgement, decide
from opsproof.judge.canary.judging import judge_counts, judge_latency, judge_samples
from opsproof.judge.canary.latency import increased_buckets
from opsproof.judge.canary.rules import Answer, Plan, Rule
from opsproof.judge.canary.series import Series

METRICS, SAMPLES, STEP = 1_000, 1_440, 15.0
HISTOGRAMS, EDGES = 100, ("0.1", "0.25", "0.5", "0.75", "1.0", "1.5", "2.0", "2.5", "5.0", "7.5", "10.0", "+Inf")
START, END = 10 * STEP, SAMPLES * STEP
LONGEST = 1.0


def main() -> int:
    """Measure, and print a table of Markdown; 1 if an answer is wrong or the goal is missed."""
    options = _options()
    random = np.random.default_rng(1)
    half = METRICS // 2
    errors = [_counter(random, 0.05, restart=True) for _ in range(half)]
    requests = [_counter(random, 20.0) for _ in range(half)]
    numbers = [(_numbers(random), _numbers(random)) for _ in range(half)]
    histograms = [_histogram(random) for _ in range(HISTOGRAMS)]
    shares = [Rule(f"share {number}", limit=0.01) for number in range(half)]
    depths = [
        Rule(f"depth {number}", limit=3.0, allowed=0.5, tolerance=Tolerance("ratio", 1.5)) for number in range(half)
    ]
    p95 = Rule("latency", limit=2.5, allowed=0.05)
    plan = Plan.of([*shares, *depths], 80)

    def all_metrics() -> list[Judgement]:
        judged = [_share(rule, *pair, plan) for rule, *pair in zip(shares, errors, requests, strict=True)]
        for rule, (canary, baseline) in zip(depths, numbers, strict=True):
            ours, theirs = ([value for _, value in line.points] for line in (canary, baseline))
            judged.append(judge_samples(rule, ours, theirs, plan, final=True))
        return judged if decide([*shares, *depths], judged, plan).answer is Answer.PROMOTE else []

    def all_histograms() -> list[Judgement]:
        buckets = [increased_buckets(series, START, END, scrape_s=STEP)[0] for series in histograms]
        return [judge_latency(p95, one, None, plan, final=True) for one in buckets]

    counted = [
        [int(increase([line], START, END, scrape_s=STEP).count) for line in pair]
        for pair in zip(errors, requests, strict=True)
    ]
    values = [tuple(np.array([value for _, value in line.points]) for line in pair) for pair in numbers]

    def bare() -> list[float]:
        exact = [binomtest(k, n, alternative="less").proportion_ci(0.95, method="exact").high for k, n in counted]
        return [*exact, *(mannwhitneyu(*pair, alternative="greater").pvalue for pair in values)]

    ours, theirs, buckets = [], [], []
    for _ in range(options.rounds):
        seconds, judged = _timed(all_metrics)
        ours.append(seconds)
        if len(judged) != METRICS:
            print("the canary is healthy, and was not promoted", file=sys.stderr)
            return 1
        theirs.append(_timed(bare)[0])
        buckets.append(_timed(all_histograms)[0])
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| metrics | samples each | opsproof | bare tests of scipy | ratio | 100 histograms of 12 buckets |")
    print("| --: | --: | --: | --: | --: | --: |")
    ratio = f"{min(ours) / min(theirs):.2f}"
    print(f"| {METRICS:,} | {SAMPLES:,} | {min(ours):.2f} s | {min(theirs):.2f} s | {ratio} | {min(buckets):.2f} s |")
    return 0 if min(ours) <= LONGEST else 1


def _share(rule: Rule, errors: Series, requests: Series, plan: Plan) -> Judgement:
    k, n = (increase([line], START, END, scrape_s=STEP).count for line in (errors, requests))
    return judge_counts(rule, Counts(k, n), None, plan, final=True)


def _counter(random: np.random.Generator, each: float, *, restart: bool = False) -> Series:
    values = 1_000 + random.poisson(each, SAMPLES).cumsum()
    if restart:
        values[SAMPLES // 2 :] -= values[SAMPLES // 2]
    return Series({}, [(STEP * at, float(value)) for at, value in enumerate(values)])


def _numbers(random: np.random.Generator) -> Series:
    return Series({}, [(STEP * at, float(value)) for at, value in enumerate(random.lognormal(0, 0.5, SAMPLES))])


def _histogram(random: np.random.Generator) -> list[Series]:
    lines = random.poisson(2.0, (len(EDGES), SAMPLES)).cumsum(axis=1).cumsum(axis=0)
    return [
        Series({"le": edge}, [(STEP * at, float(value)) for at, value in enumerate(line)])
        for edge, line in zip(EDGES, lines, strict=True)
    ]


def _timed(function: Callable[[], list[Any]]) -> tuple[float, list[Any]]:
    begin = time.perf_counter()
    result = function()
    return time.perf_counter() - begin, result


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="how many; the least time is told (default: 5)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
