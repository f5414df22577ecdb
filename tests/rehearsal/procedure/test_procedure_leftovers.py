"""What a rehearsal left behind is told by name, with how to remove it; and nothing is told where nothing is."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from opsproof.rehearsal.procedure.leftovers import left_in, left_of, listening
from opsproof.stack import directory as places
from opsproof.stack.clusters import Cluster, Grounds
from opsproof.stack.process import MARK, Process, belonging_to, told_of, wait_for

SLEEPS = "import time; print('begun', flush=True); time.sleep(600)"
BEGINS_ANEW = """
import os, signal, time
def anew(*_):
    if os.fork():
        os._exit(0)
signal.signal(signal.SIGTERM, anew)
print("begun", flush=True)
while True:
    time.sleep(0.05)
"""


@contextlib.contextmanager
def running(code, **environment):
    """A process that nobody but this test ends."""
    argv = [sys.executable, "-c", code]
    kept = {"PATH": os.environ["PATH"], **environment}
    child = subprocess.Popen(argv, env=kept, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert child.stdout.readline().strip() == "begun"
        yield child
    finally:
        child.kill()
        child.wait()


@pytest.fixture
def closed():
    """Grounds that a server ran on, and that are gone."""
    with Grounds() as grounds:
        server = Cluster(grounds, "scratch", tcp=True)
        server.initialize()
        server.start()
    return grounds


def test_of_grounds_that_are_gone_nothing_is_left(closed):
    """A server, its port, its memory and its folder."""
    assert closed.ports
    assert closed.servers
    assert left_of(closed) == []


def test_a_process_with_the_mark_is_told_with_its_pid(closed):
    """Its folder is gone, and it runs."""
    with running(SLEEPS, **{MARK: str(closed.directory)}) as child:
        (told,) = left_of(closed)

    assert f"process {child.pid}" in told
    assert f"kill -KILL {child.pid}" in told
    assert left_of(closed) == []


def test_a_process_with_the_mark_of_other_grounds_is_none_of_ours(closed):
    """Two rehearsals side by side."""
    with running(SLEEPS, **{MARK: f"{closed.directory}-other"}):
        assert left_of(closed) == []


def test_a_process_that_always_begins_anew_is_not_taken_for_ended():
    """A supervisor that forks when it is asked to end: the one that was asked is gone, and there is another."""
    grounds = Grounds()
    try:
        with running(BEGINS_ANEW, **{MARK: str(grounds.directory)}):
            with pytest.raises(places.StackError, match="would not end"):
                grounds.close()
            told = left_of(grounds)
        assert any("still runs" in one for one in told)
        assert any("rm -r" in one for one in told)
    finally:
        for one in belonging_to(grounds.directory):
            one.send(signal.SIGKILL)
        grounds.close()
    assert wait_for(lambda: left_of(grounds) == [], 10)


def test_a_server_whose_folder_somebody_removed_is_still_ended():
    """`rm -r` of the folder hides nothing: the mark is in the processes."""
    grounds = Grounds()
    with running(SLEEPS, **{MARK: str(grounds.directory)}) as child:
        subprocess.run(["rm", "-r", str(grounds.directory)], check=True)
        grounds.close()
        assert child.wait(10) is not None
    assert left_of(grounds) == []


def test_a_port_that_still_listens_is_told(closed):
    """Whoever took it carries no mark."""
    ((name, port),) = closed.ports.items()
    with socket.create_server(("127.0.0.1", port)):
        (told,) = left_of(closed)

    assert f"port {port}" in told
    assert name in told
    assert "ss -ltnp" in told


def test_a_port_that_is_bound_and_does_not_listen_is_free(closed):
    """Only who accepts serves."""
    (port,) = closed.ports.values()
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", port))
        assert listening(closed.ports) == []


def test_a_file_that_stays_is_told_with_how_to_remove_it(closed):
    """Somebody wrote there after the end."""
    closed.directory.mkdir()
    (closed.directory / "base.tar").touch()
    try:
        assert left_of(closed) == [f"{closed.directory} is still there: rm -r {closed.directory}"]
        assert left_in(closed.directory) == left_of(closed)
    finally:
        (closed.directory / "base.tar").unlink()
        closed.directory.rmdir()


def test_shared_memory_that_a_killed_server_left_is_told():
    """The kernel keeps it until somebody removes it, or the machine starts anew."""
    with Grounds() as grounds:
        server = Cluster(grounds, "scratch")
        server.initialize()
        server.start()
        first = server.process
        first.send(signal.SIGSTOP)
        first.send(signal.SIGKILL)
        assert wait_for(lambda: not first.alive(), 10)
    told = left_of(grounds)
    try:
        assert len(told) == 1
        assert f"shared memory of the server that was process {first.pid}: ipcrm -m " in told[0]
    finally:
        subprocess.run(["ipcrm", "-m", told[0].rpartition(" ")[2]], check=True)
    assert left_of(grounds) == []


@pytest.mark.parametrize("folder", ["plain", "보고서"])
def test_a_writer_is_known_by_the_ledger_that_it_was_given(folder, tmp_path):
    """It carries no mark in a real environment; its orders are JSON, whatever the folder is called."""
    ledger = tmp_path / folder / "ledger-demo-abc.jsonl"
    begins = str(tmp_path / folder / "ledger-demo-")
    with running(SLEEPS, ORDERS=json.dumps({"ledger": str(ledger)})) as child:
        assert told_of(begins) == [Process.of(child.pid)]
        assert told_of(str(tmp_path / folder / "ledger-other-")) == []
    assert told_of(begins) == []
