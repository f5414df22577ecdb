"""A rehearsal in an environment that is not opsproof's own: two real sites, changed by commands alone."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

from opsproof.judge.outcome import Status
from opsproof.report.folder import read_run
from opsproof.stack.clusters import Grounds
from opsproof.stack.site import EmbeddedSite

REPOSITORY = Path(__file__).parents[3]
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
OTHERS_DO = ("break", "declare", "promote", "activate", "switch-dns", "attach-standby", "back-up")
NOT_HERE = ("rewind", "switch-back")
COMMAND = """#!/bin/sh
rm -f {asked}/$1.done
touch {asked}/$1
until [ -e {asked}/$1.done ]; do sleep 0.1; done
"""


class Held:
    """The sites, and somebody who does what a command asks for."""

    def __init__(self, site: EmbeddedSite, folder: Path) -> None:
        self._site = site
        self._asked = folder / "asked"
        self._asked.mkdir()
        self.command = folder / "do.sh"
        self.command.write_text(COMMAND.format(asked=self._asked))
        self.command.chmod(0o755)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._act)

    def __enter__(self) -> "Held":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._thread.join()

    def _act(self) -> None:
        site = self._site
        does = {
            "break": site.break_home,
            "declare": lambda: None,
            "promote": lambda: site.dr.sql("SELECT pg_promote()"),
            "activate": self._activate,
            "switch-dns": lambda: site.switch_dns("dr"),
            "attach-standby": lambda: site.attach_standby(site.dr, "second"),
            "back-up": lambda: site.back_up(site.dr),
        }
        while not self._over.wait(0.05):
            for asked in [path for path in self._asked.iterdir() if not path.suffix]:
                does[asked.name]()
                asked.unlink()
                asked.with_suffix(".done").touch()

    def _activate(self) -> None:
        self._site.serve_from(self._site.dr)
        self._site.activate("dr")


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """A run that was not allowed to write, one of a region's loss, and our tables on the new primary afterwards."""
    folder = tmp_path_factory.mktemp("drill")
    for name in ("checks", "profiles", "reports/templates"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, folder)
    with Grounds() as grounds, EmbeddedSite(grounds) as site:
        site.beat()
        site.back_up()
        for _ in range(3):
            site.beat()
            time.sleep(0.1)
        with Held(site, folder) as held:
            drill(folder, held.command)
            refused = run(folder, site)
            done = run(folder, site, "--allow-writes=drill")
            names = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'opsproof%'"
            return refused, done, {name for (name,) in site.dr.sql(names, database="factory-ai")}


def drill(folder: Path, command: Path) -> None:
    """The profile of the sites, as an environment that opsproof did not make."""
    profile = yaml.safe_load((folder / "profiles/factory-ai/embedded.yaml").read_text())
    profile |= dict.fromkeys(("indicators", "attested", "health", "monitoring", "scenarios")) | {"environment": "drill"}
    profile["targets"] = {name: one for name, one in profile["targets"].items() if name.startswith("rehearsal")}
    does = {action: [str(command), action] for action in OTHERS_DO} | {action: ["false"] for action in NOT_HERE}
    profile["rehearsals"]["commands"] = does | {"clean-up": ["true"]}
    (folder / "profiles/factory-ai/drill.yaml").write_text(yaml.safe_dump(profile, allow_unicode=True))


def run(folder: Path, site: EmbeddedSite, *options: str):
    """Rehearse; the run and what the terminal showed."""
    done = subprocess.run(
        [*PYTEST, "-m", "dr", "-k", "region_loss", "--profile=factory-ai/drill", "--reports=runs", *options],
        cwd=folder,
        env={**os.environ, **site.variables, "PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert "VERDICT" in done.stdout, done.stdout + done.stderr
    return read_run(folder / "runs/latest"), done.stdout


def test_nothing_is_touched_before_the_operator_allows_it(rehearsed):
    """A forgotten option must not break an environment, and a rehearsal that was not executed is none."""
    (refused, shown), _, _ = rehearsed

    assert {outcome.status for outcome in refused.outcomes} == {Status.UNKNOWN}
    assert "--allow-writes drill" in shown
    assert refused.rehearsals == ()


def test_a_failover_by_the_profiles_own_commands_is_verified_from_failure_to_protection(rehearsed):
    """opsproof did nothing itself; what it says rests on what it asked."""
    _, (run, shown), _ = rehearsed
    told = {outcome.name.rpartition(".")[2]: outcome for outcome in run.outcomes}
    (fact,) = run.rehearsals

    unproven = {name for name, outcome in told.items() if outcome.status is not Status.PASSED}
    assert unproven == {
        "what_only_the_old_primary_has_is_exported",
        "the_old_primary_follows",
        "the_home_site_serves_again",
    }, shown
    assert {step.by for step in fact.steps} == {"command", ""}
    assert [objective.proof for objective in fact.objectives] == ["proven", "proven"]
    assert fact.moments.t5 is not None
    assert fact.moments.t6 is None


def test_the_tables_of_a_rehearsal_are_taken_back(rehearsed):
    """The ledger's, too; the heartbeat's is the environment's own."""
    _, _, left = rehearsed

    assert left == {"opsproof_environment", "opsproof_heartbeat"}


def test_a_command_that_fails_is_told_with_its_status(rehearsed):
    """Somebody must mend the command, and not the database."""
    _, (run, _), _ = rehearsed
    told = {outcome.name.rpartition(".")[2]: outcome.message for outcome in run.outcomes}

    assert "ended with status 1" in told["the_old_primary_follows"]


def test_no_secret_of_the_environment_is_written_down(rehearsed, tmp_path_factory):
    """The ledger, the journal and the report lie outside of the grounds, for good."""
    folder = next(tmp_path_factory.getbasetemp().glob("drill*"))
    written = [path for path in (folder / "runs").rglob("*") if path.is_file()]
    _, (run, _), _ = rehearsed

    assert any(path.suffix == ".jsonl" for path in written)
    words = [word for path in written for word in path.read_text(errors="replace").split()]
    assert [word for word in words if "postgresql://" in word and "@" in word and "***" not in word] == []
    assert run.id
