"""Each fault does what it says, as the counters show it."""

import time

import pytest
from canary_counting import Span, played

from opsproof.stack.ask import ask
from opsproof.stack.canary import SELECTED
from opsproof.stack.canary.faults import FAULTS
from opsproof.stack.process import wait_for

_BY_NAME = {fault.name: fault for fault in FAULTS}
_COVERED = {"none"}


def _fault(name):
    _COVERED.add(name)
    return _BY_NAME[name]


def _sum(site, promql):
    """The value of the only series; None if there is none."""
    found = site.scraping.ask(promql)
    return float(found[0]["value"][1]) if len(found) == 1 else None


@pytest.mark.parametrize("percent", [2, 3, 5])
def test_errors(site, percent):
    """So many of the canary's answers, to one request, and none of the others'."""
    with played(_fault(f"errors-{percent}"), site, 60) as span:
        seen = span.wait(110)

    assert seen.errors == pytest.approx(seen.requests * percent / 100, abs=1.5)
    assert span["stable"].errors == 0


@pytest.mark.parametrize("name", ["errors-2-few", "errors-3-few", "errors-5-few", "errors-50-few"])
def test_few_requests(name):
    """The canary has a tenth of the traffic, 30 requests a minute."""
    traffic = _fault(name).traffic

    assert (traffic.rate("canary"), traffic.rate("stable")) == pytest.approx((0.5, 4.5))


def test_few_requests_half_of_which_fail(site):
    """Every other one, and none of the stable track's."""
    with played(_fault("errors-50-few"), site, 60) as span:
        seen = span.wait(4)
        stable = span["stable"]

    assert seen.errors == pytest.approx(seen.requests / 2, abs=0.5)
    assert stable.requests >= 20
    assert stable.errors == 0


def test_no_traffic(site):
    """Not one request reaches the canary; the stable track goes on."""
    with played(_fault("no-traffic"), site, 60) as span:
        assert span.wait(100, "stable").requests
        assert span["canary"].requests == 0


def test_only_cached_answers(site):
    """Requests come, and none of them asks the model, which would answer nonsense."""
    with played(_fault("cached-only"), site, 60) as span:
        seen = span.wait(100)

        assert (seen.errors, seen.llm_calls, seen.parsing_failures) == (0, 0, 0)
        site.send(_BY_NAME["none"].traffic)
        assert wait_for(lambda: span["canary"].parsing_failures > 0, 10, pause=0.1)


@pytest.mark.parametrize("name", ["errors-born-late", "errors-first"])
def test_errors_that_come_all_at_once(site, name):
    """In the middle or at the begin; the rest of the watch has none."""
    fault = _fault(name)
    begin, end = (step.at for step in fault.steps)
    with played(fault, site, 10) as span:
        if begin:
            assert span.wait(60).errors == 0
        assert wait_for(lambda: span["canary"].errors > 0, 20, pause=0.1)
        at_first = span.wait(int(25 * 10 * end) + 40)
        later = span.wait(int(at_first.requests) + 40)

    assert later.errors == at_first.errors == pytest.approx(25 * 10 * (end - begin), abs=6)


@pytest.mark.parametrize(("name", "share"), [("slow-6", 0.06), ("slow-10", 0.1), ("slow-6-busy", 0.06)])
def test_slow_answers_hold_up_nobody(site, name, share):
    """Requests come as often as ever; so many of them take three seconds."""
    fault = _fault(name)
    site.send(fault.traffic)
    with played(fault, site, 60) as span:
        seen = span.wait(800 if "busy" in name else 120)
        stable = span["stable"]

    assert seen.slow == pytest.approx(seen.requests * share, abs=3 + seen.requests * 0.01)
    rates = fault.traffic.rate("canary") / fault.traffic.rate("stable")
    assert seen.requests / stable.requests == pytest.approx(rates, rel=0.15)


@pytest.mark.parametrize(("name", "share"), [("parsing-0.6", 0.006), ("parsing-3", 0.03)])
def test_answers_of_the_model_that_cannot_be_parsed(site, name, share):
    """Users get an answer all the same: the model is asked again."""
    with played(_fault(name), site, 60) as span:
        seen = span.wait(250 if share < 0.01 else 100)

    assert seen.parsing_failures == pytest.approx(seen.llm_calls * share, abs=1.5)
    assert seen.errors == 0


def test_a_metric_with_another_name(site):
    """Neither /metrics nor Prometheus has the one that is asked for."""
    with played(_fault("metric-misnamed"), site, 60):
        text = ask(site.variables["CANARY_METRICS_URL"]).body
        assert b"http_requests_total" not in text
        assert b"\nhttp_request_total{" in text
        assert wait_for(lambda: not site.scraping.ask('http_requests_total{track="canary"}'), 10, pause=0.2)


@pytest.mark.parametrize(
    ("name", "tracks"),
    [("labels-canary", {"canary": 3}), ("labels-stable", {"stable": 3}), ("labels-none", {None: 3})],
)
def test_labels_that_tell_nothing(site, name, tracks):
    """Pods by the label of their track."""
    with played(_fault(name), site, 60):
        found = [one["metric"].get("track") for one in site.scraping.ask("up")]
        assert {track: found.count(track) for track in found} == tracks

    found = [one["metric"].get("track") for one in site.scraping.ask("up")]
    assert sorted(found) == ["canary", "stable", "stable"]


@pytest.mark.parametrize("name", ["prometheus-restarted", "prometheus-restarted-errors"])
def test_prometheus_restarted(site, name):
    """What it has stored is there afterwards, with a hole; the canary noticed nothing."""
    fault = _fault(name)
    before, at = site.scraping.process, time.time()
    with played(fault, site, 6) as span:
        assert wait_for(lambda: site.scraping.process not in (None, before), 20, pause=0.1)
        assert wait_for(site.scraping.scrapes, 20, pause=0.2)
        seen = span.wait(100)
        kept = site.scraping.ask(f'http_requests_total{{track="canary",{SELECTED}}} @ {at:.3f}')

    assert kept
    assert seen.errors == pytest.approx(seen.requests * fault.shares.errors, abs=1.5)


def test_the_target_goes_down_in_the_middle(site):
    """Prometheus cannot scrape the canary any more, which serves its users on."""
    with played(_fault("target-down"), site, 6):
        assert wait_for(lambda: _sum(site, 'up{track="canary"}') == 0, 15, pause=0.2)
        assert ask(site.variables["CANARY_METRICS_URL"]).status == 503
        assert ask(f"{site.variables['CANARY_URL']}/health/ready").status == 200
        assert site.scraping.ask('http_requests_total{track="canary"}') == []


def test_both_tracks_are_sick(site):
    """The same share of errors on each."""
    with played(_fault("baseline-sick"), site, 60) as span:
        seen = span.wait(200)
        stable = span["stable"]

    assert seen.errors / seen.requests == pytest.approx(0.05, abs=0.01)
    assert stable.errors / stable.requests == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("name", ["canary-restarted", "canary-restarted-errors"])
def test_the_canary_restarted(site, name):
    """Its counters begin again under the same labels; no request of a user sees it."""
    fault = _fault(name)
    before = site.counted("canary").requests
    labels = set(site.pods["canary"])
    with played(fault, site, 2):
        assert wait_for(lambda: 0 < site.counted("canary").requests < before, 20, pause=0.1)
        seen = Span(site).wait(100)

    assert set(site.pods["canary"]) == labels
    assert seen.errors == pytest.approx(seen.requests * fault.shares.errors, abs=1.5)


def test_the_canary_in_a_new_pod(site):
    """Another name, another address; Prometheus finds it, and the old series end."""
    (before,) = site.pods["canary"]
    with played(_fault("canary-new-pod"), site, 2):
        assert wait_for(lambda: {*site.pods["canary"]} - {before} and before not in site.pods["canary"], 20, pause=0.1)
        (after,) = site.pods["canary"]
        assert wait_for(lambda: _sum(site, f'up{{track="canary",pod="{after}"}}') == 1, 20, pause=0.2)
        assert Span(site).wait(50).errors == 0
        assert site.scraping.ask(f'up{{pod="{before}"}}') == []


def test_traffic_stops_half_way(site):
    """Requests in the first half, none in the second."""
    with played(_fault("traffic-stops"), site, 8) as span:
        span.wait(40)
        assert wait_for(lambda: site.traffic.rate("canary") == 0, 10, pause=0.1)
        Span(site).wait(50, "stable")
        late = Span(site)
        assert late.wait(50, "stable").requests
        assert late["canary"].requests == 0


def test_a_step_that_fails_is_told(site, monkeypatch):
    """Not that nothing happened."""
    monkeypatch.setattr(site, "close_exporter", lambda track: 1 / 0)
    fault = _fault("target-down")

    with pytest.raises(ZeroDivisionError), fault.played(site, 0.01):
        Span(site).wait(10)


def test_every_fault_was_put_in():
    """A new one has a test; runs after all others of this module."""
    if len(_COVERED) > 10:  # the whole module was run
        assert set(_BY_NAME) == _COVERED
