"""Benchmarks as a generator measures them, judged by the judge itself."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from report_builders import a_profile, a_run, an_outcome

from opsproof.benchmark.facts import BenchmarkFact, Histogram, PlanFact, RequestFact, SecondFact, WorkerFact
from opsproof.benchmark.histograms import MICROSECONDS, encoded, new_histogram
from opsproof.benchmark.judged import judged
from opsproof.judge.verdict import Word
from opsproof.profile.load import Load
from opsproof.report.run import Run
from opsproof.report.view import View

PROFILE = "ingest/staging"
BEGIN = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
GET, POST = "GET /api/v1/items", "POST /api/v1/items"

Draw = Callable[[random.Random], float]


def fast(rng: random.Random) -> float:
    """About 50 ms."""
    return rng.gammavariate(4, 0.0125)


def slow(rng: random.Random) -> float:
    """About 150 ms."""
    return rng.gammavariate(4, 0.0375)


def histogram(times: Iterable[float]) -> Histogram:
    made = new_histogram()
    for seconds in times:
        made.record_value(int(seconds * MICROSECONDS))
    return encoded(made)


def a_gate(measure: str, limit: str, request: str = "", **changes: Any) -> dict[str, Any]:
    return {
        "title": {"en": f"The {measure}", "ko": f"{measure} 기준"},
        "measure": measure,
        "limit": limit,
        "request": request,
        "runbook": ["ING-053"],
        "next_step": {"en": "Find what is slow.", "ko": "느린 곳을 찾는다."},
        **changes,
    }


GATES = {"p95": a_gate("p95", "<= 400 ms"), "errors": a_gate("errors", "< 2 %"), "pace": a_gate("rate", ">= 95 %")}


def a_load(**changes: Any) -> Load:
    return Load.model_validate({"rate": 50, "duration": "22s", "warm_up": "2s", "gates": GATES, **changes})


def a_benchmark(
    draw: Draw = fast,
    *,
    seed: int = 1,
    load: Load | None = None,
    names: Iterable[str] = (GET,),
    share_failed: float = 0.0,
    error: str = "HTTPError: 500 Internal Server Error",
    hanging: int = 0,
    wait: float = 0.0,
    without: Iterable[int] = (),
    worker: dict[str, Any] | None = None,
    **changes: Any,
) -> BenchmarkFact:
    """
    A benchmark that went so.

    Args:
        draw: The service time of a request, in seconds.
        seed: Of the chance in it.
        load: The plan and its gates.
        names: Of the requests, taken in turn.
        share_failed: Of the requests.
        error: What was wrong with those.
        hanging: Requests that never ended, having waited for 3 s.
        wait: Seconds that every tenth request waited until it was sent.
        without: Seconds in which nothing ended, though requests waited.
        worker: Changes of its ledger.
        changes: Of the fact.
    """
    load, rng, names = load or a_load(), random.Random(seed), tuple(names)
    gated = {gate.request for gate in load.gates.values()}
    good, bad, service = (defaultdict(list) for _ in range(3))
    seconds = []
    for second in range(int(load.duration)):
        times, failed = defaultdict(list), defaultdict(int)
        for number in range(0 if second in without else int(load.rate)):
            name, took = names[number % len(names)], draw(rng)
            response = took + (wait if number % 10 == 0 else 0)
            fails = rng.random() < share_failed
            for key in {"", name} & (gated | {""}):
                times[key].append(response)
                failed[key] += fails
            if second >= load.warm_up:
                (bad if fails else good)[name].append(response)
                service[name].append(took)
        seconds.append(
            SecondFact(
                second=second,
                planned=int(load.rate),
                begun=int(load.rate),
                in_flight=int(load.rate) if second in without else 2,
                times={name: histogram(taken) for name, taken in times.items()},
                failed={name: count for name, count in failed.items() if count},
            )
        )
    requests = [
        RequestFact(
            name=name,
            good=histogram(good[name]),
            bad=histogram(bad[name]),
            service=histogram(service[name]),
            ended=len(service[name]),
            failed=len(bad[name]),
            ages=(3.0,) * (hanging if name == names[0] else 0),
            errors={error: len(bad[name])} if bad[name] else {},
        )
        for name in names
        if service[name]
    ]
    planned = int(load.rate * load.duration)
    ledger = {
        "name": "local",
        "planned": planned,
        "begun": planned,
        "begun_in_time": planned,
        "begun_judged": int(load.rate * (load.duration - load.warm_up)),
        "finished": planned,
        "requests": planned,
        "requests_finished": planned,
        "looks": 2000,
        "longest_lag": 0.004,
        "cpu": 0.21,
        "ran": load.duration,
        "told_its_end": True,
    }
    measured = BenchmarkFact(
        **{
            "profile": PROFILE,
            "answer": Word.INCONCLUSIVE,
            "exit_status": 6,
            "reasons": (),
            "gates": (),
            "started": BEGIN + timedelta(hours=seed),
            "ended": BEGIN + timedelta(hours=seed, seconds=load.duration),
            "ending": "done",
            "plan": PlanFact(
                rate=load.rate,
                duration=load.duration,
                warm_up=load.warm_up,
                users=load.users_at_once,
                timeout=load.timeout,
                workers=1,
                writes=False,
            ),
            "host": "http://10.0.0.5:8080",
            "environment": {"cores": "4", "python": "3.11.9", "locust": "2.47.0"},
            "opsproof": "0.1.0",
            "workers": (WorkerFact(**ledger | (worker or {})),),
            "requests": tuple(requests),
            "seconds": tuple(seconds),
        }
        | changes
    )
    return judged(measured, load)


def nothing_sent(**changes: Any) -> BenchmarkFact:
    """No arrival was begun."""
    none = {"begun": 0, "begun_in_time": 0, "begun_judged": 0, "requests": 0, "finished": 0}
    return a_benchmark(worker=none, requests=(), seconds=(), **changes)


def a_benchmark_run(*facts: BenchmarkFact, **changes: Any) -> Run:
    outcomes = [an_outcome("load.gate_p95", fact.profile, markers=("load",)) for fact in facts]
    profiles = [a_profile(fact.profile) for fact in facts]
    return a_run(outcomes, profiles, benchmarks=facts, **changes)


def a_benchmark_view(*facts: BenchmarkFact, **changes: Any) -> View:
    return View.of(a_benchmark_run(*facts, **changes), ())
