"""Tracks and criteria of a profile, as the report keeps them."""

from collections.abc import Mapping, Sequence

from opsproof.canary.facts import CriterionFact, LookFact
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


def criterion_fact(
    profile: Profile, criterion: Criterion, rule: Rule, questions: Mapping[str, str], looks: Sequence[LookFact]
) -> CriterionFact:
    """A criterion as the report keeps it."""
    assert profile.canary is not None
    limit, worse = profile.canary.limit_of(criterion), criterion.worse
    tolerance = ""
    if worse is not None:
        shown = share_text(worse.difference) if criterion.ratio else f"{worse.difference or 0:g}{criterion.kind}"
        tolerance = f"x {worse.ratio:g}" if worse.ratio is not None else f"+ {shown}"
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
        questions=dict(questions),
        looks=tuple(looks),
    )
