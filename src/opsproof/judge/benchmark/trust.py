"""
What keeps a benchmark from being believed: a generator that was itself the bottleneck, or load that was never sent.

What distorts (a busy or late generator) makes every time and rate unknown, a bad one as well: the wait may have been
the generator's own. What lacks (a lost worker, an early end) keeps gates from passing; what failed under less load has
failed. No request at all is both.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from opsproof.judge.benchmark.gates import Judgement, Pace
from opsproof.judge.benchmark.words import Words, number_words, words
from opsproof.judge.verdict import Word
from opsproof.profile.load import Load

SHARE_LATE = 0.01
"""Of the arrivals that the generator itself may send late, and of the looks at its loop that may find it held up."""
FEWEST_HELD_UP = 3
"""Looks that found the loop held up: fewer are chance, however few looks there were."""
PART_OF_LIMIT = 0.1
"""Of the shortest limit: what is later than this part of it is late."""
LEAST_LATENESS = 0.01
SHARE_BUSY = 0.01
"""Of the arrivals that may find all users busy, where the users are too few."""
SHARE_NEVER_BEGUN = 0.05
SHARE_IDLE = 0.05
OVER_PLAN = 1.05
"""Of the planned time that has gone by: less than the rest of it is an early end."""


@dataclass(frozen=True, slots=True)
class Generator:
    """
    How the generator did, over all workers.

    Attributes:
        planned: Arrivals that were due.
        begun: Of these, begun.
        begun_in_time: Of these, begun before arrivals ended.
        begun_judged: Begun arrivals that were due after the warm-up.
        late: Of these, those that the generator itself sent later than `late_by`.
        busy: Of these, those that found all users busy.
        requests: Requests that were made.
        looks: At the loop of each worker.
        held_up: Of these, later than `late_by`.
        longest_lag: Seconds.
        cpu: The largest part of a core that a worker used over five seconds.
        users: Users that were planned, over all workers.
        judged: Of these, sent by arrivals that were due after the warm-up, or still waited for.
        requests_per_arrival: The mean.
        thinking: Seconds that a user spent in a task and not in a request; the mean for an arrival.
        user_errors: Errors that users raised outside of a request, by text.
        gone: Users that ended while arrivals still came.
        idle: Judged arrivals whose task did not do what it is for, by why.
        selected: Options by which an operator left tasks out.
        workers: That were planned.
        missing: Workers that never began.
        lost: Names of workers that did not tell their end.
        ran: Seconds of arrivals that there were, of the worker that had the fewest.
        stopped_by_limit: True if it ended at the profile's `most_requests`.
        sure: True if it was ended because a gate surely fails.
        down: True if it was ended because the target is clearly down.
    """

    planned: int
    begun: int
    begun_in_time: int
    begun_judged: int
    late: int
    busy: int
    requests: int
    judged: int
    looks: int
    held_up: int
    longest_lag: float
    cpu: float
    users: int
    requests_per_arrival: float
    thinking: float
    user_errors: dict[str, int]
    gone: int
    idle: dict[str, int]
    selected: str
    workers: int
    missing: int
    lost: tuple[str, ...]
    ran: float
    stopped_by_limit: bool = False
    sure: bool = False
    down: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """
    A reason not to believe a benchmark.

    Attributes:
        words: Why, by language.
        distorts: True if what was measured may be the generator's own.
    """

    words: Words
    distorts: bool


def late_by(load: Load) -> float:
    """Seconds from which on a generator is late: a tenth of the shortest limit, at least 10 ms."""
    return max(LEAST_LATENESS, PART_OF_LIMIT * load.shortest_limit)


def users_needed(load: Load, generator: Generator) -> int:
    """Users that a target needs which just holds its limits, by the requests and pauses of the tasks (Little's law)."""
    requests = max(1.0, generator.requests_per_arrival)
    return math.ceil(load.rate * (requests * load.longest_limit + generator.thinking))


def pace_of(load: Load, generator: Generator) -> Pace:
    """How much of the plan was begun in time, and who is the cause of the rest."""
    by_target = (
        generator.busy > 0 and generator.users >= users_needed(load, generator) and not distorted(load, generator)
    )
    return Pace(generator.planned, generator.begun_in_time, by_target)


def distorted(load: Load, generator: Generator) -> bool:
    """Whether what was measured may be the generator's own."""
    return any(doubt.distorts for doubt in _doubts(load, generator))


def doubts(load: Load, generator: Generator) -> tuple[Doubt, ...]:
    """All reasons not to believe a benchmark, the gravest first."""
    return tuple(sorted(_doubts(load, generator), key=lambda doubt: not doubt.distorts))


def _doubts(load: Load, generator: Generator) -> Iterator[Doubt]:
    planned, begun = generator.planned, generator.begun
    if generator.lost:
        names = ", ".join(generator.lost)
        yield _lacks("lost", lost=str(len(generator.lost)), workers=str(generator.workers), names=names)
    if generator.missing:
        yield _lacks("fewer_workers", missing=str(generator.missing), wanted=str(generator.workers))
    if not begun:
        yield _distorts("no_arrivals", planned=f"{planned:,}")
    elif not generator.judged and not generator.lost:
        yield _distorts("no_requests", begun=f"{begun:,}")
    if generator.user_errors:
        count, error = sum(generator.user_errors.values()), max(generator.user_errors, key=generator.user_errors.get)  # type: ignore[arg-type]
        yield _lacks("user_errors", count=f"{count:,}", error=error)
    if generator.gone:
        yield _distorts("gone", gone=f"{generator.gone:,}", users=f"{generator.users:,}")
    idle = sum(generator.idle.values())
    if generator.begun_judged and idle / generator.begun_judged > SHARE_IDLE:
        share, why = number_words(idle / generator.begun_judged, "%"), max(generator.idle, key=generator.idle.get)  # type: ignore[arg-type]
        yield _lacks("idle", count=f"{idle:,}", share=share, why=why)
    if generator.selected:
        yield _lacks("selected", selected=generator.selected)
    yield from _own_times(load, generator)
    if generator.stopped_by_limit:
        yield _lacks("most_requests", requests=f"{generator.requests:,}")
    elif generator.down:
        yield _lacks("down", seconds=f"{generator.ran:.0f} s", planned=f"{load.duration:g} s")
    elif generator.sure:
        return
    elif generator.ran * OVER_PLAN < load.duration:
        yield _lacks("interrupted", seconds=f"{generator.ran:.0f} s", planned=f"{load.duration:g} s")
    if planned and begun and (planned - begun) / planned > SHARE_NEVER_BEGUN:
        share = number_words((planned - begun) / planned, "%")
        of_target = _lacks if generator.busy else _distorts
        yield of_target("shortfall", missing=f"{planned - begun:,}", planned=f"{planned:,}", share=share)


def _own_times(load: Load, generator: Generator) -> Iterator[Doubt]:
    by = number_words(late_by(load), "s")
    judged = generator.begun_judged
    if judged and (share := generator.late / judged) > SHARE_LATE:
        yield _distorts("late", share=number_words(share, "%"), by=by)
    if generator.held_up >= FEWEST_HELD_UP and (share := generator.held_up / generator.looks) > SHARE_LATE:
        most = number_words(generator.longest_lag, "s")
        yield _distorts("lag", share=number_words(share, "%"), by=by, most=most)
    if generator.cpu > load.most_cpu:
        yield _distorts("cpu", cpu=number_words(generator.cpu, "%"), limit=number_words(load.most_cpu, "%"))
    needed = users_needed(load, generator)
    if judged and generator.users < needed and (share := generator.busy / judged) > SHARE_BUSY:
        share_text = number_words(share, "%")
        yield _distorts("too_few_users", users=str(generator.users), share=share_text, needed=str(needed))


def believed(judged: Judgement, found: tuple[Doubt, ...], *, by_answers: bool) -> Judgement:
    """
    A judgement as far as the benchmark can be believed.

    Args:
        judged: The judgement.
        found: What is against the benchmark.
        by_answers: True if wrong answers alone make it a failure: they are never the generator's own, as times are, and
            answers that did not come in time.
    """
    stands = by_answers or not any(doubt.distorts for doubt in found)
    if not found or judged.answer is Word.INCONCLUSIVE or (judged.answer is Word.FAIL and stands):
        return judged
    reason = words("not_trusted", why=judged.reason, doubt=found[0].words)
    return replace(judged, answer=Word.INCONCLUSIVE, reason=reason, more_needed=None)


def _distorts(key: str, **parts: str) -> Doubt:
    return Doubt(words(key, **parts), distorts=True)


def _lacks(key: str, **parts: str) -> Doubt:
    return Doubt(words(key, **parts), distorts=False)
