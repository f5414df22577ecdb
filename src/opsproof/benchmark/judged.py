"""From what was measured to what the gates say: the way in which a benchmark is judged, the first time and again."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from opsproof.benchmark.facts import (
    BenchmarkFact,
    BoundsFact,
    Ending,
    GateFact,
    PlanFact,
    RequestFact,
    WorkerFact,
)
from opsproof.benchmark.selecting import asked, everything_of, good_of, names_of, parts_of, requests_of
from opsproof.judge.benchmark.comparing import (
    Compared,
    compare_estimates,
    compare_failures,
)
from opsproof.judge.benchmark.decision import decide
from opsproof.judge.benchmark.gates import (
    Judgement,
    gravest,
    judge_errors,
    judge_rate,
    judge_times,
    mean_bounds,
)
from opsproof.judge.benchmark.times import Estimate, Times
from opsproof.judge.benchmark.trust import Doubt, Generator, believed, doubts, pace_of
from opsproof.judge.benchmark.words import Words, number_words, words
from opsproof.judge.statistics.proportions import long_bursts
from opsproof.judge.statistics.scores import By
from opsproof.judge.verdict import Word
from opsproof.profile.load import Gate, Load

_PLAN = ("rate", "duration", "warm_up", "timeout", "writes", "selected")
"""What two benchmarks that are compared have in common."""


def judged(measured: BenchmarkFact, load: Load, earlier: BenchmarkFact | None = None) -> BenchmarkFact:
    """
    Judge a benchmark by what a profile demands.

    Args:
        measured: With whatever answers; they are put aside.
        load: What is demanded.
        earlier: What gates with `worse` compare it with; None if there is none.
    """
    generator = _generator(measured)
    found, pairs = _judge_all(measured, load, earlier, generator)
    if generator.sure and all(judgement.answer is not Word.FAIL for judgement, _ in pairs):
        found, pairs = _judge_all(measured, load, earlier, replace(generator, sure=False))
    decision = decide((judgement for judgement, _ in pairs), found)
    return measured.model_copy(
        update={
            "answer": decision.answer,
            "exit_status": decision.exit_status,
            "reasons": tuple(dict(reason) for reason in decision.reasons),
            "doubts": tuple(dict(doubt.words) for doubt in found),
            "gates": tuple(
                _fact(gate, judgement, compared)
                for gate, (judgement, compared) in zip(load.gates.values(), pairs, strict=True)
            ),
            "compared_with": "" if earlier is None else f"{earlier.profile}, {earlier.started:%Y-%m-%d %H:%M %Z}",
        }
    )


def generator_of(workers: Sequence[WorkerFact], plan: PlanFact, judged: int, missing: int, ending: Ending) -> Generator:
    """
    How all generators of a benchmark did together.

    Args:
        workers: Their ledgers.
        plan: What was planned.
        judged: Requests that are judged, so far.
        missing: Workers that never came; those that came and told nothing are added.
        ending: How it ended; "done" while it goes on.
    """
    finished = sum(worker.finished for worker in workers)
    errors: Counter[str] = Counter()
    idle: Counter[str] = Counter()
    for worker in workers:
        errors.update(worker.user_errors)
        idle.update(worker.idle)
    return Generator(
        planned=_sum(workers, "planned"),
        begun=_sum(workers, "begun"),
        begun_in_time=_sum(workers, "begun_in_time"),
        begun_judged=_sum(workers, "begun_judged"),
        late=_sum(workers, "late"),
        busy=_sum(workers, "busy"),
        requests=_sum(workers, "requests"),
        judged=judged,
        looks=_sum(workers, "looks"),
        held_up=_sum(workers, "held_up"),
        longest_lag=max((worker.longest_lag for worker in workers), default=0.0),
        cpu=max((worker.cpu for worker in workers), default=0.0),
        users=plan.users,
        requests_per_arrival=_sum(workers, "requests_finished") / finished if finished else 1.0,
        thinking=sum(worker.thinking for worker in workers) / finished if finished else 0.0,
        user_errors=dict(errors),
        gone=_sum(workers, "gone"),
        idle=dict(idle),
        selected=plan.selected,
        workers=plan.workers,
        missing=max(missing, plan.workers - len(workers)),
        lost=tuple(worker.name for worker in workers if not worker.told_its_end),
        ran=min((worker.ran for worker in workers if worker.told_its_end), default=0.0),
        stopped_by_limit=ending == "most_requests",
        sure=ending == "sure",
        down=ending == "down",
    )


def _generator(fact: BenchmarkFact) -> Generator:
    return generator_of(fact.workers, fact.plan, asked(fact.requests), fact.missing_workers, fact.ending)


def _judge_all(
    measured: BenchmarkFact, load: Load, earlier: BenchmarkFact | None, generator: Generator
) -> tuple[tuple[Doubt, ...], list[tuple[Judgement, Compared | None]]]:
    found = doubts(load, generator)
    answered = _answered(measured)
    pairs = []
    for gate in load.gates.values():
        judgement, compared = _judge(gate, measured, load, earlier, generator)
        by_answers = (
            gate.measure == "errors" and _judge(gate, answered, load, earlier, generator)[0].answer is Word.FAIL
        )
        pairs.append((believed(judgement, found, by_answers=by_answers), compared))
    return found, pairs


def _answered(measured: BenchmarkFact) -> BenchmarkFact:
    """The benchmark as if whatever got no answer had not failed."""
    requests = (one.model_copy(update={"failed": one.failed - one.unanswered}) for one in measured.requests)
    return measured.model_copy(update={"requests": tuple(requests)})


def _judge(
    gate: Gate, measured: BenchmarkFact, load: Load, earlier: BenchmarkFact | None, generator: Generator
) -> tuple[Judgement, Compared | None]:
    absolute = _against_limit(gate, measured, load, generator) if gate.limit is not None else None
    relative, compared = _against_earlier(gate, measured, earlier, load) if gate.worse is not None else (None, None)
    said = [one for one in (absolute, relative) if one is not None]
    joined = said[0]
    if len(said) == 2:
        joined = replace(gravest(said), reason=words("both", one=said[0].reason, other=said[1].reason))
        joined = replace(joined, value=said[0].value, lower=said[0].lower, upper=said[0].upper)
    return joined, compared


def _against_limit(gate: Gate, measured: BenchmarkFact, load: Load, generator: Generator) -> Judgement:
    assert gate.limit is not None
    if gate.measure == "rate":
        return judge_rate(gate, pace_of(load, generator))
    requests = requests_of(measured, gate.request)
    parts = parts_of(measured, gate.request, gate.limit.bounds[0])
    if gate.measure == "errors":
        failed, ended = sum(one.failed for one in requests), sum(one.ended for one in requests)
        unfinished = sum(len(one.ages) for one in requests)
        judgement = judge_errors(gate, failed, ended, unfinished, parts, load.confidence)
        return replace(judgement, reason=_with_most_frequent(judgement.reason, requests))
    return judge_times(gate, everything_of(requests), good_of(requests), parts, load.confidence)


def _with_most_frequent(reason: Words, requests: Sequence[RequestFact]) -> Words:
    """What was wrong most often, and with which requests."""
    found = [(count, text, one.name) for one in requests for text, count in one.errors.items()]
    if not found:
        return reason
    count, text, name = max(found)
    return words("errors_most", why=reason, count=f"{count:,}", name=name, error=text)


def _against_earlier(
    gate: Gate, measured: BenchmarkFact, earlier: BenchmarkFact | None, load: Load
) -> tuple[Judgement, Compared | None]:
    assert gate.worse is not None

    def unknown(reason: Words) -> tuple[Judgement, None]:
        return Judgement(gate.id, Word.INCONCLUSIVE, reason), None

    if earlier is None:
        return unknown(words("no_baseline"))
    if earlier.profile != measured.profile:
        return unknown(words("other_profile", then=earlier.profile, now=measured.profile))
    if other := next(plans_differ(earlier.plan, measured.plan), None):
        return unknown(other)
    if others := names_of(earlier) ^ names_of(measured):
        return unknown(words("other_requests", names=", ".join(sorted(others))))
    if not requests_of(earlier, gate.request):
        return unknown(words("not_in_baseline"))
    if doubted := doubts(load, _generator(earlier)):
        return unknown(words("baseline_doubted", doubt=doubted[0].words))
    compared = compare(measured, earlier, gate.measure, gate.request, gate.worse.by, load.confidence)
    tolerance = gate.worse.value
    answer = (
        Word.FAIL if compared.lower > tolerance else Word.PASS if compared.upper <= tolerance else Word.INCONCLUSIVE
    )
    key = {Word.FAIL: "worse", Word.PASS: "not_worse", Word.INCONCLUSIVE: "worse_open"}[answer]
    ratio = compared.by == "ratio"

    def text(value: float) -> str:
        return f"x{value:.3g}" if ratio else number_words(value, gate.unit)

    said = {
        "ours": number_words(compared.ours, gate.unit),
        "theirs": number_words(compared.theirs, gate.unit),
        "effect": text(compared.effect),
        "lower": text(compared.lower),
        "upper": text(compared.upper),
        "tolerance": text(tolerance),
        "when": f"{earlier.started:%Y-%m-%d %H:%M %Z}",
    }
    total = sum(one.ended for one in requests_of(measured, gate.request))
    return Judgement(gate.id, answer, words(key, **said), compared.ours, requests=total), compared


def compare(
    ours: BenchmarkFact, theirs: BenchmarkFact, measure: str, request: str, by: By, confidence: float
) -> Compared:
    """
    Compare a number of two benchmarks.

    Args:
        ours: The newer one.
        theirs: The earlier one.
        measure: p50, p95, ...; mean; errors.
        request: Name of the requests; "" for all.
        by: `ratio` or `difference`.
        confidence: Of each bound.
    """
    sides = [(one, requests_of(one, request)) for one in (ours, theirs)]
    if measure == "errors":
        return _compare_errors(sides, request, by, confidence)
    bound = _mean if measure == "mean" else partial(_quantile, float(measure[1:]) / 100)
    estimates = [bound(fact, everything_of(requests), request, math.sqrt(confidence)) for fact, requests in sides]
    return compare_estimates(estimates[0], estimates[1], by)


def _mean(fact: BenchmarkFact, times: Times, request: str, confidence: float) -> Estimate:
    return mean_bounds(times, parts_of(fact, request, math.inf), confidence, times)


def _quantile(q: float, fact: BenchmarkFact, times: Times, request: str, confidence: float) -> Estimate:
    """Slow requests that come together tell less: those beyond the quantile itself say by how much."""
    value = times.quantile(q, confidence=confidence).value
    if not math.isfinite(value):
        return times.quantile(q, confidence=confidence)
    parts = parts_of(fact, request, value) or parts_of(fact, "", value)
    bursts = long_bursts([(part.slow, part.requests) for part in parts])
    return times.quantile(q, confidence=confidence, bursts=bursts)


def _compare_errors(
    sides: Sequence[tuple[BenchmarkFact, list[RequestFact]]], request: str, by: By, confidence: float
) -> Compared:
    """Arrivals that were never begun may be of the requests of one name, or not: both are within the bounds."""
    most = [_failures(fact, requests, request) for fact, requests in sides]
    if not request:
        return compare_failures(most[0], most[1], by, confidence)
    own = [(fact, [one for one in requests if one.name == request]) for fact, requests in sides]
    fewest = [_failures(fact, requests, request) for fact, requests in own]
    seen = compare_failures(fewest[0], fewest[1], by, confidence)
    low, high = ((fewest[0], most[1]), (most[0], fewest[1]))
    return replace(
        seen,
        lower=min(seen.lower, compare_failures(*low, by, confidence).lower),
        upper=max(seen.upper, compare_failures(*high, by, confidence).upper),
    )


def _failures(fact: BenchmarkFact, requests: Sequence[RequestFact], name: str) -> tuple[float, float]:
    # Of a name without a gate no seconds are kept: then failures come together as those of all requests do.
    parts = parts_of(fact, name, math.inf) or parts_of(fact, "", math.inf)
    bursts = long_bursts([(part.failed, part.requests) for part in parts])
    failed = sum(one.failed + len(one.ages) for one in requests)
    total = sum(one.ended + len(one.ages) for one in requests)
    return failed / bursts, total / bursts


def plans_differ(earlier: PlanFact, newer: PlanFact) -> Iterator[Words]:
    """What makes a comparison one of two plans, and not of two targets; nothing if both are of one."""
    for name in _PLAN:
        then, now = getattr(earlier, name), getattr(newer, name)
        if then != now:
            yield words("cmp_plan", name=name, then=plain(then), now=plain(now))


def plain(value: object) -> str:
    """A value of a plan or of an environment, as a sentence has it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sum(workers: Sequence[WorkerFact], field: str) -> int:
    return int(sum(getattr(worker, field) for worker in workers))


def _fact(gate: Gate, judgement: Judgement, compared: Compared | None) -> GateFact:
    return GateFact(
        name=gate.id,
        title={"en": gate.title.en, "ko": gate.title.ko},
        measure=gate.measure,
        request=gate.request,
        limit=gate.limit.text if gate.limit else "",
        answer=judgement.answer,
        reason=dict(judgement.reason),
        value=judgement.value,
        lower=judgement.lower,
        upper=judgement.upper,
        requests=judgement.requests,
        more_needed=judgement.more_needed,
        compared=None
        if compared is None
        else BoundsFact(**{name: getattr(compared, name) for name in BoundsFact.model_fields}),
    )
