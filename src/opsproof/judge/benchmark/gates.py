"""
Judge one gate: pass if it surely holds, fail if it surely does not, else inconclusive with what would settle it.

"p95 <= 400 ms" is a count: at most 5 % of the requests were slower than 400 ms. It passes if the upper bound of that
share (Clopper and Pearson) is below 5 %, and fails if the lower bound is above. A time is judged for all requests and
for the good ones alone, and the worse answer counts: many fast refusals hide no slow answer.

Slow or failed requests that come together (one stall) tell less than as many that come one by one: for a pass the
counts tell as if they were so many times smaller. They never tell less for a failure: it did happen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from opsproof.judge.benchmark.times import Estimate, Times
from opsproof.judge.benchmark.words import Words, number_words, words
from opsproof.judge.statistics.proportions import blocks, long_bursts, lower, needed, upper
from opsproof.judge.verdict import Word
from opsproof.profile.load import MEAN_SECONDS, Gate


class Of(StrEnum):
    """Which requests a judgement of times is of."""

    ALL = "all"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Part:
    """
    One second of a benchmark, of the requests that a gate is of.

    Attributes:
        requests: That were due in it.
        failed: Of these.
        slow: Of these, slower than the gate's limit.
        seconds: All their times together.
    """

    requests: float
    failed: float = 0.0
    slow: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    What is known of one gate.

    Attributes:
        gate: Its name.
        answer: PASS, FAIL or INCONCLUSIVE.
        reason: Why, by language.
        value: The number that was seen; None without requests.
        lower: What it is at least; None if nothing can be said.
        upper: What it is at most; None if nothing can be said.
        requests: That were judged.
        more_needed: Requests that would settle it, if each of them is good; None if that is not what is missing.
    """

    gate: str
    answer: Word
    reason: Words
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    requests: int = 0
    more_needed: int | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """
    How much of the plan was begun in time.

    Attributes:
        planned: Arrivals that were due.
        begun: Of these, begun before the arrivals ended.
        by_target: True if what is missing was kept waiting by the target, with enough users to hold its limits.
    """

    planned: int
    begun: int
    by_target: bool


def judge_times(gate: Gate, everything: Times, good: Times, parts: Sequence[Part], confidence: float) -> Judgement:
    """
    Judge a quantile or the mean.

    Args:
        gate: With a limit in seconds.
        everything: Times of all requests.
        good: Times of those that did not fail.
        parts: The seconds of the benchmark, to tell bursts.
        confidence: Of each bound, one-sided.
    """
    assert gate.limit is not None

    def of(which: Of) -> Judgement:
        times = everything if which is Of.ALL else good
        if gate.q is not None:
            return _judge_quantile(gate, times, parts, confidence, which)
        return _judge_mean(gate, times, mean_bounds(times, parts, confidence, everything), parts, which)

    of_all = of(Of.ALL)
    if of_all.answer is Word.FAIL or not everything.total:
        return of_all
    if not good.total:
        return replace(of_all, answer=Word.INCONCLUSIVE, reason=words("none_good"))
    return gravest([of_all, of(Of.GOOD)])


def judge_errors(gate: Gate, failed: int, ended: int, unfinished: int, parts: Sequence[Part], conf: float) -> Judgement:
    """
    Judge the share of requests that failed.

    Args:
        gate: With a limit that is a share.
        failed: Of those that ended.
        ended: Requests that ended.
        unfinished: Requests that did not: they may have failed.
        parts: The seconds of the benchmark, to tell bursts.
        conf: Of each bound, one-sided.
    """
    assert gate.limit is not None
    bursts = long_bursts([(part.failed, part.requests) for part in parts])
    total = ended + unfinished
    share = _Share(failed, failed + unfinished, total, bursts, gate.limit.bounds[0], conf)
    return share.judged(gate, "errors", failed / total if total else None)


def judge_rate(gate: Gate, pace: Pace) -> Judgement:
    """Judge how much of the plan was begun in time; too little fails only if the target is the cause."""
    assert gate.limit is not None
    if not pace.planned:
        return Judgement(gate.id, Word.INCONCLUSIVE, words("nothing"))
    share = pace.begun / pace.planned
    holds = gate.limit.holds(share)
    answer = Word.PASS if holds else Word.FAIL if pace.by_target else Word.INCONCLUSIVE
    key = "rate_holds" if holds else "rate_target" if pace.by_target else "rate_generator"
    seen = {"begun": f"{pace.begun:,}", "planned": f"{pace.planned:,}", "seen": number_words(share, "%")}
    reason = words(key, **seen, limit=gate.limit.text)
    return Judgement(gate.id, answer, reason, share, share, share, pace.planned)


@dataclass(frozen=True, slots=True)
class _Share:
    """So many of so many, against the share that is allowed."""

    fewest: float
    most: float
    total: float
    bursts: float
    allowed: float
    confidence: float

    @property
    def least(self) -> float:
        return lower(self.fewest, self.total, self.confidence)

    @property
    def utmost(self) -> float:
        return upper(self.most / self.bursts, self.total / self.bursts, self.confidence) if self.total else 1.0

    def judged(self, gate: Gate, what: str, value: float | None) -> Judgement:
        """A judgement with bounds of the share itself."""
        assert gate.limit is not None
        if not self.total:
            return Judgement(gate.id, Word.INCONCLUSIVE, words("nothing"))
        said = {
            "k": f"{self.fewest:,.0f}",
            "n": f"{self.total:,.0f}",
            "seen": number_words(self.fewest / self.total, "%"),
            "lower": number_words(self.least, "%"),
            "upper": number_words(self.utmost, "%"),
            "limit": gate.limit.text,
            "allowed": number_words(self.allowed, "%"),
        }
        more = None
        if self.least > self.allowed:
            answer, key = Word.FAIL, f"{what}_above"
        elif self.utmost < self.allowed:
            answer, key = Word.PASS, f"{what}_below"
        else:
            answer = Word.INCONCLUSIVE
            open_ = needed(self.most / self.bursts, self.total / self.bursts, self.allowed, self.confidence)
            more = math.ceil(open_.without_failure * self.bursts)
            key = f"{what}_open"
        reason = words(key, **said, more=f"{more:,}" if more is not None else "")
        return Judgement(gate.id, answer, reason, value, self.least, self.utmost, int(self.total), more)


def _judge_quantile(gate: Gate, times: Times, parts: Sequence[Part], confidence: float, of: Of) -> Judgement:
    assert gate.limit is not None
    assert gate.q is not None
    slow = times.slower(gate.limit.bounds[0])
    bursts = long_bursts([(part.slow, part.requests) for part in parts])
    share = _Share(slow.fewest, slow.most, times.total, bursts, 1 - gate.q, confidence)
    judged = share.judged(gate, "slow", None)
    if not times.total:
        return judged
    seen = times.quantile(gate.q, confidence=confidence)
    said = words(
        "quantile",
        of=words(of),
        measure=gate.measure,
        value=number_words(seen.value, "s"),
        lower=number_words(seen.lower, "s"),
        upper=number_words(seen.upper, "s"),
        limit=gate.limit.text,
        why=judged.reason,
    )
    return replace(judged, reason=said, value=seen.value, lower=_known(seen.lower), upper=_known(seen.upper))


def _judge_mean(gate: Gate, times: Times, seen: Estimate, parts: Sequence[Part], of: Of) -> Judgement:
    assert gate.limit is not None
    if not times.total:
        return Judgement(gate.id, Word.INCONCLUSIVE, words("nothing"))
    limit = gate.limit.bounds[0]
    if seen.lower == -math.inf:
        with_requests = sum(1 for part in parts if part.requests)
        reason = words("mean_short", seconds=str(with_requests), needed=str(MEAN_SECONDS))
        return Judgement(gate.id, Word.INCONCLUSIVE, reason, seen.value, requests=times.total)
    mean, low, high = seen.value, seen.lower, seen.upper
    answer = Word.FAIL if low > limit else Word.PASS if high <= limit else Word.INCONCLUSIVE
    said = words(
        "mean",
        of=words(of),
        value=number_words(mean, "s"),
        lower=number_words(low, "s"),
        upper=number_words(high, "s"),
        limit=gate.limit.text,
        why=words({Word.FAIL: "surely_not", Word.PASS: "surely", Word.INCONCLUSIVE: "open"}[answer]),
    )
    return Judgement(gate.id, answer, said, mean, low, _known(high), times.total)


def mean_bounds(times: Times, parts: Sequence[Part], confidence: float, everything: Times) -> Estimate:
    """
    The mean, with bounds by how the seconds differ, or longer blocks of them: requests of one second are not
    independent, and a second is like the one before where bad times last.

    Args:
        times: Of the requests.
        parts: The seconds, of all requests.
        confidence: Of each bound.
        everything: Times of all requests. Where `times` are of some of them alone, the means of their seconds differ
            by as much more as these are fewer, and as their times differ more.

    Returns:
        Infinite bounds with fewer than five seconds; an infinite upper one if a request never ended.
    """
    from scipy.special import stdtrit

    mean, seconds = times.mean(), [part for part in parts if part.requests]
    if len(seconds) < MEAN_SECONDS:
        return Estimate(mean, -math.inf, math.inf)
    requests = sum(part.requests for part in seconds)
    middle = sum(part.seconds for part in seconds) / requests

    def spread_of(some: Sequence[Sequence[Part]]) -> float:
        squares = sum(sum(part.seconds - middle * part.requests for part in block) ** 2 for block in some)
        count = len(some)
        return float(stdtrit(count - 1, confidence)) * math.sqrt(count / (count - 1) * squares) / requests

    spread = max(map(spread_of, blocks(seconds)))
    if times.total < everything.total:
        fewer = math.sqrt(everything.total / times.total) if times.total else math.inf
        of_all = everything.deviation()
        spread *= fewer * (times.deviation() / of_all if of_all else 1.0)
    return Estimate(mean, max(0.0, mean - spread), math.inf if len(times.ages) else mean + spread)


def gravest(judgements: Sequence[Judgement]) -> Judgement:
    """The one that says the worst: a failure before what cannot be known."""
    return max(judgements, key=lambda one: _GRAVITY[one.answer])


_GRAVITY = {Word.PASS: 0, Word.INCONCLUSIVE: 1, Word.FAIL: 2}


def _known(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
