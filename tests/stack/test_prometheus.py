"""Prometheus and Alertmanager belong to the stack; where a machine has none, the stack says so and does without."""

from urllib.parse import quote

import pytest

from opsproof.errors import StackError
from opsproof.stack import Stack
from opsproof.stack.ask import ask
from opsproof.stack.faults import FAULTS, heal, inject, injected
from opsproof.stack.faults.alerts import ALERT


@pytest.fixture(scope="module")
def stack():
    with Stack.start(["ingest", "factory-ai"]) as running:
        yield running


def samples(stack, promql):
    """What Prometheus answers: labels and value."""
    answer = ask(f"{stack.variables['PROMETHEUS_URL']}/api/v1/query?query={quote(promql)}").json()
    return [(found["metric"], float(found["value"][1])) for found in answer["data"]["result"]]


def alerts(stack):
    """The drill's alerts: state and silences by system."""
    answer = ask(f'{stack.variables["ALERTMANAGER_URL"]}/api/v2/alerts?filter=alertname="{ALERT}"').json()
    return {one["labels"]["system"]: (one["status"]["state"], len(one["status"]["silencedBy"])) for one in answer}


def test_a_ready_stack_has_numbers_of_every_api(stack):
    """The first indicator is asked the moment the stack is ready."""
    up = samples(stack, "up")

    assert {(labels["job"], labels["system"]): value for labels, value in up} == {
        ("ingest-api", "ingest"): 1,
        ("factory-ai-api", "factory-ai"): 1,
    }
    visits = samples(stack, 'sum by (system) (http_requests_total{path!="/metrics"})')
    assert {labels["system"] for labels, value in visits if value > 0} == {"ingest", "factory-ai"}


def test_nothing_that_the_start_of_the_stack_asked_counts_as_an_error(stack):
    """A gate right after the start would be red for nothing."""
    assert samples(stack, 'http_requests_total{status=~"5.."}') == []


def test_prometheus_sends_its_alerts_to_alertmanager(stack):
    """Rules that fire into nothing are not seen by anybody."""
    answer = ask(f"{stack.variables['PROMETHEUS_URL']}/api/v1/alertmanagers").json()

    (known,) = answer["data"]["activeAlertmanagers"]
    assert known["url"].startswith(stack.variables["ALERTMANAGER_URL"])


def test_profiles_are_told_where_the_numbers_are(stack):
    """They refer to these variables; a name with a hyphen is written with an underscore."""
    variables = stack.variables
    assert {name: value for name, value in variables.items() if "_METRICS_" in name or "ABSENT" in name} == {
        "INGEST_EDGE_ABSENT": "",
        "INGEST_METRICS_KIND": "prometheus",
        "INGEST_METRICS_URL": variables["PROMETHEUS_URL"],
        "FACTORY_AI_METRICS_KIND": "prometheus",
        "FACTORY_AI_METRICS_URL": variables["PROMETHEUS_URL"],
        "ALERTS_ABSENT": "",
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("alert-firing", ("active", 0), id="firing"),
        pytest.param("alert-silenced", ("suppressed", 1), id="silenced"),
    ],
)
def test_an_alert_of_a_fault_is_told_by_alertmanager_and_gone_when_healed(stack, name, expected):
    """An alert that stays would turn the next check red; a silence that stays would hide the next alert."""
    with injected(FAULTS[name], stack):
        assert alerts(stack) == dict.fromkeys(("ingest", "factory-ai"), expected)

    assert alerts(stack) == {}
    silences = ask(f"{stack.variables['ALERTMANAGER_URL']}/api/v2/silences").json()
    assert {silence["status"]["state"] for silence in silences} <= {"expired"}


def test_an_alert_is_healed_also_where_alertmanager_was_restarted_meanwhile(stack):
    """It has forgotten the alert, and not the silence."""
    inject(FAULTS["alert-silenced"], stack)
    with injected(FAULTS["alertmanager-stopped"], stack):
        pass

    heal(FAULTS["alert-silenced"], stack)

    assert alerts(stack) == {}


def test_an_empty_store_answers_and_knows_nothing(stack):
    """The trap: no error anywhere, and every query is empty."""
    with injected(FAULTS["prometheus-empty"], stack):
        assert ask(f"{stack.variables['PROMETHEUS_URL']}/-/ready").status == 200
        assert samples(stack, '{system!=""}') == []

    assert {value for _, value in samples(stack, "up")} == {1}


@pytest.mark.parametrize("name", ["scrape-down", "metrics-stale"])
def test_what_cannot_be_scraped_has_no_samples_any_more(stack, name):
    """The numbers of before must not be taken for those of now."""
    with injected(FAULTS[name], stack):
        assert {value for _, value in samples(stack, "up")} == {0}
        assert samples(stack, "http_requests_total") == []


def test_a_machine_without_them_has_a_stack_that_says_so(place, monkeypatch):
    """Nobody needs root for a first look; what is skipped then has its reason."""
    monkeypatch.setenv("PATH", str(place))
    lines = []

    with Stack.start(["ingest"], progress=lines.append) as stack:
        variables = stack.variables
        assert stack.missing() == {}
        assert {part.name for part in stack.parts()} == {"postgres", "valkey", "loki", "ingest-api", "ingest-edge"}
        with pytest.raises(StackError, match="needs the part prometheus"):
            inject(FAULTS["prometheus-stopped"], stack)
        assert stack.state.faults == {}

    how = "is not installed on this machine; next: apt-get install prometheus"
    assert f"prometheus is left out: Prometheus {how}" in lines
    assert f"alertmanager is left out: Alertmanager {how}-alertmanager" in lines
    assert "PROMETHEUS_URL" not in variables
    assert variables["INGEST_METRICS_KIND"] == "scrape"
    assert variables["INGEST_METRICS_URL"] == f"{variables['INGEST_URL']}/metrics"
    assert variables["ALERTMANAGER_URL"] == "http://127.0.0.1:9"
    assert variables["ALERTS_ABSENT"] == f"Alertmanager {how}-alertmanager"
