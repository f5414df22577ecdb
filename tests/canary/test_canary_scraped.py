"""Without a Prometheus: the replicas' own metrics are read at every look, and judged the same way."""

import asyncio
import os

import pytest
from canary_watched import PROFILES

from opsproof.canary.sources import ScrapeSource
from opsproof.canary.watch import CanaryWatch
from opsproof.evidence.observer import Observer
from opsproof.evidence.redaction import Redactor
from opsproof.probes.metrics.scrape import ScrapeProbe
from opsproof.profile.canary import Canary
from opsproof.profile.loading import load_profile
from opsproof.profile.targets import ScrapeTarget
from opsproof.stack.canary import CanarySite
from opsproof.stack.clusters import Grounds


@pytest.fixture(scope="module")
def site():
    with Grounds() as grounds, CanarySite(grounds) as made:
        yield made


def watched(site, **changes):
    """A short watch, one replica of the canary and two of the baseline."""
    urls = {"canary": [site.variables["CANARY_METRICS_URL"]]}
    urls["baseline"] = site.variables["CANARY_STABLE_METRICS_URLS"].split(",")
    profile = load_profile("factory-ai/embedded", root=PROFILES, variables=os.environ, missing="keep")
    names = {track: [f"{track}{n}" for n, _ in enumerate(its)] for track, its in urls.items()}
    said = profile.canary.model_dump(mode="json", exclude_none=True) | {"scrape": names, "interval": "2s"}
    canary = Canary.model_validate(said | {"duration": "20s", "begin_within": "6s"} | changes)
    canary.take_success_criteria(profile.canary_success_criteria)
    profile = profile.model_copy(update={"canary": canary})
    probes = {track: [probe(name, url) for name, url in zip(names[track], urls[track], strict=True)] for track in urls}
    flat = [one for its in probes.values() for one in its]

    def sweep():
        for one in flat:
            one.observer.new_sweep()

    watch = CanaryWatch(profile, ScrapeSource(probes), lambda _: None, sweep, "en")

    async def run():
        await watch.run()
        for one in flat:
            await one.close()

    asyncio.run(run())
    return watch.fact()


def probe(name, url):
    target = ScrapeTarget.model_validate({"kind": "scrape", "url": url, "timeout": "5s"})
    redactor = Redactor()
    observer = Observer(
        profile="demo", target=name, address=target.address, redactor=redactor, timeout=5.0, concurrency=1
    )
    return ScrapeProbe(name, target, observer)


def test_a_sound_canary_is_counted_on_both_tracks(site):
    """Too short for "< 0.5 %" of the model's calls; the errors are decided."""
    fact = watched(site)
    errors = fact.criterion("error-rate").last

    assert fact.ending == "watched", fact.refused
    assert errors.answer == "promote", errors.reason
    assert errors.canary.total > 299
    assert errors.baseline.total > 299
    assert fact.tracks["baseline"] == "baseline0, baseline1"


def test_a_canary_with_errors_is_rolled_back(site):
    """Without waiting for the end."""
    site.fail("canary", 0.2)
    try:
        fact = watched(site)
    finally:
        site.restore()

    assert fact.answer == "rollback", fact.reasons
    assert fact.ending == "early"


def test_a_canary_that_does_not_answer_is_not_promoted(site):
    """Its metrics are refused from the begin."""
    site.close_exporter("canary")
    try:
        fact = watched(site)
    finally:
        site.restore()

    assert fact.answer == "inconclusive"
    assert fact.refused
