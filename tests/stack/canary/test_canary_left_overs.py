"""A canary's site leaves nothing behind, however it ends."""

import json
import signal
import subprocess
import sys

from lifetimes import environment, nothing_left, stacks_in
from users import AS_ROOT, nobody

from opsproof.stack.canary import CanarySite
from opsproof.stack.clusters import Grounds
from opsproof.stack.ports import is_free
from opsproof.stack.process import belonging_to
from opsproof.stack.state import read_state

_OWNER = """
import sys
from opsproof.stack.canary import CanarySite
from opsproof.stack.clusters import Grounds

with Grounds() as grounds, CanarySite(grounds) as site:
    site.restart_canary(new_pod=True)
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_closing_leaves_no_process_no_port_and_no_file(place):
    """The next watch starts on an empty machine."""
    with Grounds() as grounds:
        with CanarySite(grounds):
            ports = read_state(grounds.directory).ports
        assert belonging_to(grounds.directory) == []

    assert nothing_left(grounds.directory)
    assert [name for name, port in ports.items() if not is_free(port)] == []


def test_a_killed_owner_is_cleaned_up_by_the_next_grounds(place):
    """`kill -9` in the middle of a watch."""
    argv = [sys.executable, "-c", _OWNER]
    with subprocess.Popen(
        argv, env=environment(place), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout.readline()
        (directory,) = stacks_in(place)
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        ports = json.loads((directory / "stack.json").read_text())["ports"]

        with Grounds() as grounds:
            assert stacks_in(place) == [grounds.directory]

    assert nothing_left(directory)
    assert [name for name, port in ports.items() if not is_free(port)] == []


@AS_ROOT
def test_an_ordinary_user_can_have_one(place):
    """Most people are not root; CI often is."""
    identity = nobody("opsproof.stack", environment(place))
    place.chmod(0o777)
    argv = [sys.executable, "-c", _OWNER]
    with subprocess.Popen(
        argv, env=environment(place), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", **identity
    ) as owner:
        assert owner.stdout.readline() == "ready\n"
        owner.stdin.close()
        assert owner.wait(30) == 0

    assert not list(place.glob("opsproof-*/run-*"))
