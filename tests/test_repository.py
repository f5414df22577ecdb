"""The repository keeps its own promises: rows, checks, profiles and pins belong together."""

import ast
import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from opsproof.profile import find_profiles, load_profile
from opsproof.report.records.kinds import KINDS
from opsproof.report.records.kinds import ROWS as RECORDED

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "proof"))

from proof_gate import CHECKS, INDICATORS  # noqa: E402 - the folder is no package

ROWS = {
    row["id"]: row
    for path in sorted((REPOSITORY / "checks" / "runbooks").glob("*.csv"))
    for row in csv.DictReader(path.open(encoding="utf-8"))
}
UNCOVERED = yaml.safe_load((REPOSITORY / "checks" / "runbooks" / "uncovered.yaml").read_text(encoding="utf-8"))
"""Why a row of these rounds has no check, by its id."""

ONLY_FOR_TESTS = (
    *("apprise", "flask", "gunicorn", "holidays", "hypothesis", "jinja2", "jsonschema", "linkify_it"),
    *("locust", "markdown_it", "trustme"),
)
"""Packages of the extra `dev` that neither the gate nor the stack imports."""
ROUNDS = ("smoke", "hourly", "alert")
REHEARSED = ("factory-ai", "storebridge")
"""Systems whose runbook says what to do in a disaster."""
RECOVERED = ("evaluation", "factory-ai", "ingest", "ops-assistant", "storebridge")
"""Systems whose rows of the recovery are all looked at in one, or say why not."""
PROFILES = find_profiles(["*/*"], REPOSITORY / "profiles")
WITHOUT_A_STACK = [
    load_profile("storebridge/production", root=REPOSITORY / "profiles", variables={}, missing="keep").indicators[
        "disk"
    ]
]
"""Indicators that production has and the embedded stack cannot have; promtool computes them in tests/stack."""


def test_the_index_is_whole():
    """504 statements of five runbooks; one that is lost can never be covered."""
    assert len(ROWS) == 504


@pytest.mark.parametrize("name", CHECKS)
def test_every_row_that_a_check_cites_exists(name):
    """An operator follows the id into the runbook."""
    assert [row for row in CHECKS[name].rows if row not in ROWS] == []


@pytest.mark.parametrize(("name", "system"), INDICATORS)
def test_every_row_that_an_indicator_cites_exists(name, system):
    """As for a check."""
    assert [row for row in INDICATORS[name, system].rows if row not in ROWS] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_that_a_record_covers_exists(kind):
    """As for a check."""
    assert [row for row in KINDS[kind].rows if row not in ROWS] == []


@pytest.mark.parametrize("round_", ROUNDS)
def test_every_row_of_a_round_is_looked_at_in_that_round_or_says_why_not(round_):
    """
    The gate covers what its runbooks call smoke, hourly or an alert; the rest is told, row by row.

    A step of a rehearsal is done in a rehearsal, load is sent by `-m load`, both in no round: somebody asks for it.
    """
    checks = [(check.rows, check.markers) for check in (*CHECKS.values(), *INDICATORS.values())]
    checks += [(one.runbook, one.markers) for one in WITHOUT_A_STACK]
    covered = {row for rows, markers in checks if round_ in markers for row in rows} | RECORDED
    covered |= {row for check in CHECKS.values() if check.step for row in check.rows if ROWS[row]["kind"] == "step"}
    loads = [check for check in CHECKS.values() if "load" in check.markers]
    covered |= {row for check in loads for row in check.rows if ROWS[row]["kind"] == "load"}
    rows = {id_ for id_, row in ROWS.items() if round_ in row["markers"].split()}

    assert sorted(rows - covered - set(UNCOVERED)) == []


@pytest.mark.parametrize("system", RECOVERED)
def test_every_row_of_a_recovery_that_can_be_looked_at_is_or_says_why_not(system):
    """`pytest -m recovery` is the checklist; a row that it leaves out is known before the night, not in it."""
    path = REPOSITORY / "checks" / "runbooks" / f"{system}.csv"
    rows = {row["id"]: row for row in csv.DictReader(path.open(encoding="utf-8"))}
    wanted = {
        id_
        for id_, row in rows.items()
        if "recovery" in row["markers"].split() and row["kind"] in ("check", "indicator")
    }
    covered = {
        row for check in (*CHECKS.values(), *INDICATORS.values()) if "recovery" in check.markers for row in check.rows
    }

    assert sorted(wanted - covered - RECORDED - set(UNCOVERED)) == []


@pytest.mark.parametrize("system", REHEARSED)
def test_every_row_of_a_disaster_is_looked_at_or_says_why_not(system):
    """`pytest -m dr` is the rehearsal; what it leaves out is known before the disaster."""
    path = REPOSITORY / "checks" / "runbooks" / f"{system}.csv"
    rows = csv.DictReader(path.open(encoding="utf-8"))
    wanted = {row["id"] for row in rows if "dr" in row["markers"].split()}
    checks = (*CHECKS.values(), *INDICATORS.values())
    covered = {row for check in checks if "dr" in check.markers for row in check.rows} | RECORDED

    assert wanted
    assert sorted(wanted - covered - set(UNCOVERED)) == []


def test_only_rows_without_a_check_say_why_they_have_none():
    """An excuse that is older than the check or the record would be read as a gap."""
    covered = {row for check in (*CHECKS.values(), *INDICATORS.values()) for row in check.rows} | RECORDED

    assert sorted(covered & set(UNCOVERED)) == []
    assert sorted(set(UNCOVERED) - set(ROWS)) == []
    assert [row for row, reason in UNCOVERED.items() if not isinstance(reason, str) or len(reason) < 15] == []


@pytest.mark.parametrize("name", PROFILES)
def test_people_are_asked_what_the_runbook_says_and_when(name):
    """A question that no runbook has makes a recovery wait for nothing; a stack of ours has no people."""
    profile = load_profile(name, root=REPOSITORY / "profiles", variables={}, missing="keep")
    asked = [(key, row, set(item.markers)) for key, item in profile.attested.items() for row in item.runbook]

    assert bool(asked) is (profile.environment != "embedded")
    assert [(key, row) for key, row, _ in asked if row not in ROWS] == []
    assert [(key, row) for key, row, markers in asked if not markers <= set(ROWS[row]["markers"].split())] == []


@pytest.mark.parametrize("system", ["evaluation", "storebridge", "factory-ai", "ops-assistant"])
def test_every_sign_of_a_scenario_is_looked_at_in_a_diagnosis(system):
    """`pytest -m diagnosis` measures all that it judges by."""
    profile = load_profile(f"{system}/embedded", root=REPOSITORY / "profiles", variables={}, missing="keep")
    signs = {sign.check for scenario in profile.scenarios.values() for sign in scenario.signs}
    checks = {name: INDICATORS.get((name, system)) or CHECKS.get(name) for name in signs}

    assert signs
    assert [name for name, check in checks.items() if check is None or "diagnosis" not in check.markers] == []


@pytest.mark.parametrize("path", sorted((REPOSITORY / "checks").rglob("test_*.py")), ids=lambda path: path.stem)
def test_checks_import_only_the_public_names(path):
    """A check that reaches into a probe's module breaks when the probe is reshaped."""
    modules = [
        node.module
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("opsproof")
    ]

    assert set(modules) <= {"opsproof"}


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_valid_without_its_variables(name):
    """A profile that nobody can load is found here, not in the night of the deploy."""
    profile = load_profile(name, root=REPOSITORY / "profiles", variables={}, missing="keep")

    assert profile.name == name
    assert profile.policy.writes is False or profile.environment in ("embedded", "staging")


def test_pins_name_versions_and_no_addresses():
    """A download address in a pin ties everybody to one registry."""
    lines = (REPOSITORY / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()

    assert lines
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.+!-]+", line)] == []


def test_the_gate_needs_nothing_that_only_tests_have():
    """`make smoke` installs no test library; pytest reads tests/conftest.py before it runs a check all the same."""
    without = f"""
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ONLY_FOR_TESTS!r}:
            raise ModuleNotFoundError(f"only the tests have {{name}}", name=name)
sys.meta_path.insert(0, Without())
import pytest
sys.exit(pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "-m", "smoke", "--allow-writes", "embedded"]))
"""
    done = subprocess.run([sys.executable, "-c", without], cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_tests_are_not_patched():
    """Locust patches threads and sockets of the process that loads it, and of every other test in it."""
    from gevent import monkey

    assert not monkey.is_module_patched("socket")
