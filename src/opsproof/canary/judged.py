"""A look at a criterion, judged: by the data of all looks so far, whether they are of now or of an earlier run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from opsproof.canary.facts import ComparedFact, Data, LookFact
from opsproof.judge.canary.compare import Compared, Counts
from opsproof.judge.canary.decision import Judgement
from opsproof.judge.canary.judging import judge_counts, judge_latency, judge_samples, judge_state
from opsproof.judge.canary.latency import BeyondBuckets, Buckets, quantile_of, slower
from opsproof.judge.canary.rules import Answer, Plan, Rule
from opsproof.judge.canary.series import State
from opsproof.judge.canary.words import share_text, words
from opsproof.profile.canary import Canary

FEWEST_OF_BASELINE = 50
"""Requests; with fewer even a clear difference cannot be called."""

Pair = tuple[Data, Data | None]


def judged(rule: Rule, seen: Sequence[Pair], plan: Plan, *, final: bool) -> Judgement:
    """
    Judge a criterion.

    Args:
        rule: The criterion.
        seen: Canary and baseline at each look so far; the newest is judged, the others tell bursts.
        plan: How the watch judges.
        final: True at the planned end.
    """
    canary, baseline = seen[-1]
    if baseline and baseline.state is State.OK and not baseline.samples and baseline.total < FEWEST_OF_BASELINE:
        baseline = baseline.model_copy(update={"state": State.EMPTY})
    if canary.state is not State.OK:
        return judge_state(rule, canary.state)
    if canary.samples:
        theirs = None if baseline is None else baseline.samples if baseline.state is State.OK else baseline.state
        return judge_samples(rule, canary.samples, theirs, plan, final=final)
    parts = _parts(rule, [one for one, _ in seen])
    their_parts = _parts(rule, [one for _, one in seen if one is not None])
    if canary.counts:
        judgement = judge_latency(
            rule,
            _buckets(canary),
            None if baseline is None else _buckets(baseline) if baseline.state is State.OK else baseline.state,
            plan,
            final=final,
            parts=parts,
            baseline_parts=their_parts,
        )
        slow = words("slower", limit=f"{rule.limit:g} s")
        return replace(judgement, reason={lang: f"{slow[lang]}: {said}" for lang, said in judgement.reason.items()})
    return judge_counts(
        rule,
        Counts(canary.failed, canary.total),
        None
        if baseline is None
        else Counts(baseline.failed, baseline.total)
        if baseline.state is State.OK
        else baseline.state,
        plan,
        final=final,
        parts=parts,
        baseline_parts=their_parts,
    )


def whole(judgement: Judgement, seen: Sequence[Pair], canary: Canary, elapsed: float) -> Judgement:
    """
    A promotion only of a canary that was seen, and that stayed up; any other judgement as it is.

    Args:
        judgement: What the newest look came to.
        seen: Canary and baseline at each look so far.
        canary: The profile's section: how much must be covered, and how often it may restart.
        elapsed: Seconds from the begin of the watch.
    """
    if judgement.answer is not Answer.PROMOTE:
        return judgement
    data = [one for one, _ in seen]
    newest = data[-1]
    bad = sum(one.state is not State.OK for one in data) / len(data) if newest.samples else 0.0
    covered = 1 - max(newest.missing / elapsed if elapsed > 0 else 0.0, bad)
    reason = None
    if covered < canary.coverage:
        reason = words("not_covered", covered=share_text(covered), wanted=share_text(canary.coverage))
    elif newest.restarts > canary.restarts:
        reason = words("restarted", times=f"{newest.restarts}", allowed=f"{canary.restarts}")
    return replace(judgement, answer=Answer.INCONCLUSIVE, reason=reason) if reason else judgement


def look_of(
    rule: Rule, seen: Sequence[Pair], judgement: Judgement, at: datetime, elapsed: float, *, final: bool
) -> LookFact:
    """The newest look as it is kept; the arguments are those of `judged`, and what it gave."""
    canary, baseline = seen[-1]
    why = {lang: f"{said}; {canary.why}" if canary.why else said for lang, said in judgement.reason.items()}
    return LookFact(
        at=at,
        elapsed=round(elapsed, 3),
        final=final,
        canary=canary,
        baseline=baseline,
        answer=judgement.answer,
        state=judgement.state,
        reason={str(lang): said for lang, said in why.items()},
        estimate=_finite(judgement.estimate),
        lower=_finite(judgement.lower),
        upper=_finite(judgement.upper),
        value=_value(rule, canary),
        baseline_estimate=_share(rule, baseline),
        baseline_value=_value(rule, baseline),
        compared=_compared(judgement.relative),
        more_needed=judgement.more_needed,
    )


def _parts(rule: Rule, data: Sequence[Data]) -> list[tuple[float, float]]:
    """Failures and requests from look to look."""
    pooled = [(0.0, 0.0), *((_beyond(rule, one), one.total) for one in data if one.state is State.OK)]
    return [
        (max(0.0, later[0] - earlier[0]), later[1] - earlier[1])
        for earlier, later in pairwise(pooled)
        if later[1] > earlier[1]
    ]


def _beyond(rule: Rule, data: Data) -> float:
    if not data.counts:
        return data.failed
    try:
        return slower(_buckets(data), rule.limit or 0.0).fewest
    except BeyondBuckets:
        return 0.0


def _share(rule: Rule, data: Data | None) -> float | None:
    if data is None or data.state is not State.OK or not data.total:
        return None
    return _beyond(rule, data) / data.total


def _value(rule: Rule, data: Data | None) -> float | None:
    if data is None or data.state is not State.OK:
        return None
    if data.samples:
        middle = sorted(data.samples)
        return middle[len(middle) // 2]
    return _finite(quantile_of(_buckets(data), 1 - (rule.allowed or 0.5)).value) if data.counts else None


def _buckets(data: Data) -> Buckets:
    return Buckets(data.edges, data.counts)


def _compared(relative: Compared | None) -> ComparedFact | None:
    if relative is None:
        return None
    numbers: Mapping[str, float] = {
        "canary": relative.canary,
        "baseline": relative.baseline,
        "effect": relative.effect,
        "lower": relative.lower,
        "upper": relative.upper,
        "p_worse": relative.p_worse,
    }
    return ComparedFact(standing=relative.standing, **{name: _finite(value) for name, value in numbers.items()})


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
