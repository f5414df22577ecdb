"""Rehearsals in a run: asked for, planned, one after the other, and taken over in a replay."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import PATIENCE, PYPROJECT, Checkout, Finished

REPOSITORY = Path(__file__).parents[2]
GATE = ("--allow-writes", "embedded", "--expect-version", "1.0.0")
"""As tests/proof runs the gate under each fault: without -m."""

STEPS = """
import os
from pathlib import Path

import pytest
from opsproof import runbook, scenario, step

pytestmark = [pytest.mark.dr]
DONE = Path(os.environ["DONE"])


async def done(rehearsal, name):
    with DONE.open("a") as file:
        file.write(name + "\\n")
    await rehearsal.asking.ask(name, "by hand", lambda: name)


@scenario("region-loss")
class TestDemo:
    @step("declare")
    @runbook("DEMO-1", severity="SEV-1", next_step="Mend the demo.")
    async def test_it_begins(self, rehearsal):
        '''It begins.'''
        await done(rehearsal, "begins")

    @step("database", critical=True)
    @runbook("DEMO-1", severity="SEV-1", next_step="Mend the demo.")
    async def test_it_is_promoted(self, rehearsal):
        '''It is promoted.'''
        await done(rehearsal, "promoted")
        assert False, "pg_promote returned false"

    @step("service")
    @runbook("DEMO-1", severity="SEV-1", next_step="Mend the demo.")
    async def test_it_serves(self, rehearsal):
        '''It serves.'''
        await done(rehearsal, "serves")

    @step("failback", always=True)
    @runbook("DEMO-1", severity="SEV-1", next_step="Mend the demo.")
    async def test_nothing_is_left(self, rehearsal):
        '''Nothing is left.'''
        await done(rehearsal, "ends")
"""
SITES = """
rehearsals:
  scenarios:
    region-loss: {title: {en: Loss of the region, ko: 리전 장애}, rto: 4h, rpo: 30m}
  marker: {"SELECT name FROM environment": rehearsal}
  home: {database: "postgresql://admin@127.0.0.1:1/demo"}
  dr: {database: "postgresql://admin@127.0.0.1:2/demo"}
"""


def run_here(place: Path, *options: str) -> tuple[int, str]:
    """pytest on this repository's own checks, with a TMPDIR of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "GITHUB_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=REPOSITORY,
        env=environment | {"TMPDIR": str(place), "PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def demo(checkout: Checkout, tmp_path: Path) -> Checkout:
    """A rehearsal of four steps that touch nothing but a file."""
    checkout.write("pyproject.toml", PYPROJECT.replace('"daily:', '"dr: the rehearsal", "daily:'))
    checkout.write("checks/drill/test_drill.py", STEPS)
    checkout.profile(SITES)
    shutil.copytree(REPOSITORY / "reports" / "templates", checkout.root / "reports" / "templates")
    return checkout


def done_in(demo: Checkout) -> list[str]:
    path = demo.root / "done.txt"
    return path.read_text().splitlines() if path.exists() else []


def rehearsed(demo: Checkout, *options: str) -> Finished:
    return demo.run("-m", "dr", *options, env={"DONE": str(demo.root / "done.txt")})


def test_a_plan_is_told_and_nothing_is_touched(tmp_path: Path) -> None:
    """No stack, no site, no report: only words, and exit status 0."""
    place, reports = tmp_path / "tmp", tmp_path / "reports"
    place.mkdir()

    status, text = run_here(
        place, "-m", "dr", "--profile", "factory-ai/embedded", "--plan", f"--reports={reports}", "-k", "rehearsal"
    )

    assert status == 0, text
    for scenario in ("region-loss", "damaged-database", "polluted-data"):
        assert f"{scenario} on factory-ai/embedded" in text
    assert "touches nothing but clusters of its own" in text
    assert "(given up where it fails)" in text
    assert "nothing was touched" in text
    assert list(place.glob("opsproof-*")) == []
    assert not reports.exists()


def test_a_plan_of_a_real_environment_tells_what_would_be_touched(demo: Checkout) -> None:
    """It is read before --allow-writes is typed."""
    told = rehearsed(demo, "--plan")

    assert told.status == 0
    assert "touches 127.0.0.1:1/demo" in told.text
    assert "only if SELECT name FROM environment gives rehearsal" in told.text
    assert done_in(demo) == []


def test_a_plan_can_be_read_before_every_secret_is_there(demo: Checkout) -> None:
    """What is not set is asked for when something is to be asked; the plan asks nobody."""
    demo.profile(SITES.replace(": rehearsal}", ": '${NOT_SET_HERE}'}"))

    told, begun = rehearsed(demo, "--plan"), rehearsed(demo)

    assert told.status == 0
    assert "touches 127.0.0.1:1/demo" in told.text
    assert begun.status == 4
    assert "the variable NOT_SET_HERE is not set" in begun.text


def test_a_plan_without_a_step_of_a_rehearsal_is_refused(demo: Checkout) -> None:
    """An empty plan would be read as `nothing will happen`."""
    demo.checks("""
        @runbook()
        async def test_health(api):
            await api.get("/health")
        """)

    told = rehearsed(demo, "--plan", "-k", "health", "-m", "")

    assert told.status != 0
    assert "no step of a rehearsal is selected" in told.text


def test_steps_are_refused_in_several_processes(demo: Checkout) -> None:
    """They stand on each other; the words say what to leave out."""
    told = rehearsed(demo, "-n", "2", "--allow-writes", "local")

    assert told.status != 0
    assert "one after the other, in one process" in told.text
    assert "leave -n out" in told.text
    assert done_in(demo) == []


def test_without_a_mark_no_rehearsal_begins(demo: Checkout) -> None:
    """`pytest` alone breaks nothing."""
    told = demo.run("--allow-writes", "local", env={"DONE": str(demo.root / "done.txt")})

    assert done_in(demo) == []
    assert "4 deselected" in told.text
    assert "4 checks of backups, steps of rehearsals, a canary's criteria and a benchmark's gates" in told.text


def test_without_leave_to_write_nothing_is_executed(demo: Checkout) -> None:
    """And no step is green, or took zero seconds."""
    told = rehearsed(demo)

    assert done_in(demo) == []
    assert set(told.told.values()) == {"unknown: precondition missing"}
    assert "--allow-writes local" in told.text
    assert told.status != 0


def test_a_failed_critical_step_ends_it_and_a_replay_says_the_same_and_acts_not(demo: Checkout) -> None:
    """What was done in a rehearsal cannot be judged again; it stays as it was."""
    first = rehearsed(demo, "--allow-writes", "local")
    acted = done_in(demo)

    again = rehearsed(demo, f"--replay={first.folder}")

    assert acted == ["begins", "promoted", "ends"]
    assert first.told == {
        "drill.it_begins": "passed",
        "drill.it_is_promoted": "failed: target wrong",
        "drill.it_serves": "unknown: precondition missing",
        "drill.nothing_is_left": "passed",
    }
    assert done_in(demo) == acted
    assert again.told == first.told
    assert {name: one.message for name, one in again.outcomes.items()} == {
        name: one.message for name, one in first.outcomes.items()
    }
    assert again.status == first.status != 0
    assert again.run.rehearsals == first.run.rehearsals
    assert len(again.evidence) == len(first.evidence)
    assert again.agrees()


def test_a_replay_of_a_step_that_was_not_run_does_not_run_it(demo: Checkout) -> None:
    """More was selected than then."""
    first = rehearsed(demo, "--allow-writes", "local", "-k", "begins")

    again = rehearsed(demo, f"--replay={first.folder}")

    assert done_in(demo) == ["begins"]
    assert sorted(again.told.values()) == ["passed", *["unknown: precondition missing"] * 3]
    assert "a replay touches" in again.text


def test_gates_without_a_mark_leave_rehearsals_and_backups_of_the_stack_out(tmp_path: Path) -> None:
    """tests/proof runs them hundreds of times; none may start two sites, or break one."""
    _, text = run_here(tmp_path, "--co", "-q", *GATE)

    assert "checks/health/" in text
    assert "checks/rehearsal/" not in text
    assert "checks/backup/" not in text


@pytest.mark.parametrize("round_", ["smoke", "hourly", "recovery", "diagnosis"])
def test_no_round_rehearses_or_looks_at_sites_of_the_stack(round_: str, tmp_path: Path) -> None:
    """A round of every hour that makes two sites first is none."""
    _, text = run_here(tmp_path, "--co", "-q", *GATE, "-m", round_, "--profile", "factory-ai/embedded")

    assert "checks/" in text
    assert "checks/rehearsal/" not in text
    assert "checks/backup/" not in text


def test_a_fixture_of_a_checks_own_is_no_site(tmp_path: Path) -> None:
    """`stored` of checks/jobs is a table; the check that takes it belongs to every smoke run."""
    _, text = run_here(tmp_path, "--co", "-q", "-m", "smoke", "--profile", "evaluation/embedded")

    assert "test_synthetic_work_is_finished[" in text
