"""
A local HTTP server of known latency, and what response times an open model must find in it.

What each answer takes is drawn from a seed, in the order in which requests arrive. A law may have stalls, in which all
work stands still. The server writes down when each request arrived and was answered, since its timers are late by up to
a millisecond or more: what it did is the truth, and not what it was meant to do. Run as a program it prints its port
and ends when its standard input does. `/control/...` is answered at once, and is not in the book.
"""

import asyncio
import json
import math
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

SEED = 20
_CONTROL, _SEEN = "/control/", "/control/seen"


@dataclass(frozen=True)
class Stall:
    """When all work stands still: seconds since the first request arrived."""

    begins: float
    ends: float


@dataclass(frozen=True)
class Law:
    """
    How long answers take.

    Attributes:
        draw: Seconds of one answer.
        stalls: Parts of the run in which it stands still, from and to, as shares of its length.
    """

    draw: Callable[[random.Random], float]
    stalls: tuple[tuple[float, float], ...] = ()

    def stalls_of(self, seconds: float) -> list[Stall]:
        """Its stalls in a run of this length."""
        return [Stall(begins * seconds, ends * seconds) for begins, ends in self.stalls]

    def draws(self) -> Iterator[float]:
        """The same seconds each time, one for each request in the order of arrival."""
        rng = random.Random(SEED)
        while True:
            yield max(0.0, self.draw(rng))


LAWS = {
    "exponential": Law(lambda rng: rng.expovariate(4)),
    "bimodal": Law(lambda rng: rng.gauss(0.8, 0.03) if rng.random() < 0.1 else rng.gauss(0.2, 0.02)),
    "with stalls": Law(lambda rng: rng.uniform(0.15, 0.25), ((0.2, 0.25), (0.55, 0.625))),
}


@dataclass(frozen=True)
class Served:
    """A request at the server: when it arrived and was answered, in seconds since the first one arrived."""

    arrived: float
    answered: float


def finished(at: float, needed: float, stalls: Sequence[Stall]) -> float:
    """
    When work is done.

    Args:
        at: When it begins.
        needed: Seconds of work.
        stalls: In which it stands still, in order.
    """
    for stall in stalls:
        if at < stall.ends and at + needed > stall.begins:
            needed -= max(0.0, stall.begins - at)
            at = stall.ends
    return at + needed


def worked(one: Served, stalls: Sequence[Stall]) -> float:
    """Seconds that a request took by the server's own watch, stalls taken off."""
    stood = sum(max(0.0, min(one.answered, stall.ends) - max(one.arrived, stall.begins)) for stall in stalls)
    return one.answered - one.arrived - stood


def truth(served: Sequence[Served], law: Law, rate: float, seconds: float) -> list[float]:
    """
    Response times of the open model with users enough: how long people wait who come at a steady rate.

    Request `i` is due at `i / rate` and begun then; it takes as long as the server's `i`th request took by its own
    watch, and as the law says where a client sent fewer. So a client that sends late, or leaves out what it should have
    sent, changes nothing.

    Args:
        served: What the server saw, in the order of arrival.
        law: How long answers take.
        rate: Arrivals a second.
        seconds: Of arrivals.
    """
    stalls = law.stalls_of(seconds)
    times = []
    for number, drawn in zip(range(round(rate * seconds)), law.draws(), strict=False):
        due = number / rate
        needed = worked(served[number], stalls) if number < len(served) else drawn
        times.append(finished(due, needed, stalls) - due)
    return times


def late(served: Sequence[Served], law: Law, seconds: float) -> list[float]:
    """
    Seconds by which the server took longer than it was meant to.

    Args:
        served: What it saw, in the order of arrival.
        law: How long answers are meant to take.
        seconds: Of arrivals.
    """
    stalls = law.stalls_of(seconds)
    return [worked(one, stalls) - drawn for one, drawn in zip(served, law.draws(), strict=False)]


def quantile(values: Sequence[float], q: float) -> float:
    """The least value that a share `q` of all does not exceed."""
    return sorted(values)[max(0, math.ceil(q * len(values)) - 1)]


class Server:
    """The running server, as the benchmark talks to it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def served(self) -> list[Served]:
        """All requests that were answered, in the order of arrival."""
        with urllib.request.urlopen(f"{self.url}{_SEEN}", timeout=10) as answer:
            return [Served(*one) for one in json.load(answer)]


@contextmanager
def serving(law: str, seconds: float) -> Iterator[Server]:
    """
    A server of its own process, anew for each run.

    Args:
        law: A name of `LAWS`.
        seconds: Length of the run, which its stalls are parts of.
    """
    command = [sys.executable, __file__, law, str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Server(int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(10)


class _Desk:
    """What all connections have in common: the law, and the book."""

    def __init__(self, law: Law, seconds: float) -> None:
        self.stalls = law.stalls_of(seconds)
        self.draws = law.draws()
        self.begins: float | None = None
        self.book: list[list[float]] = []

    def now(self) -> float:
        now = time.perf_counter()
        if self.begins is None:
            self.begins = now
        return now - self.begins


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, for GET; a client that sends the next request before the answer is not served."""

    def __init__(self, desk: _Desk) -> None:
        self._desk = desk
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._received.endswith(b"\r\n\r\n"):
            return
        path = self._received.split(b" ", 2)[1].decode("ascii")
        self._received = b""
        if path.startswith(_CONTROL):
            self._answer(json.dumps([one for one in self._desk.book if len(one) == 2]) if path == _SEEN else "{}")
            return
        desk = self._desk
        arrived = desk.now()
        entry = [arrived]
        desk.book.append(entry)
        wait = finished(arrived, next(desk.draws), desk.stalls) - arrived
        asyncio.get_running_loop().call_later(wait, self._end, entry)

    def _end(self, entry: list[float]) -> None:
        self._answer('{"ok": true}')
        entry.append(self._desk.now())

    def _answer(self, body: str) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write((head + body).encode("ascii"))


async def _serve(law: Law, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    desk = _Desk(law, seconds)
    server = await loop.create_server(lambda: _Connection(desk), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(LAWS[sys.argv[1]], float(sys.argv[2])))
