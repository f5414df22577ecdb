"""What a profile demands of its canary, as the judge takes it."""

from collections.abc import Mapping

from opsproof.judge.canary.compare import Tolerance
from opsproof.judge.canary.rules import Answer, Plan, Rule
from opsproof.judge.canary.series import State
from opsproof.profile.canary import Canary, Criterion


def rules_of(canary: Canary) -> dict[str, Rule]:
    """Each criterion as a rule, by name."""
    return {name: _rule(canary, criterion) for name, criterion in canary.criteria.items()}


def plan_of(canary: Canary, rules: Mapping[str, Rule]) -> Plan:
    """How the watch judges."""
    return Plan.of(
        rules.values(),
        looks_of(canary),
        confidence=canary.confidence,
        false_rollback=canary.false_rollback,
        early_promotion=canary.early_promotion,
        rollback_weight=canary.rollback_weight,
    )


def looks_of(canary: Canary) -> int:
    """How many looks are planned, the last one included."""
    return max(1, int(canary.lasts / canary.interval + 1e-9))


def _rule(canary: Canary, criterion: Criterion) -> Rule:
    limit = canary.limit_of(criterion)
    allowed = None
    if criterion.quantile:
        allowed = round(1 - criterion.quantile.q, 12)
    elif criterion.promql:
        allowed = criterion.promql.beyond
    return Rule(
        criterion.id,
        limit=limit.bounds[0] if limit else None,
        allowed=allowed if limit else None,
        tolerance=_tolerance(criterion),
        strict=criterion.promql is not None and limit is not None and limit.operator in ("<", ">"),
        floor=limit is not None and limit.operator in (">", ">="),
        critical=criterion.critical,
        weight=criterion.weight,
        min_samples=criterion.min_samples,
        on={State(state): Answer(answer) for state, answer in criterion.on.items()},
    )


def _tolerance(criterion: Criterion) -> Tolerance | None:
    if criterion.worse is None:
        return None
    return Tolerance(criterion.worse.by, criterion.worse.value)
