"""The benchmarks of this repository's profiles: the runbooks' limits, where there may be load, and how much."""

import csv

import pytest
from locustfile_runs import REPOSITORY

from opsproof.errors import ProfileError
from opsproof.profile import find_profiles, load_profile
from opsproof.profile.load import Load
from opsproof.stack.parts import ALL

PROFILES = find_profiles(["*/*"], REPOSITORY / "profiles")
LIMITS = {
    "ingest": {"mean": "<= 250 ms", "p95": "<= 400 ms", "errors": "< 1 %"},
    "evaluation": {"p95": "< 1 s", "errors": "< 1 %"},
    "factory-ai": {"p95": "< 2.5 s", "errors": "< 1 %"},
    "ops-assistant": {"p95": "< 500 ms", "errors": "< 1 %"},
    "storebridge": {"p95": "< 2 s", "errors": "< 1 %"},
}
"""Evaluation's are our own, and so is ingest's on errors: their runbooks give none."""


def _load(name: str, **variables: str) -> Load:
    found = load_profile(name, root=REPOSITORY / "profiles", variables=variables, missing="keep").load
    assert found is not None
    return found


@pytest.mark.parametrize("name", PROFILES)
def test_the_limits_are_the_runbooks(name):
    """An environment that is slower than its runbook says so by failing."""
    limits = {key: gate.limit.text for key, gate in _load(name).gates.items() if gate.limit}

    assert limits == LIMITS[name.partition("/")[0]] | {"rate": ">= 95 %"}


@pytest.mark.parametrize("system", ALL)
def test_every_row_that_a_gate_cites_exists(system):
    """An operator follows the id into the runbook."""
    with (REPOSITORY / "checks" / "runbooks" / f"{system}.csv").open(encoding="utf-8") as file:
        rows = {row["id"] for row in csv.DictReader(file)}

    assert [row for gate in _load(f"{system}/staging").gates.values() for row in gate.runbook if row not in rows] == []


@pytest.mark.parametrize("name", PROFILES)
def test_load_is_refused_where_people_could_be_hurt(name):
    """In a disaster the second site is production."""
    environment = name.partition("/")[2]

    assert bool(_load(name).refused(environment)) is (environment in ("production", "dr"))


@pytest.mark.parametrize("system", ALL)
def test_a_benchmark_takes_minutes_of_staging_and_seconds_of_a_stack(system):
    """Registrations of storebridge, one arrival of forty, stay below Naver's two calls a second."""
    staging, embedded = _load(f"{system}/staging"), _load(f"{system}/embedded")

    assert 120 <= staging.duration <= 600
    assert 10 <= embedded.duration <= 15
    assert max(staging.rate, embedded.rate) <= 50


def test_the_variables_of_the_runbook_set_the_limits():
    """Runbook 003 gives both to its script."""
    variables = {"BENCH_FAIL_THRESHOLD_MS": "300", "BENCH_FAIL_P95_THRESHOLD_MS": "700"}
    gates = _load("ingest/staging", **variables).gates

    assert [gates[key].limit.text for key in ("mean", "p95")] == ["<= 300 ms", "<= 700 ms"]


@pytest.mark.parametrize("value", ["fast", "0", "-1"])
def test_a_limit_that_is_none_is_refused(value):
    """A gate that nothing fails would be no gate."""
    with pytest.raises(ProfileError, match="limit"):
        _load("ingest/staging", BENCH_FAIL_P95_THRESHOLD_MS=value)
