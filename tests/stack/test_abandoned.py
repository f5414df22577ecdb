"""A stack whose owner was killed is cleaned up by the next start; nothing else is touched."""

import json
import os
import signal
import subprocess
import sys

import pytest
from lifetimes import nothing_left, owner, stacks_in, started

from opsproof.errors import StackError
from opsproof.stack.control import freeze_part
from opsproof.stack.directory import base_directory, reap
from opsproof.stack.process import Process, belonging_to, end, wait_for


def test_the_stack_of_a_killed_owner_is_reaped_with_frozen_children_and_all(place):
    """`kill -9` of the gate in the middle of a fault leaves nothing that the next start does not clean."""
    with owner(place, ["ingest"]) as process:
        started(process)
        (directory,) = stacks_in(place)
        freeze_part(directory, "postgres")
        process.kill()
        process.wait()
        assert len(belonging_to(directory)) > 3

        assert reap() == [directory]

    assert nothing_left(directory)


def test_a_half_started_stack_is_reaped(place):
    """The owner was killed while parts were still being started."""
    with owner(place, ["ingest"]) as process:
        assert "is ready after" in json.loads(process.stdout.readline())["progress"]
        (directory,) = stacks_in(place)
        process.kill()
        process.wait()

        assert reap() == [directory]

    assert nothing_left(directory)


def test_a_server_that_was_started_and_not_recorded_yet_is_reaped(place):
    """The owner was killed between the two; a server that sets its title has no mark in its environment any more."""
    with owner(place, ["ingest"]) as process:
        started(process)
        (directory,) = stacks_in(place)
        process.kill()
        process.wait()
        state = json.loads((directory / "stack.json").read_text())
        servers = {name: state["parts"].pop(name)["process"]["pid"] for name in ("valkey", "postgres")}
        (directory / "stack.json").write_text(json.dumps(state))

        assert reap() == [directory]

    assert {name: Process.of(pid) for name, pid in servers.items()} == dict.fromkeys(servers)
    assert nothing_left(directory)


def test_an_interrupted_start_leaves_nothing(place):
    """Ctrl-C while it starts."""
    with owner(place, ["ingest"], stderr=subprocess.DEVNULL) as process:
        process.stdout.readline()
        (directory,) = stacks_in(place)
        process.send_signal(signal.SIGINT)
        process.wait(20)

    assert nothing_left(directory)


def test_the_stack_of_a_living_owner_is_not_reaped(place):
    """Somebody works with it."""
    with owner(place, ["ingest"]) as process:
        started(process)

        assert reap() == []
        assert len(stacks_in(place)) == 1


def test_a_damaged_stack_json_does_not_keep_the_stack_from_being_reaped(place):
    """The processes carry the stack's mark themselves."""
    with owner(place, ["ingest"]) as process:
        started(process)
        (directory,) = stacks_in(place)
        process.kill()
        process.wait()
        (directory / "stack.json").write_text('{"name": ')

        assert reap() == [directory]

    assert nothing_left(directory)


def test_a_process_that_has_the_pid_of_a_recorded_one_is_not_touched():
    """Pids are used again; a start time is not."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        now = Process.of(stranger.pid)
        before = Process(now.pid, now.started - 1, now.boot)

        left = end([(before, signal.SIGTERM)], grace=0.1)

        assert left == []
        assert now.alive()
        assert end([(now, signal.SIGTERM)]) == []
        assert not now.alive()


def test_a_process_that_ignores_the_first_signal_is_killed():
    """Stopping has an end."""
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as stubborn:
        stubborn.stdout.readline()
        process = Process.of(stubborn.pid)

        assert end([(process, signal.SIGTERM)], grace=0.2) == []
        assert not process.alive()


def test_a_zombie_counts_as_dead():
    """Nobody has asked for its status yet, but it does nothing any more."""
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
        process = Process.of(child.pid)
        child.stdin.close()

        assert wait_for(lambda: not process.alive(), 5)
        assert os.path.exists(f"/proc/{child.pid}")


def test_a_folder_of_stacks_that_is_a_link_is_refused(place):
    """Somebody else could have put it there, in a temporary folder that all may write to."""
    (place / "elsewhere").mkdir()
    (place / f"opsproof-{os.getuid()}").symlink_to(place / "elsewhere")

    with pytest.raises(StackError, match="is a link, or belongs to another user"):
        base_directory()

    (place / f"opsproof-{os.getuid()}").unlink()
