"""
Judge one criterion: counts, latency or sampled numbers.

With A what is known of its limit and R what of the comparison with the baseline:

| A            | R: surely worse | R: surely not worse | R: open       | R: not asked  | R: no data or too few   |
| ------------ | --------------- | ------------------- | ------------- | ------------- | ----------------------- |
| surely above | roll back       | roll back (1)       | roll back (1) | roll back     | roll back               |
| surely below | roll back       | promote             | promote       | promote       | as the profile says (2) |
| open         | roll back       | inconclusive        | inconclusive  | inconclusive  | as the profile says (2) |
| no limit     | roll back       | promote             | inconclusive  | -             | as the profile says (2) |

(1) Unless the baseline is surely above the limit as well: then the canary may not be to blame, and it is inconclusive.
(2) Inconclusive, unless the profile says `rollback` for that state of the data; never promote.

A roll-back may come at any look, a promotion at the planned end, or earlier if the plan allows it. Failures that come
in bursts count as fewer for a promotion and for the comparison, never against the limit: they did fail.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from opsproof.judge.canary.compare import Compared, Counts, Standing, Tolerance, compare_counts, compare_samples
from opsproof.judge.canary.decision import Judgement
from opsproof.judge.canary.latency import BeyondBuckets, Buckets, Quantile, quantile_of, slower
from opsproof.judge.canary.rules import Answer, Plan, Rule
from opsproof.judge.canary.series import State
from opsproof.judge.canary.words import share_text, words
from opsproof.judge.statistics.proportions import burstiness, lower, needed, upper
from opsproof.judge.statistics.ranks import quantile_bounds
from opsproof.judge.statistics.sequential import dealt, evidence_above, lower_always, upper_always

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def judge_state(rule: Rule, state: State, *, baseline: bool = False) -> Judgement:
    """
    Judge a criterion whose data can't be used.

    Args:
        rule: The criterion.
        state: How the data stand.
        baseline: True if it is the data of the baseline.

    Raises:
        ValueError: If the state is `ok` or `violation`, which only numbers give.
    """
    if state in (State.OK, State.VIOLATION):
        raise ValueError(f"{state} needs numbers")
    reason = words("bad_baseline" if baseline else "bad_data", state=state)
    return Judgement(rule.name, rule.on.get(state, Answer.INCONCLUSIVE), state, reason, limit=rule.share)


def judge_counts(
    rule: Rule,
    canary: Counts,
    baseline: Counts | State | None,
    plan: Plan,
    *,
    final: bool,
    parts: Sequence[tuple[float, float]] = (),
    baseline_parts: Sequence[tuple[float, float]] = (),
) -> Judgement:
    """
    Judge a share by its counts.

    Args:
        rule: The criterion.
        canary: Pooled counts from the begin of the window until now.
        baseline: The same of the baseline; the state of its data if they can't be used; None if it is not compared.
        plan: How the watch judges.
        final: True at the planned end.
        parts: Failures and requests of the parts of the window (of each look), to tell bursts.
        baseline_parts: The same of the baseline.
    """
    state = _state(canary)
    if state is not State.OK:
        return judge_state(rule, state)
    if isinstance(baseline, Counts) and _state(baseline) not in (State.OK, State.EMPTY):
        baseline = _state(baseline)
    bursts, relative = burstiness(parts), None
    if rule.tolerance is not None and isinstance(baseline, Counts):
        relative = compare_counts(
            canary,
            baseline,
            rule.tolerance,
            risk=_risk(plan, final),
            confidence=1 - _doubt(plan, final),
            bursts=max(bursts, burstiness(baseline_parts)),
        )
    return _judged(rule, canary, baseline, relative, plan, final=final, bursts=bursts)


def judge_latency(
    rule: Rule,
    canary: Buckets,
    baseline: Buckets | State | None,
    plan: Plan,
    *,
    final: bool,
    parts: Sequence[tuple[float, float]] = (),
    baseline_parts: Sequence[tuple[float, float]] = (),
) -> Judgement:
    """
    Judge a quantile by the share of slower requests.

    Args:
        rule: The criterion; its limit is in the unit of the edges, and it says how many may be slower (`allowed`).
        canary: Buckets of the window.
        baseline: The same of the baseline; the state of its data if they can't be used; None if it is not compared.
        plan: How the watch judges.
        final: True at the planned end.
        parts: Slow requests and requests of the parts of the window, to tell bursts.
        baseline_parts: The same of the baseline.

    Raises:
        ValueError: If the rule has no limit or no `allowed`.
    """
    if rule.limit is None or rule.allowed is None:
        raise ValueError(f"{rule.name}: latency needs a limit, and the share that may be slower")
    if canary.total <= 0:
        return judge_state(rule, State.EMPTY)
    try:
        slow = slower(canary, rule.limit)
        theirs = slower(baseline, rule.limit) if isinstance(baseline, Buckets) else baseline
    except BeyondBuckets:
        reason = words("beyond", limit=f"{rule.limit:g}", last=f"{_last_edge(canary, baseline):g}")
        return Judgement(rule.name, Answer.INCONCLUSIVE, State.OK, reason, limit=rule.allowed, n=canary.total)
    counts = Counts(slow.fewest, slow.total, slow.most)
    others = theirs if theirs is None or isinstance(theirs, State) else Counts(theirs.fewest, theirs.total, theirs.most)
    judged = judge_counts(rule, counts, others, plan, final=final, parts=parts, baseline_parts=baseline_parts)
    if not slow.exact:
        between = words("between", limit=f"{rule.limit:g}", below=f"{slow.below:g}", above=f"{slow.above:g}")
        judged = replace(judged, reason={lang: f"{judged.reason[lang]}; {between[lang]}" for lang in between})
    return replace(judged, quantile=quantile_of(canary, 1 - rule.allowed))


def judge_samples(
    rule: Rule, canary: Sequence[float], baseline: Sequence[float] | State | None, plan: Plan, *, final: bool
) -> Judgement:
    """
    Judge sampled numbers: against the limit by the share of samples beyond it, against the baseline by their ranks.

    Args:
        rule: The criterion; with a limit it says how many may be beyond it: 0.5 judges the median.
        canary: Independent samples (`series.apart`).
        baseline: The same of the baseline; the state of its data if they can't be used; None if it is not compared.
        plan: How the watch judges.
        final: True at the planned end.

    Raises:
        ValueError: If the rule has a limit and no `allowed`.
    """
    import numpy as np

    if rule.limit is not None and rule.allowed is None:
        raise ValueError(f"{rule.name}: a limit of samples needs the share that may be beyond it")
    ours = np.sort(np.asarray(canary, float))
    if not len(ours):
        return judge_state(rule, State.EMPTY)
    if not np.isfinite(ours).all():
        return judge_state(rule, State.NAN if np.isnan(ours).any() else State.INF)
    relative, theirs = None, baseline if isinstance(baseline, State) else None
    others = np.sort(np.asarray([] if baseline is None or isinstance(baseline, State) else baseline, float))
    if not np.isfinite(others).all():
        theirs = State.NAN if np.isnan(others).any() else State.INF
    elif rule.tolerance is not None and len(others):
        relative = _compared(ours, others, rule, rule.tolerance, plan, final=final)
    seen = _beyond(others, rule) if theirs is None and len(others) else theirs
    judged = _judged(rule, _beyond(ours, rule), seen, relative, plan, final=final)
    if rule.allowed is None:
        return judged
    q = rule.allowed if rule.floor else 1 - rule.allowed
    value, low, high = quantile_bounds(ours, q, 1 - plan.confidence, 1 - plan.confidence)
    return replace(judged, quantile=Quantile(q, value, low, high))


def _state(counts: Counts) -> State:
    numbers = (counts.k, counts.n, counts.highest)
    if any(map(math.isnan, numbers)):
        return State.NAN
    if any(map(math.isinf, numbers)):
        return State.INF
    return State.OK if counts.n > 0 else State.EMPTY


def _judged(
    rule: Rule,
    canary: Counts,
    baseline: Counts | State | None,
    relative: Compared | None,
    plan: Plan,
    *,
    final: bool,
    bursts: float = 1.0,
) -> Judgement:
    estimate = canary.lowest / canary.n
    least, most = _least(canary, plan, final=final), _most(canary, plan, bursts, final=final)
    share = rule.share
    may_promote = (final or plan.early_promotion) and canary.n >= rule.min_samples
    above = share is not None and _surely_above(canary, share, plan, final=final)
    below = share is not None and most < share
    sick = share is not None and isinstance(baseline, Counts) and _surely_above(baseline, share, plan, final=final)
    judged = Judgement(
        rule.name,
        Answer.INCONCLUSIVE,
        State.OK,
        {},
        estimate=estimate,
        lower=least,
        upper=most,
        limit=share,
        k=canary.lowest,
        n=canary.n,
        most=None if canary.most is None else canary.highest,
        relative=relative,
        sick=sick,
        bursts=bursts,
    )
    said = _said(judged)
    asked = rule.tolerance is not None
    unknown = baseline if isinstance(baseline, State) and baseline is not State.OK else State.EMPTY
    standing = None if relative is None else relative.standing

    if standing is Standing.WORSE:
        key = "worse_but_below" if below else "worse"
        return replace(judged, answer=Answer.ROLLBACK, state=State.VIOLATION, reason=words(key, **said))
    if above:
        answer = Answer.INCONCLUSIVE if sick and asked else Answer.ROLLBACK
        key = "above_as_baseline" if sick and asked else "above"
        return replace(judged, answer=answer, state=State.VIOLATION, reason=words(key, **said))
    if asked and standing is None:
        reason = words("bad_baseline", state=unknown)
        return replace(judged, answer=rule.on.get(unknown, Answer.INCONCLUSIVE), state=unknown, reason=reason)
    if standing is Standing.TOO_FEW and relative is not None:
        reason = words("too_few", missing=str(relative.more_needed))
        return replace(judged, reason=reason, more_needed=relative.more_needed)
    holds = below if share is not None else standing is Standing.FINE
    if holds and may_promote:
        key = "below" if share is not None else "not_worse"
        return replace(judged, answer=Answer.PROMOTE, reason=words(key, **said))
    if canary.n < rule.min_samples:
        missing = math.ceil(rule.min_samples - canary.n)
        more = max(missing, _needed(canary, share, plan, bursts)[0] or 0)
        reason = words("min_samples", wanted=str(rule.min_samples), missing=str(missing), **said)
        return replace(judged, reason=reason, more_needed=more)
    if holds:
        return replace(judged, reason=words("holds_so_far", **said))
    if share is None:
        return replace(judged, reason=words("open_relative", **said))
    more_without, more_at_rate = _needed(canary, share, plan, bursts)
    key = "open" if more_at_rate is None else "open_at_rate"
    reason = words(key, more=f"{more_without:,}", at_rate=f"{more_at_rate or 0:,}", **said)
    return replace(judged, reason=reason, more_needed=more_without, more_at_this_rate=more_at_rate)


def _least(counts: Counts, plan: Plan, *, final: bool) -> float:
    """The share is at least so large: rolls back at any look. Half of the risk is kept for the planned end."""
    if plan.looks < 2:
        return lower(counts.lowest, counts.n, 1 - plan.risk)
    least = lower_always(counts.lowest, counts.n, plan.risk / 2)
    return max(least, lower(counts.lowest, counts.n, 1 - plan.risk / 2)) if final else least


def _surely_above(counts: Counts, share: float, plan: Plan, *, final: bool) -> bool:
    """The same as `_least`, asked of one share, which needs no search."""
    k, n, risk = counts.lowest, counts.n, plan.risk
    if plan.looks < 2:
        return lower(k, n, 1 - risk) > share
    at_the_end = final and lower(k, n, 1 - risk / 2) > share
    return at_the_end or bool(evidence_above(k, n, share) >= math.log(2 / risk))


def _most(counts: Counts, plan: Plan, bursts: float, *, final: bool) -> float:
    """The share is at most so large: promotes at the planned end, or with `early_promotion` at any look."""
    k, n = counts.highest / bursts, counts.n / bursts
    if not plan.early_promotion or plan.looks < 2:
        return upper(k, n, plan.confidence)
    doubt = (1 - plan.confidence) / 2
    most = upper_always(k, n, doubt)
    return min(most, upper(k, n, 1 - doubt)) if final else most


def _needed(counts: Counts, share: float | None, plan: Plan, bursts: float) -> tuple[int | None, int | None]:
    if share is None:
        return None, None
    confidence = plan.confidence if not plan.early_promotion else (1 + plan.confidence) / 2
    more = needed(counts.highest / bursts, counts.n / bursts, share, confidence)
    at_rate = None if more.at_this_rate is None else math.ceil(more.at_this_rate * bursts)
    return math.ceil(more.without_failure * bursts), at_rate


def _risk(plan: Plan, final: bool) -> float:
    return dealt(plan.risk, plan.looks, final=final)


def _doubt(plan: Plan, final: bool) -> float:
    doubt = 1 - plan.confidence
    return dealt(doubt, plan.looks, final=final) if plan.early_promotion else doubt


def _compared(ours: "Array", others: "Array", rule: Rule, tolerance: Tolerance, plan: Plan, *, final: bool) -> Compared:
    """Where less is worse, the baseline is asked whether it is the larger one."""
    first, second = (others, ours) if rule.floor else (ours, others)
    relative = compare_samples(first, second, tolerance, risk=_risk(plan, final), confidence=1 - _doubt(plan, final))
    return replace(relative, canary=relative.baseline, baseline=relative.canary) if rule.floor else relative


def _beyond(samples: "Array", rule: Rule) -> Counts:
    """Samples beyond the limit; without one, only how many samples there are."""
    if rule.limit is None:
        return Counts(0, len(samples))
    beyond = samples < rule.limit if rule.floor else samples > rule.limit
    if rule.strict:
        beyond |= samples == rule.limit
    return Counts(int(beyond.sum()), len(samples))


def _last_edge(canary: Buckets, baseline: Buckets | State | None) -> float:
    both = (canary, baseline) if isinstance(baseline, Buckets) else (canary,)
    return min(one.edges[-2] if len(one.edges) > 1 else 0.0 for one in both)


def _said(one: Judgement) -> Mapping[str, str]:
    """The numbers that sentences name."""
    relative = one.relative
    said = {
        "seen": share_text(one.estimate),
        "k": f"{one.k:,.0f}",
        "n": f"{one.n:,.0f}",
        "lower": share_text(one.lower),
        "upper": share_text(one.upper),
        "limit": share_text(one.limit),
    }
    if relative is not None:
        by_share = one.relative is not None and relative.chance is None
        show = share_text if by_share else (lambda x: "?" if x is None or math.isnan(x) else f"{x:.4g}")
        said |= {"canary": show(relative.canary), "baseline": show(relative.baseline), "p": f"{relative.p_worse:.2g}"}
        allowed = relative.tolerance.value
        in_share = by_share and relative.tolerance.by == "difference"
        said["allowed"] = share_text(allowed) if in_share else f"{allowed:g}"
        said["allowed"] = f"x {said['allowed']}" if relative.tolerance.by == "ratio" else f"+ {said['allowed']}"
    return said
