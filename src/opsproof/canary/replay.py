"""Judge again what an earlier watch has seen, by what the profile demands now; nothing is asked."""

from datetime import UTC, datetime

from opsproof.canary.criteria import criterion_fact
from opsproof.canary.facts import CanaryEnding, CanaryFact, CriterionFact
from opsproof.canary.judged import Pair, judged, look_of, whole
from opsproof.canary.plan import plan_of, rules_of
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
    for name, rule in rules.items():
        before, pairs, looks = seen.get(name), list[Pair](), []
        for look in before.looks if before else ():
            pairs.append((look.canary, look.baseline))
            judgement = whole(judged(rule, pairs, plan, final=look.final), pairs, canary, look.elapsed)
            looks.append(look_of(rule, pairs, judgement, look.at, look.elapsed, final=look.final))
            last = judgement
        if looks:
            judgements.append(last)
        questions = before.questions if before else {}
        criteria.append(criterion_fact(profile, canary.criteria[name], rule, questions, looks))
    short = fact.duration < canary.lasts
    ended = fact.ending in (CanaryEnding.WATCHED, CanaryEnding.EARLY) and not short
    decision = decide(rules.values(), judgements, plan, terminated=not ended)
    told = [f"it was watched for {fact.duration:g} s, and the profile demands {canary.lasts:g} s"] if short else []
    return fact.model_copy(
        update={
            "answer": decision.answer,
            "exit_status": decision.exit_status,
            "reasons": tuple({str(lang): words for lang, words in one.items()} for one in decision.reasons),
            "weight": decision.weight,
            "rollback_weight": canary.rollback_weight,
            "confidence": canary.confidence,
            "false_rollback": canary.false_rollback,
            "criteria": tuple(criteria),
            "notes": (*fact.notes, *told, f"judged again {datetime.now(UTC):%Y-%m-%d %H:%M}Z"),
        }
    )
