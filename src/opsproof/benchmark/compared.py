"""Two benchmarks of the same plan: each number better, worse, or not to be told, with its interval."""

import math
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from opsproof.benchmark.facts import BenchmarkFact, BoundsFact, Fact
from opsproof.benchmark.judged import compare, plain, plans_differ
from opsproof.benchmark.selecting import names_of
from opsproof.judge.benchmark.comparing import Standing
from opsproof.judge.benchmark.words import Words, words
from opsproof.judge.statistics.scores import By
from opsproof.judge.verdict import Word

CONFIDENCE = 0.99
"""Of each bound. There are five numbers for each name: at 95 % one would too often be called worse by chance."""
MEASURES = ("p50", "p95", "p99", "mean", "errors")
_PLACES = ("profile", "host", "opsproof")
_GENERATORS = ("users", "workers")


class ComparedAnswer(StrEnum):
    """What came of it."""

    WORSE = "worse"
    NOT_WORSE = "not worse"
    CANNOT_TELL = "cannot tell"


_STATUS = {ComparedAnswer.NOT_WORSE: 0, ComparedAnswer.WORSE: 1, ComparedAnswer.CANNOT_TELL: 6}


class NumberFact(Fact):
    """One number of both."""

    request: str = Field(description="Name of the requests; empty: all.")
    measure: str
    standing: Standing
    bounds: BoundsFact = Field(description="Seconds, or a share of errors; their ratio or difference.")

    @property
    def bounded(self) -> bool:
        """True if it is known how much worse it is at most."""
        return math.isfinite(self.bounds.upper)


class SideFact(Fact):
    """Which benchmark it is."""

    profile: str
    started: datetime
    answer: Word


class ComparisonFact(Fact):
    """The newer benchmark against the earlier one."""

    schema_version: Literal[1] = 1
    answer: ComparedAnswer
    exit_status: int = Field(description="0 no number is worse, 1 one is, 6 nothing can be told.")
    earlier: SideFact
    newer: SideFact
    confidence: float = Field(description="Of each bound, one-sided.")
    refused: tuple[dict[str, str], ...] = Field(description="Why nothing can be told, by language.")
    warnings: tuple[dict[str, str], ...] = Field(description="What else differs, by language.")
    numbers: tuple[NumberFact, ...] = Field(description="Empty if the plans differ.")


def compare_benchmarks(earlier: BenchmarkFact, newer: BenchmarkFact) -> ComparisonFact:
    """
    Compare two benchmarks: times by their ratio, shares of errors by their difference.

    Args:
        earlier: What it is held against.
        newer: What is asked about.
    """
    differ = [*_differ(earlier, newer)]
    numbers = () if differ else tuple(_numbers(earlier, newer))
    refused = [*differ, *_doubted(earlier, newer)]
    if not differ and not any(one.bounded for one in numbers if one.bounds.by == "ratio"):
        refused.append(words("cmp_too_few"))
    answer = (
        ComparedAnswer.CANNOT_TELL
        if refused
        else ComparedAnswer.WORSE
        if any(one.standing is Standing.WORSE for one in numbers)
        else ComparedAnswer.NOT_WORSE
    )
    return ComparisonFact(
        answer=answer,
        exit_status=_STATUS[answer],
        earlier=_side(earlier),
        newer=_side(newer),
        confidence=CONFIDENCE,
        refused=tuple(map(dict, refused)),
        warnings=tuple(map(dict, _warnings(earlier, newer))),
        numbers=numbers,
    )


def _side(fact: BenchmarkFact) -> SideFact:
    return SideFact(profile=fact.profile, started=fact.started, answer=fact.answer)


def _differ(earlier: BenchmarkFact, newer: BenchmarkFact) -> Iterator[Words]:
    """What makes a comparison one of two plans, and not of two targets."""
    if earlier == newer:
        yield words("cmp_same")
    if names_of(earlier) and names_of(newer) and not names_of(earlier) & names_of(newer):
        yield words("cmp_no_common")
    yield from plans_differ(earlier.plan, newer.plan)


def _doubted(earlier: BenchmarkFact, newer: BenchmarkFact) -> Iterator[Words]:
    for fact, key in ((earlier, "cmp_earlier_doubted"), (newer, "cmp_newer_doubted")):
        for doubt in fact.doubts:
            yield words(key, why={"en": doubt["en"], "ko": doubt["ko"]})


def _warnings(earlier: BenchmarkFact, newer: BenchmarkFact) -> Iterator[Words]:
    if newer.started < earlier.started:
        yield words("cmp_order")
    for name in _PLACES:
        yield from _differs(name, getattr(earlier, name), getattr(newer, name))
    for name in _GENERATORS:
        yield from _differs(name, getattr(earlier.plan, name), getattr(newer.plan, name))
    for name in dict.fromkeys((*earlier.environment, *newer.environment)):
        yield from _differs(name, earlier.environment.get(name, "?"), newer.environment.get(name, "?"))
    theirs, ours = names_of(earlier), names_of(newer)
    for key, names in (("cmp_only_then", theirs - ours), ("cmp_only_now", ours - theirs)):
        if names:
            yield words(key, names=", ".join(sorted(names)))


def _differs(name: str, then: object, now: object) -> Iterator[Words]:
    if then != now:
        yield words("cmp_differs", name=name, then=plain(then), now=plain(now))


def _numbers(earlier: BenchmarkFact, newer: BenchmarkFact) -> Iterator[NumberFact]:
    """Of all requests, if they have the same names, and of each name that both have, unless there is only that one."""
    theirs, ours = names_of(earlier), names_of(newer)
    together = [""] if theirs == ours else []
    names = sorted(theirs & ours) if len(theirs | ours) > 1 else []
    for request in (*together, *names):
        for measure in MEASURES:
            by: By = "difference" if measure == "errors" else "ratio"
            found = compare(newer, earlier, measure, request, by, CONFIDENCE)
            bounds = BoundsFact(**{name: getattr(found, name) for name in BoundsFact.model_fields})
            yield NumberFact(request=request, measure=measure, standing=found.standing, bounds=bounds)
