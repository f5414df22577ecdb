"""
Many criteria, one answer.

A critical violation rolls back, and so do violations whose weights add up to the plan's `rollback_weight`. All criteria
must promote for a promotion, and there must be one. Everything else is inconclusive; a watch that was ended from
outside always is.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from opsproof.judge.canary.compare import Compared
from opsproof.judge.canary.latency import Quantile
from opsproof.judge.canary.rules import EXIT_STATUS, Answer, Plan, Rule
from opsproof.judge.canary.series import State
from opsproof.judge.canary.words import Words, words


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    What is known of one criterion.

    Attributes:
        criterion: Its name.
        answer: What it alone says.
        state: Of the data; `violation` if the limit or the tolerance is surely exceeded.
        reason: Why, by language.
        estimate: The share seen (of failures, of what is beyond the limit); None without data.
        lower: The share that it is at least: rolls back above `limit`.
        upper: The share that it is at most: promotes below `limit`, at the planned end.
        limit: The share that must not be exceeded; None if it is only compared.
        k: Failures, or what is beyond the limit; at least.
        n: Requests or samples.
        most: The same as `k`, at most, where a limit between two bucket edges leaves it open.
        more_needed: Requests without a failure until it could promote; None if that is not what is missing.
        more_at_this_rate: The same, if as large a share fails as so far; None if no number would do.
        quantile: Of latency or samples: the quantile that the limit is for, in their unit.
        relative: The comparison with the baseline, if there is one.
        sick: True if the baseline itself surely exceeds the limit.
        bursts: By how much failures come in bursts; 1 if each comes on its own.
    """

    criterion: str
    answer: Answer
    state: State
    reason: Words
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    limit: float | None = None
    k: float = 0.0
    n: float = 0.0
    most: float | None = None
    more_needed: int | None = None
    more_at_this_rate: int | None = None
    quantile: Quantile | None = None
    relative: Compared | None = None
    sick: bool = False
    bursts: float = 1.0


@dataclass(frozen=True, slots=True)
class Decision:
    """
    The one answer.

    Attributes:
        answer: What to do.
        exit_status: 0 promote, 1 roll back, 6 inconclusive.
        reasons: Why, by language, the decisive ones first.
        weight: Weights of the violated criteria.
    """

    answer: Answer
    exit_status: int
    reasons: tuple[Words, ...]
    weight: float


def decide(rules: Iterable[Rule], judgements: Iterable[Judgement], plan: Plan, *, terminated: bool = False) -> Decision:
    """
    Join all criteria to one answer.

    Args:
        rules: All criteria of the watch.
        judgements: The newest of each.
        plan: How the watch judges.
        terminated: True if the watch was ended before its planned end, by a signal or an error.
    """
    by_name = {rule.name: rule for rule in rules}
    judged = {one.criterion: one for one in judgements if one.criterion in by_name}
    bad = [one for one in judged.values() if one.answer is Answer.ROLLBACK]
    weight = math.fsum(
        plan.rollback_weight if by_name[o.criterion].critical else by_name[o.criterion].weight for o in bad
    )
    missing = [name for name in by_name if name not in judged]
    open_ones = [one for one in judged.values() if one.answer is Answer.INCONCLUSIVE]
    lines = [_named(one) for one in (*bad, *open_ones)]
    lines += [words("not_judged", criterion=name) for name in missing]
    if terminated:
        answer, lines = Answer.INCONCLUSIVE, [words("terminated"), *lines]
    elif bad and weight >= plan.rollback_weight - 1e-9:
        answer = Answer.ROLLBACK
    elif not by_name:
        answer, lines = Answer.INCONCLUSIVE, [words("no_criteria")]
    elif bad or open_ones or missing:
        answer = Answer.INCONCLUSIVE
    else:
        answer, lines = Answer.PROMOTE, [_named(one) for one in judged.values()]
    return Decision(answer, EXIT_STATUS[answer], tuple(lines), weight)


def _named(one: Judgement) -> Words:
    return {lang: f"{one.criterion}: {reason}" for lang, reason in one.reason.items()}
