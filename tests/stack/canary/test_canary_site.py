"""Two versions of the service, scraped, under traffic."""

from collections import Counter

import pytest
from canary_counting import Span

from opsproof.stack.ask import ask
from opsproof.stack.canary import SELECTED, Traffic
from opsproof.stack.process import wait_for


def test_two_versions_answer(site):
    """Each process says which one it is."""
    found = Counter()
    for track, pods in site.pods.items():
        for pod, service in pods.items():
            told = ask(f"{service.url}/version").json()
            assert told["instance"] == pod
            found[track, told["version"]] += 1

    assert found == {("stable", "1.0.0"): 2, ("canary", "1.1.0"): 1}


def test_prometheus_has_each_process_under_the_labels_of_its_pod(site):
    """Criteria select by track; pods are told apart by name."""
    found = {(one["metric"]["track"], one["metric"]["pod"]) for one in site.scraping.ask("up == 1")}

    assert found == {(track, pod) for track, pods in site.pods.items() for pod in pods}
    assert {one["metric"]["job"] for one in site.scraping.ask("up")} == {"judgment-service"}


def test_each_track_has_its_share_of_the_requests_and_no_error(site):
    """A third for the canary; four of five ask the model."""
    span = Span(site)
    canary, stable = span.wait(150), span["stable"]

    assert canary.requests / (canary.requests + stable.requests) == pytest.approx(1 / 3, abs=0.03)
    assert canary.llm_calls / canary.requests == pytest.approx(0.8, abs=0.05)
    assert (canary.errors, stable.errors, canary.parsing_failures, canary.slow) == (0, 0, 0, 0)


def test_the_weight_of_the_canary_can_be_changed(site):
    """As `helm upgrade --set canary.weight=10`."""
    site.send(Traffic(per_second=100, weight=0.1))
    span = Span(site)
    canary, stable = span.wait(50), span["stable"]

    assert canary.requests / (canary.requests + stable.requests) == pytest.approx(0.1, abs=0.03)


def test_prometheus_counts_what_the_process_has_counted(site):
    """And a bucket of the histogram has its edge at 2.5 s."""
    site.send(Traffic(per_second=0))

    def told(metric, more=""):
        found = site.scraping.ask(f'sum(last_over_time({metric}{{track="canary",{SELECTED}{more}}}[3s]))')
        return float(found[0]["value"][1]) if found else 0.0

    def own():
        return site.counted("canary").requests

    assert wait_for(lambda: told("http_requests_total") == own() > 0, 10, pause=0.2)
    assert told("http_request_duration_seconds_bucket", ',le="2.5"') == own() - site.counted("canary").slow


def test_a_profile_is_told_where_everything_is(site):
    """By the names that the profile of the canary has."""
    variables = site.variables

    for name in ("CANARY_METRICS_URL", "CANARY_STABLE_METRICS_URL_1", "CANARY_STABLE_METRICS_URL_2"):
        assert ask(variables[name]).status == 200
    assert len(variables["CANARY_STABLE_METRICS_URLS"].split(",")) == 2
    assert ask(f"{variables['CANARY_PROMETHEUS_URL']}/-/ready").status == 200
    assert ask(f"{variables['CANARY_URL']}/version").json()["version"] == variables["CANARY_VERSION"]
    assert ask(f"{variables['CANARY_STABLE_URL']}/version").json()["version"] == variables["CANARY_STABLE_VERSION"]
    listed = ask(
        f"{variables['CANARY_URL']}/api/v1/judgment/executions", headers={"X-API-Key": variables["CANARY_API_KEY"]}
    )
    assert listed.status == 200
