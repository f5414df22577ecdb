"""Nobody there, and somebody who is mute: the first one cannot take a write, the second one may yet."""

import asyncio
import contextlib
import socket

import pytest

from opsproof.errors import TimedOut, Unreachable
from opsproof.profile.recovered import Recovered
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.site.door import Door
from opsproof.rehearsal.site.names import Names

BACKLOG = 0


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as server:
        yield server


def get(port):
    recovered = Recovered.model_validate({"public": f"http://api.test:{port}", "timeout": "1s"})
    door = Door(recovered, Names((), Asking.alone("names")), Asking.alone("service"))
    return asyncio.run(door.get("/health", address="127.0.0.1"))


def test_an_address_that_takes_no_connection_is_one_where_nobody_is(listener):
    """As behind a firewall that drops packets, and where a region is gone: its queue is full, and drops them too."""
    with contextlib.ExitStack() as queue:
        for _ in range(BACKLOG + 2):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())

        with pytest.raises(Unreachable, match="nobody takes a connection within 1 s"):
            get(listener.getsockname()[1])


def test_who_takes_a_connection_and_says_nothing_is_there(listener):
    """A frozen service goes on some day."""
    with pytest.raises(TimedOut, match="no whole answer within 1 s"):
        get(listener.getsockname()[1])
