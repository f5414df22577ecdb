"""What is asked of a criterion on each track: known from the profile alone."""

from opsproof.probes.metrics.promql import narrowed
from opsproof.profile.canary import Canary, Criterion, FailedShare, SlowShare


def counters_of(criterion: Criterion) -> dict[str, tuple[str, str]]:
    """Selector and suffix by what it gives, of one that counts; the one that must have samples is the last."""
    if isinstance(criterion.ratio, FailedShare):
        return {"failed": (criterion.ratio.of, ""), "all": (criterion.ratio.over, "")}
    assert isinstance(criterion.quantile, SlowShare)
    return {"buckets": (criterion.quantile.of, "_bucket")}


def question(canary: Canary, track: str, selector: str, suffix: str) -> str:
    """A selector as it is asked of a track; where replicas are scraped, with their targets."""
    if canary.scrape:
        targets = {str(name): found for name, found in canary.scrape.items()}.get(track, ())
        return f"{narrowed(selector, {}, suffix)} of {', '.join(targets)}"
    return narrowed(selector, canary.canary if track == "canary" else canary.baseline, suffix)


def questions_of(canary: Canary, criterion: Criterion) -> dict[str, str]:
    """All that is asked of a criterion, by what it gives."""
    tracks = ("canary", "baseline") if criterion.worse is not None else ("canary",)
    if criterion.promql:
        return {track: getattr(criterion.promql, track) for track in tracks}
    asked = counters_of(criterion)
    return {f"{track} {name}": question(canary, track, *asked[name]) for track in tracks for name in asked}
