"""Watch the canary of an embedded site, as a run does, with nothing between."""

import asyncio
import os
from pathlib import Path

from opsproof.canary.sources import PrometheusSource
from opsproof.canary.watch import CanaryWatch
from opsproof.evidence.observer import Observer
from opsproof.evidence.redaction import Redactor
from opsproof.probes.metrics.prometheus import PrometheusProbe
from opsproof.profile.loading import load_profile

PROFILES = Path(__file__).parents[2] / "profiles"


def profile_of(site, **changes):
    """The embedded profile, with the addresses of a site, and its canary changed."""
    profile = load_profile(
        "factory-ai/embedded", root=PROFILES, variables={**os.environ, **site.variables}, missing="keep"
    )
    limits = changes.pop("limits", profile.canary_success_criteria)
    canary = profile.canary.model_copy(update=changes)
    canary.take_success_criteria(limits)
    return profile.model_copy(update={"canary": canary})


def watch_of(site, say=lambda _: None, **changes):
    """A watch that has not begun."""
    profile = profile_of(site, **changes)
    target = profile.targets[profile.canary.target]
    observer = Observer(
        profile=profile.name,
        target=profile.canary.target,
        address=target.address,
        redactor=Redactor(),
        timeout=target.timeout,
        concurrency=4,
    )
    probe = PrometheusProbe(profile.canary.target, target, observer)
    watch = CanaryWatch(profile, PrometheusSource(probe, profile.canary), say, observer.new_sweep, "en")

    async def run():
        try:
            await watch.run()
        finally:
            await probe.close()

    return watch, lambda: asyncio.run(run())
