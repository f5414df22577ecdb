"""`opsproof stack` as a person uses it: one terminal that keeps the stack, another that breaks it."""

import contextlib
import re
import signal
import subprocess
import sys

import pytest
from lifetimes import environment, nothing_left, stacks_in

COMMAND = [sys.executable, "-c", "import sys; from opsproof.cli import main; sys.exit(main())", "stack"]


@pytest.fixture
def opsproof(place):
    """Runs `opsproof stack ...` to its end."""

    def run(*arguments):
        return subprocess.run(
            [*COMMAND, *arguments], env=environment(place), capture_output=True, text=True, timeout=60
        )

    return run


@contextlib.contextmanager
def up(place, *arguments):
    """A terminal in which `opsproof stack up` runs and has become ready; with what it wrote so far."""
    argv = [*COMMAND, "up", *arguments]
    with subprocess.Popen(argv, env=environment(place), stdout=subprocess.PIPE, text=True) as process:
        try:
            written = []
            for line in process.stdout:
                written.append(line)
                if "stop it" in line:
                    break
            yield process, "".join(written)
        finally:
            process.kill()


def test_a_session_of_breaking_and_mending(place, opsproof):
    """What the help promises, in the order in which people do it."""
    with up(place) as (terminal, written):
        (directory,) = stacks_in(place)
        assert re.search(r"ready after \d+\.\d s", written)
        assert str(directory / "variables.sh") in written
        assert (directory / "variables.sh").stat().st_mode & 0o077 == 0
        secret = re.search(r"INGEST_API_KEY=(\S+)", (directory / "variables.sh").read_text())[1]
        assert secret not in written

        broken = opsproof("fault", "redis-stopped")
        assert (broken.returncode, broken.stderr) == (0, "")
        assert "in force: redis-stopped" in broken.stdout
        assert "opsproof stack heal redis-stopped" in broken.stdout
        status = opsproof("status")
        assert re.search(r"valkey +stopped", status.stdout)
        assert "fault redis-stopped, injected at" in status.stdout
        again = opsproof("fault", "redis-stopped")
        assert again.returncode == 1
        assert "injected already" in again.stderr
        other = opsproof("heal", "table-locked")
        assert other.returncode == 1
        assert "injected: redis-stopped" in other.stderr

        hindered = opsproof("fault", "cache-full")
        assert hindered.returncode == 1
        assert "see what else is broken" in hindered.stderr
        healed = opsproof("heal")
        assert (healed.returncode, healed.stdout) == (0, "healed: redis-stopped\n")
        assert opsproof("heal").stdout == "nothing to heal\n"
        assert "injected" not in opsproof("status").stdout

        second = opsproof("up")
        assert second.returncode == 1
        assert "running already" in second.stderr

        terminal.send_signal(signal.SIGINT)
        assert terminal.wait(20) == 0
    assert nothing_left(directory)


def test_down_stops_the_stack_of_the_other_terminal(place, opsproof):
    """And the other terminal says so and ends."""
    with up(place, "--name", "training") as (terminal, written):
        (directory,) = stacks_in(place)
        assert "--name training" in written
        missed = opsproof("down")
        assert missed.returncode == 1
        assert "running: training (choose with --name)" in missed.stderr

        assert opsproof("down", "--name", "training").returncode == 0

        assert terminal.wait(20) == 0
        assert "stopped by another process" in terminal.stdout.read()
    assert nothing_left(directory)


def test_down_cleans_up_after_a_killed_terminal(place, opsproof):
    """Nobody has to start a stack just to get rid of one."""
    with up(place) as (terminal, _):
        (directory,) = stacks_in(place)
        terminal.kill()
        terminal.wait()

        done = opsproof("down")

    assert done.returncode == 0
    assert "abandoned" in done.stdout
    assert nothing_left(directory)


@pytest.mark.parametrize("command", [("status",), ("down",), ("heal",), ("fault", "redis-stopped")])
def test_without_a_stack_the_next_step_is_to_start_one(opsproof, command):
    """The first thing that a newcomer forgets."""
    done = opsproof(*command)

    assert done.returncode == 1
    assert "no stack named default is running" in done.stderr
    assert "opsproof stack up" in done.stderr


@pytest.mark.parametrize("command", ["fault", "heal"])
def test_an_unknown_fault_is_wrong_usage_with_the_nearest_names(opsproof, command):
    """Nobody knows 49 names by heart."""
    done = opsproof(command, "redis-stoped")

    assert done.returncode == 2
    assert "did you mean redis-stopped" in done.stderr


def test_the_list_of_faults_has_every_fault_with_its_title(opsproof):
    """It is how people choose what to train on; no stack is needed."""
    from opsproof.stack.faults import FAULTS

    listed = opsproof("fault")

    assert listed.returncode == 0
    assert listed.stdout == opsproof("fault", "--list").stdout
    for fault in FAULTS.values():
        assert re.search(rf"^  {fault.name} +{re.escape(fault.title)}", listed.stdout, re.MULTILINE)
    assert "\033" not in listed.stdout


def test_the_help_teaches_by_examples(opsproof):
    """And says what the exit statuses mean."""
    text = opsproof("--help").stdout

    assert "examples:" in text
    assert "exit status: 0 done, 1 could not be done, 2 wrong usage" in text
