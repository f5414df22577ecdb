"""`.ci/setup` brings what the embedded stack takes from the system, without starting it, or says what is missing."""

import os
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parent.parent / ".ci" / "setup"
PROGRAMS = ("sh", "dirname", "rm", "chmod", "cat")
APT = """#!/bin/sh
echo "$*" >>{home}/apt.log
[ "$1" = update ] || {{ {home}/policy-rc.d; echo "services: $?" >>{home}/apt.log; }}
exit {status}
"""


@pytest.fixture
def machine(tmp_path):
    """Runs a copy of the script on a machine that has only a few programs; returns what it did and told."""
    (tmp_path / "bin").mkdir()
    for name in PROGRAMS:
        path = next(found for folder in ("/bin", "/usr/bin") if (found := Path(folder, name)).exists())
        (tmp_path / "bin" / name).symlink_to(path)
    script(tmp_path / "python", "exit 0")
    (tmp_path / "venv/bin").mkdir(parents=True)
    script(tmp_path / "venv/bin/python", "exit 0")
    copy = tmp_path / "setup"
    copy.write_text(SETUP.read_text().replace("/usr/sbin/", f"{tmp_path}/"))
    copy.chmod(0o755)

    def run(*, root=True, apt=0, programs=(), ci="false", extra="stack"):
        script(tmp_path / "bin/id", f"echo {0 if root else 1000}")
        (tmp_path / "bin/apt-get").write_text(APT.format(home=tmp_path, status=apt))
        (tmp_path / "bin/apt-get").chmod(0o755)
        for name in programs:
            script(tmp_path / "bin" / name, "exit 0")
        env = {"PATH": f"{tmp_path}/bin", "PYTHON": f"{tmp_path}/python", "CI": ci}
        done = subprocess.run(
            [copy, tmp_path / "venv", extra], env=env, capture_output=True, text=True, timeout=60, check=False
        )
        log = tmp_path / "apt.log"
        assert not os.path.lexists(tmp_path / "policy-rc.d")
        return done, log.read_text().splitlines() if log.exists() else []

    return run


def script(path, line):
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def test_what_is_missing_is_installed_and_its_services_do_not_start(machine):
    """Debian starts a service with its package; this one would listen on every address."""
    done, asked = machine()

    assert (done.returncode, done.stderr) == (0, "")
    assert asked == ["install -qq -y --no-install-recommends prometheus prometheus-alertmanager", "services: 101"]


def test_nothing_is_installed_that_is_there(machine):
    """`make smoke` runs it again after each change of pyproject.toml."""
    done, asked = machine(programs=("prometheus", "alertmanager"))

    assert (done.returncode, done.stderr, asked) == (0, "", [])


def test_who_develops_has_an_sshd_for_the_tests_and_who_runs_the_gate_has_none(machine):
    """Hosts are asked over real ssh in the tests; a server that nobody asked for is no part of the gate."""
    _, asked = machine(programs=("prometheus", "alertmanager"), extra="dev")

    assert asked == ["install -qq -y --no-install-recommends openssh-server", "services: 101"]


@pytest.mark.parametrize("changes", [pytest.param({"root": False}, id="not-root"), pytest.param({"apt": 1}, id="apt")])
def test_a_machine_that_cannot_have_it_goes_on_and_is_told_what_is_skipped(machine, changes):
    """Most people are not root, and the stack works without."""
    done, _ = machine(**changes)

    assert done.returncode == 0
    assert done.stderr == (
        "without prometheus prometheus-alertmanager, what only they can answer is skipped."
        " Next: as root, apt-get install prometheus prometheus-alertmanager\n"
    )


def test_the_lists_of_packages_are_renewed_only_when_they_are_too_old(machine):
    """It takes longer than all the rest."""
    _, asked = machine(apt=1)

    assert [line.split()[0] for line in asked] == ["install", "services:", "update"]


def test_ci_must_have_it(machine):
    """A gate that skips in CI what it promises would go unnoticed."""
    done, _ = machine(apt=1, ci="true")

    assert done.returncode == 1
