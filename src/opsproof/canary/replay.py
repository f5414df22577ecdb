"""Judge again what an earlier watch has seen, by what the profile demands now; nothing is asked."""

from datetime import UTC, datetime

from opsproof.canary.criteria import criterion_fact, reasons_of
from opsproof.canary.facts import CanaryEnding, CanaryFact, CriterionFact, LookFact
from opsproof.canary.judged import Pair, judged, look_of, whole
from opsproof.canary.plan import plan_of, rules_of
from opsproof.canary.questions import questions_of
from opsproof.errors import ProfileError
from opsproof.judge.canary.decision import Judgement, decide
from opsproof.profile.models import Profile


def judged_again(profile: Profile, fact: CanaryFact) -> CanaryFact:
    """
    A watch of an earlier run, judged by the profile as it is now.

    Args:
        profile: Of the same name; its criteria may have other limits by now.
        fact: What was seen then.

    Raises:
        ProfileError: The profile has no canary any more.
    """
    canary = profile.canary
    if canary is None:
        next_step = "Replay it with the profile that it was watched with."
        what = "the profile has no `canary`, and the run that is replayed has"
        raise ProfileError(what, where=profile.name, next_step=next_step)
    rules = rules_of(canary)
    plan = plan_of(canary, rules)
    seen = {criterion.name: criterion for criterion in fact.criteria}
    judgements: list[Judgement] = []
    criteria: list[CriterionFact] = []
    told: list[str] = []
    for name, rule in rules.items():
        before, pairs, looks = seen.get(name), list[Pair](), list[LookFact]()
        if before and before.questions != questions_of(canary, canary.criteria[name]):
            told.append(f"{name}: other questions were asked then than the profile asks now, so it is not judged")
            before = None
        for look in before.looks if before else ():
            pairs.append((look.canary, look.baseline))
            judgement = whole(judged(rule, pairs, plan, final=look.final), pairs, canary, look.elapsed)
            looks.append(look_of(rule, pairs, judgement, look.at, look.elapsed, final=look.final))
            last = judgement
        if looks:
            judgements.append(last)
        criteria.append(criterion_fact(canary, canary.criteria[name], rule, looks))
    if short := fact.duration < canary.lasts:
        told.append(f"it was watched for {fact.duration:g} s, and the profile demands {canary.lasts:g} s")
    ended = fact.ending in (CanaryEnding.WATCHED, CanaryEnding.EARLY) and not short
    decision = decide(rules.values(), judgements, plan, terminated=not ended)
    return fact.model_copy(
        update={
            "answer": decision.answer,
            "exit_status": decision.exit_status,
            "reasons": reasons_of(decision, fact.refused),
            "weight": decision.weight,
            "rollback_weight": canary.rollback_weight,
            "confidence": canary.confidence,
            "false_rollback": canary.false_rollback,
            "early_promotion": canary.early_promotion,
            "criteria": tuple(criteria),
            "notes": (*fact.notes, *told, f"judged again {datetime.now(UTC):%Y-%m-%d %H:%M}Z"),
        }
    )
