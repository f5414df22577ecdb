"""Watched canaries, with looks that the judge itself judged on invented counts."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from report_builders import a_profile, a_run, an_outcome

from opsproof.canary.facts import CanaryEnding, CanaryFact, ComparedFact, CriterionFact, Data, LookFact
from opsproof.judge.canary.compare import Compared, Counts, Tolerance
from opsproof.judge.canary.decision import Judgement, decide
from opsproof.judge.canary.judging import judge_counts, judge_latency, judge_samples, judge_state
from opsproof.judge.canary.latency import Buckets
from opsproof.judge.canary.rules import Plan, Rule
from opsproof.judge.canary.series import State
from opsproof.report.run import Run
from opsproof.report.view import View

PROFILE = "factory-ai/embedded"
BEGIN = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
EDGES = (0.5, 1.0, 2.5, 5.0, math.inf)
ERRORS = Rule("error-rate", limit=0.01, tolerance=Tolerance("ratio", 1.5), min_samples=50)
LATENCY = Rule("latency-p95", limit=2.5, allowed=0.05)
PARSING = Rule("parse-failures", limit=0.005, critical=False)
TOKENS = Rule("tokens", tolerance=Tolerance("difference", 20.0), critical=False)
THROUGHPUT = Rule("throughput", limit=900.0, allowed=0.5, floor=True, critical=False)
RULES = (ERRORS, LATENCY, PARSING, TOKENS, THROUGHPUT)
_TITLES = {
    "error-rate": {"en": "Error rate", "ko": "오류율"},
    "latency-p95": {"en": "Latency", "ko": "응답 시간"},
    "parse-failures": {"en": "LLM parsing failures", "ko": "LLM 파싱 실패율"},
    "tokens": {"en": "Tokens per answer", "ko": "응답당 토큰"},
    "throughput": {"en": "Throughput", "ko": "처리량"},
}
_UNITS = {"latency-p95": "s", "tokens": "tok", "throughput": "req/s"}
_FORMS: dict[str, Any] = {"latency-p95": "quantile", "tokens": "number", "throughput": "number"}

Pooled = Callable[[int], Data]
"""What was known at a look, by its number from 1 on."""


def counted(per_look: float, share: float) -> Pooled:
    """So many requests a look, of which that share fails, spread evenly."""
    return lambda look: Data(failed=math.floor(per_look * look * share), total=per_look * look)


def timed(per_look: float, slow: float) -> Pooled:
    """So many requests a look, of which that share takes longer than 2.5 s."""

    def pooled(look: int) -> Data:
        total = per_look * look
        late = math.floor(total * slow)
        fast = math.floor((total - late) * 0.6)
        half = math.floor((total - late) * 0.9)
        return Data(edges=EDGES, counts=(fast, half, total - late, total - late // 3, total))

    return pooled


def sampled(*around: float) -> Pooled:
    """One sample a look."""
    return lambda look: Data(samples=tuple(around[n % len(around)] + n % 3 for n in range(look)))


def bad(state: State, why: str = "") -> Pooled:
    """Data that can't be used."""
    return lambda _: Data(state=state, why=why)


def by_look(pooled: Pooled, others: dict[Iterable[int], Pooled]) -> Pooled:
    """At some looks something else."""
    return lambda look: next((other for looks, other in others.items() if look in looks), pooled)(look)


def a_criterion(
    rule: Rule, looks: Sequence[LookFact], *, title: dict[str, str] | None = None, **changes: Any
) -> CriterionFact:
    tolerance = rule.tolerance
    return CriterionFact(
        **{
            "name": rule.name,
            "title": title or _TITLES[rule.name],
            "form": _FORMS.get(rule.name, "share"),
            "unit": _UNITS.get(rule.name, ""),
            "limit": rule.limit,
            "share": rule.share,
            "floor": rule.floor,
            "tolerance": "" if tolerance is None else f"{'x' if tolerance.by == 'ratio' else '+'} {tolerance.value:g}",
            "critical": rule.critical,
            "weight": rule.weight,
            "min_samples": rule.min_samples,
            "questions": {"all": 'http_requests_total{track="canary"}'},
            "looks": tuple(looks),
        }
        | changes
    )


def a_look(
    rule: Rule, canary: Data, baseline: Data | None, plan: Plan, elapsed: float, *, final: bool
) -> tuple[LookFact, Judgement]:
    """Judged as the watch does it."""
    judged = _judged(rule, canary, baseline, plan, final=final)
    theirs = None if baseline is None or baseline.state is not State.OK else _share(rule, baseline)
    relative = judged.relative
    return (
        LookFact(
            at=BEGIN + timedelta(seconds=elapsed),
            elapsed=elapsed,
            final=final,
            canary=canary,
            baseline=baseline,
            answer=judged.answer,
            state=judged.state,
            reason=dict(judged.reason),
            estimate=judged.estimate,
            lower=judged.lower,
            upper=judged.upper,
            value=judged.quantile.value if judged.quantile else None,
            baseline_estimate=theirs,
            compared=_compared(relative) if relative else None,
            more_needed=judged.more_needed,
        ),
        judged,
    )


def a_canary(
    canary: dict[str, Pooled],
    baseline: dict[str, Pooled],
    *,
    duration: float = 60.0,
    looks: int = 12,
    skip: Iterable[int] = (),
    ending: CanaryEnding = CanaryEnding.WATCHED,
    profile: str = PROFILE,
    until: int | None = None,
    **changes: Any,
) -> CanaryFact:
    """
    Watch a canary: until its end, a sure violation, or the look `until`.

    Args:
        canary: Its data by criterion.
        baseline: The same of the baseline.
        duration: As planned, in seconds.
        looks: As planned.
        skip: Looks that never happened.
        ending: Why it ended.
        profile: The profile.
        until: The last look; 0 is a watch that was refused.
        changes: Of the fact.
    """
    rules = [rule for rule in RULES if rule.name in canary]
    plan = Plan.of(rules, looks)
    seen: dict[str, list[LookFact]] = {rule.name: [] for rule in rules}
    newest: dict[str, Judgement] = {}
    decision = decide(rules, [], plan)
    last = looks if until is None else until
    for look in range(1, last + 1):
        if look in skip:
            continue
        for rule in rules:
            theirs = baseline[rule.name](look) if rule.name in baseline else None
            fact, newest[rule.name] = a_look(
                rule, canary[rule.name](look), theirs, plan, duration * look / looks, final=look == looks
            )
            seen[rule.name].append(fact)
        decision = decide(rules, newest.values(), plan, terminated=look == last < looks)
        if (early := decide(rules, newest.values(), plan)).answer == "rollback" and look < looks:
            decision, ending = early, CanaryEnding.EARLY
            break
    elapsed = max((facts[-1].elapsed for facts in seen.values() if facts), default=0.2)
    return CanaryFact(
        **{
            "profile": profile,
            "started": BEGIN,
            "ended": BEGIN + timedelta(seconds=elapsed),
            "duration": duration,
            "interval": duration / looks,
            "looks": looks,
            "tracks": {"canary": 'track="canary" in metrics', "baseline": 'track="stable" in metrics'},
            "versions": {"canary": "2.1.0", "baseline": "2.0.4"},
            "ending": ending,
            "answer": decision.answer,
            "exit_status": decision.exit_status,
            "reasons": tuple(dict(reason) for reason in decision.reasons),
            "weight": decision.weight,
            "rollback_weight": plan.rollback_weight,
            "confidence": plan.confidence,
            "false_rollback": plan.false_rollback,
            "early_promotion": False,
            "criteria": tuple(a_criterion(rule, seen[rule.name]) for rule in rules),
        }
        | changes
    )


def the_baseline(per_look: float = 900.0) -> dict[str, Pooled]:
    return {"error-rate": counted(per_look, 0.002), "latency-p95": timed(per_look, 0.012)}


def a_healthy_canary(**changes: Any) -> CanaryFact:
    return a_canary(
        {
            "error-rate": counted(100, 0.0017),
            "latency-p95": timed(100, 0.013),
            "parse-failures": counted(100, 0.0009),
        },
        the_baseline(),
        **changes,
    )


def a_sick_canary(**changes: Any) -> CanaryFact:
    """Five percent fail."""
    return a_canary(
        {"error-rate": counted(60, 0.05), "latency-p95": timed(60, 0.02), "parse-failures": counted(60, 0.001)},
        the_baseline(),
        **changes,
    )


def a_canary_with_a_hole(**changes: Any) -> CanaryFact:
    """Looks without data in the middle, one that never happened, and samples that are missing."""
    errors = counted(100, 0.0017)

    def torn(look: int) -> Data:
        return errors(look).model_copy(update={"missing": 9.0 if look >= 10 else 0.0})

    return a_canary(
        {
            "error-rate": by_look(torn, {(5, 6): bad(State.STALE, "the newest sample is 31 s old")}),
            "latency-p95": by_look(timed(100, 0.013), {(5, 6): bad(State.STALE)}),
            "tokens": sampled(410, 402, 431, 395),
        },
        the_baseline() | {"tokens": sampled(405, 420, 398, 412)},
        skip=(8,),
        **changes,
    )


def a_canary_without_traffic(**changes: Any) -> CanaryFact:
    empty = bad(State.EMPTY, "no request reached the canary in 60 s")
    return a_canary({"error-rate": empty, "latency-p95": empty}, the_baseline(), **changes)


def a_canary_with_little_traffic(**changes: Any) -> CanaryFact:
    return a_canary({"error-rate": counted(2.5, 0), "parse-failures": counted(2.5, 0)}, the_baseline(), **changes)


def a_refused_canary(**changes: Any) -> CanaryFact:
    return a_canary(
        {"error-rate": counted(1, 0), "latency-p95": timed(1, 0)},
        {},
        until=0,
        ending=CanaryEnding.REFUSED,
        refused=(
            "latency-p95: the limit 2.5 s is above the last finite bucket edge (1 s); give it an edge at 2.5",
            'error-rate: rate of track="canary" matches both tracks; add version="2.1.0" to its labels',
        ),
        **changes,
    )


def an_interrupted_canary(**changes: Any) -> CanaryFact:
    return a_canary(
        {"error-rate": counted(100, 0)}, the_baseline(), until=5, ending=CanaryEnding.INTERRUPTED, **changes
    )


def a_canary_run(*facts: CanaryFact, **changes: Any) -> Run:
    facts = facts or (a_healthy_canary(),)
    outcomes = [an_outcome("canary.holds_its_criteria", fact.profile, markers=("canary_criteria",)) for fact in facts]
    profiles = [a_profile(fact.profile) for fact in facts]
    return a_run(outcomes, profiles, canaries=facts, **changes)


def a_canary_view(*facts: CanaryFact, **changes: Any) -> View:
    return View.of(a_canary_run(*facts, **changes), ())


def _judged(rule: Rule, canary: Data, baseline: Data | None, plan: Plan, *, final: bool) -> Judgement:
    if canary.state is not State.OK:
        return judge_state(rule, canary.state)
    if rule.name in _FORMS and _FORMS[rule.name] == "number":
        theirs = None if baseline is None else baseline.state if baseline.state is not State.OK else baseline.samples
        return judge_samples(rule, canary.samples, theirs, plan, final=final)
    if canary.edges:
        edges = None if baseline is None else Buckets(baseline.edges, baseline.counts)
        return judge_latency(rule, Buckets(canary.edges, canary.counts), edges, plan, final=final)
    counts: Counts | State | None = None
    if baseline is not None:
        counts = baseline.state if baseline.state is not State.OK else Counts(baseline.failed, baseline.total)
    return judge_counts(rule, Counts(canary.failed, canary.total), counts, plan, final=final)


def _share(rule: Rule, data: Data) -> float | None:
    if data.samples:
        return None
    if data.edges:
        return 1 - data.counts[data.edges.index(rule.limit or 0.0)] / data.counts[-1]
    return data.failed / data.total if data.total else None


def _compared(relative: Compared) -> ComparedFact:
    names = ("canary", "baseline", "effect", "lower", "upper", "p_worse")
    return ComparedFact(**{name: getattr(relative, name) for name in names}, standing=relative.standing)
