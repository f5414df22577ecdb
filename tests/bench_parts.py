"""Benchmarks in small: gates, times and facts as tests of their judgement need them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from opsproof.benchmark.facts import BenchmarkFact, PlanFact, RequestFact, SecondFact, WorkerFact
from opsproof.benchmark.histograms import MICROSECONDS, encoded, new_histogram, times_of
from opsproof.judge.benchmark.times import Times
from opsproof.judge.verdict import Word
from opsproof.profile.load import Gate, Load

TEXT = {"en": "what to do", "ko": "할 일"}


def gate(measure: str, limit: str | None, **more: Any) -> dict[str, Any]:
    """A gate as a profile writes it."""
    limits = {} if limit is None else {"limit": limit}
    return {"title": TEXT, "measure": measure, "runbook": ["D-1"], "next_step": TEXT, **limits, **more}


def load(*gates: Mapping[str, Any], **more: Any) -> Load:
    """A benchmark of a profile; its gates are named g0, g1, ..."""
    named = {f"g{number}": one for number, one in enumerate(gates or [gate("p95", "<= 400 ms")])}
    return Load.model_validate({"rate": 100, "duration": 10, "gates": named} | more)


def one_gate(measure: str, limit: str | None, **more: Any) -> Gate:
    """A gate as judges take it."""
    return load(gate(measure, limit, **more), rate=10_000, duration=60).gates["g0"]


def histogram(seconds: Iterable[float]) -> str:
    """The text of a histogram of times."""
    made = new_histogram()
    for value in seconds:
        made.record_value(round(value * MICROSECONDS))
    return encoded(made)


def times(seconds: Iterable[float], ages: Iterable[float] = ()) -> Times:
    """Times of requests that ended, and ages of those that did not."""
    return times_of([histogram(seconds)], ages)


def requests(
    name: str = "GET /", good: Iterable[float] = (), bad: Iterable[float] = (), ages: Iterable[float] = ()
) -> RequestFact:
    """Requests of one name."""
    good, bad = list(good), list(bad)
    return RequestFact(
        name=name,
        good=histogram(good),
        bad=histogram(bad),
        service=histogram(good + bad),
        ended=len(good) + len(bad),
        failed=len(bad),
        ages=tuple(ages),
    )


def second(number: int, seconds: Iterable[float], failed: int = 0, name: str = "") -> SecondFact:
    """A second in which requests ended."""
    return SecondFact(second=number, times={name: histogram(seconds)}, failed={name: failed} if failed else {})


def worker(begun: int, **more: Any) -> WorkerFact:
    """The ledger of a worker at which nothing is wrong."""
    return WorkerFact.model_validate(
        {
            "name": "one",
            "planned": begun,
            "begun": begun,
            "begun_in_time": begun,
            "begun_judged": begun,
            "finished": begun,
            "requests": begun,
            "requests_finished": begun,
            "looks": 200,
            "ran": 10.0,
            "told_its_end": True,
        }
        | more
    )


def benchmark(*asked: RequestFact, **more: Any) -> BenchmarkFact:
    """What was measured, by one worker at which all is right unless `more` says so; two hundred requests a second."""
    everything = times_of([text for one in asked for text in (one.good, one.bad)])
    total = sum(one.ended + len(one.ages) for one in asked)
    each = everything.mean() if everything.total else 0.0
    seconds = tuple(second(number, [each] * 20) for number in range(10)) if everything.total else ()
    return BenchmarkFact.model_validate(
        {
            "profile": "demo/local",
            "answer": Word.INCONCLUSIVE,
            "exit_status": 6,
            "reasons": (),
            "gates": (),
            "started": datetime(2026, 1, 1, tzinfo=UTC),
            "ended": datetime(2026, 1, 1, tzinfo=UTC),
            "ending": "done",
            "plan": plan(),
            "host": "http://127.0.0.1",
            "environment": {},
            "opsproof": "0",
            "workers": (worker(total),),
            "requests": asked,
            "seconds": seconds,
        }
        | more
    )


def plan(**more: Any) -> PlanFact:
    """What was planned."""
    usual = {"rate": 100, "duration": 10, "warm_up": 0, "users": 100, "timeout": 10, "workers": 1, "writes": False}
    return PlanFact.model_validate(usual | more)
