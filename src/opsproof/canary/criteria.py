"""Tracks and criteria of a profile, as the report keeps them."""

from collections.abc import Iterable, Mapping, Sequence

from opsproof.canary.facts import CriterionFact, LookFact
from opsproof.canary.questions import questions_of
from opsproof.judge.canary.decision import Decision
from opsproof.judge.canary.rules import Rule
from opsproof.judge.canary.words import share_text
from opsproof.profile.canary import Canary, Criterion
from opsproof.profile.models import Profile


def tracks_of(profile: Profile) -> dict[str, str]:
    """Where canary and baseline are seen, for a person."""
    canary = profile.canary
    assert canary is not None
    if canary.scrape:
        return {track: ", ".join(targets) for track, targets in canary.scrape.items()}
    labels: Mapping[str, Mapping[str, str]] = {"canary": canary.canary, "baseline": canary.baseline}
    return {track: ", ".join(f'{key}="{value}"' for key, value in own.items()) for track, own in labels.items() if own}


def versions_of(canary: Canary) -> dict[str, str]:
    """The version that is watched in each track, where the profile narrows by the label `version`."""
    labels = {"canary": canary.canary, "baseline": canary.baseline}
    return {track: own["version"] for track, own in labels.items() if own.get("version") and not canary.scrape}


def reasons_of(decision: Decision, refused: Iterable[str]) -> tuple[dict[str, str], ...]:
    """Why it is the answer, by language; what was refused before the watch is all there is to say of it."""
    if told := tuple({"en": words, "ko": words} for words in refused):
        return told
    return tuple({str(lang): words for lang, words in one.items()} for one in decision.reasons)


def criterion_fact(canary: Canary, criterion: Criterion, rule: Rule, looks: Sequence[LookFact]) -> CriterionFact:
    """A criterion as the report keeps it."""
    limit, worse = canary.limit_of(criterion), criterion.worse
    tolerance = ""
    if worse is not None:
        shown = f"{worse.difference or 0:g}{criterion.kind}" if criterion.promql else share_text(worse.difference)
        tolerance = f"x {worse.ratio:g}" if worse.ratio is not None else f"+ {shown}"
        tolerance += " of what is slower" if criterion.quantile else ""
    return CriterionFact(
        name=criterion.id,
        title={"en": criterion.title.en, "ko": criterion.title.ko},
        form="share" if criterion.ratio else "quantile" if criterion.quantile else "number",
        unit=criterion.kind,
        limit=limit.bounds[0] if limit else None,
        share=rule.share,
        floor=rule.floor,
        tolerance=tolerance,
        critical=rule.critical,
        weight=rule.weight,
        min_samples=rule.min_samples,
        questions=questions_of(canary, criterion),
        looks=tuple(looks),
    )
