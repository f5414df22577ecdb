"""The alert rules of the runbooks, checked and tested by Prometheus' own tool."""

import csv
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import opsproof.stack.parts.prometheus as prometheus
from opsproof.probes.metrics.promql import selectors
from opsproof.profile import load_profile
from opsproof.profile.selectors import parsed_selector
from opsproof.stack.parts import ALL

RULES = Path(prometheus.__file__).parents[1] / "rules"
TESTS = Path(__file__).parent / "rules"
RUNBOOKS = Path(__file__).parents[2] / "checks" / "runbooks"
PROFILES = Path(__file__).parents[2] / "profiles"
ENVIRONMENTS = ["embedded", "staging", "production", "dr"]
OF_EXPORTERS = ("pg_", "node_", "kube_")
"""How metrics begin that the service does not export itself: these have a scrape job of their own."""


def promtool(*arguments, cwd=None):
    """The tool's exit status and what it said; it comes with Prometheus."""
    program = shutil.which("promtool")
    assert program, "promtool is not installed; next: apt-get install prometheus"
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("system", ALL)
def test_prometheus_takes_the_rules(system):
    """A file that cannot be read silences all its alerts."""
    status, said = promtool("check", "rules", RULES / f"{system}.yml")

    assert status == 0, said


@pytest.mark.parametrize("test", sorted(TESTS.glob("*.test.yml")), ids=lambda path: path.name)
def test_rules_fire_above_their_limits_and_not_at_them(test, tmp_path):
    """At the limit, just above it, and without traffic."""
    shutil.copy(test, tmp_path)
    shutil.copy(RULES / f"{test.name.removesuffix('.test.yml')}.yml", tmp_path)

    status, said = promtool("test", "rules", test.name, cwd=tmp_path)

    assert status == 0, said


@pytest.mark.parametrize("system", ALL)
def test_every_rule_names_its_system_priority_and_row(system):
    """Who is paged follows from the label; what to do, from the row."""
    rows = {row["id"] for row in csv.DictReader((RUNBOOKS / f"{system}.csv").open(encoding="utf-8"))}
    groups = yaml.safe_load((RULES / f"{system}.yml").read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]

    assert rules
    for rule in rules:
        assert rule["labels"]["system"] == system
        assert rule["labels"]["priority"] in ("P0", "P1", "P2", "none"), rule["alert"]
        assert rule["labels"]["runbook"] in rows, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "summary_ko"}


@pytest.mark.parametrize("system", ALL)
def test_every_rule_is_seen_to_fire_and_seen_to_keep_still(system):
    """A rule that has never fired is a decoration; one that always does is noise."""
    groups = yaml.safe_load((RULES / f"{system}.yml").read_text(encoding="utf-8"))["groups"]
    tests = yaml.safe_load((TESTS / f"{system}.test.yml").read_text(encoding="utf-8"))["tests"]
    asked = [(one["alertname"], bool(one.get("exp_alerts"))) for test in tests for one in test["alert_rule_test"]]

    rules = {rule["alert"] for group in groups for rule in group["rules"]}

    assert {name for name, fires in asked if fires} == rules
    assert {name for name, fires in asked if not fires} == rules


def rules_of(system):
    """The alert rules of a system."""
    groups = yaml.safe_load((RULES / f"{system}.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("system", ALL)
def test_rules_select_what_the_profile_selects(system, environment):
    """A rule that looks for another job than the indicators never fires, while they are red."""
    profile = load_profile(f"{system}/{environment}", root=PROFILES, variables={}, missing="keep")
    labels = dict(profile.targets["metrics"].labels)
    asked = [parsed_selector(one) for rule in rules_of(system) for one in selectors(rule["expr"])]

    assert labels
    assert profile.monitoring.jobs == (labels["job"],)
    for selector in asked:
        if not selector.name.startswith(OF_EXPORTERS):
            matched = {one.name: one.value for one in selector.matchers.matchers}
            assert {name: matched.get(name) for name in labels} == labels, selector.name


@pytest.mark.parametrize("system", ["storebridge", "evaluation"])
def test_every_rule_of_a_runbook_is_looked_for(system):
    """A rule that was not loaded, and that nobody looks for, is missed in the night when it should have fired."""
    profile = load_profile(f"{system}/production", root=PROFILES, variables={}, missing="keep")

    assert sorted(profile.monitoring.rules) == sorted(rule["alert"] for rule in rules_of(system))
