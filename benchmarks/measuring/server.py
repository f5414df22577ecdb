"""
A local HTTP server that is never the bottleneck, and knows when it was first asked.

`/after/MILLISECONDS/...` answers a small JSON body after that time. Run as a program it prints its port and ends when
its standard input does, so that it never outlives who started it.
"""

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_CONTROL = "/control/"


@dataclass(frozen=True)
class Seen:
    """
    What the server saw since it was told to forget.

    Attributes:
        requests: How many requests came.
        first: When the first came, in seconds of `time.monotonic`, which all processes of a machine share; or None.
        most_at_once: The most requests that were under way at one time.
    """

    requests: int
    first: float | None
    most_at_once: int


class Server:
    """The running server, as the benchmark talks to it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def forget(self) -> None:
        """Count from zero again."""
        self._control("forget")

    def seen(self) -> Seen:
        """What came since."""
        return Seen(**json.loads(self._control("seen")))

    def _control(self, what: str) -> bytes:
        with urllib.request.urlopen(f"{self.url}{_CONTROL}{what}", timeout=10) as answer:
            content: bytes = answer.read()
        return content


@contextmanager
def serving() -> Iterator[Server]:
    """A server of our own, in a process of its own."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Server(int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(10)


class _Counter:
    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.requests = self.under_way = self.most_at_once = 0
        self.first: float | None = None

    def begin(self) -> None:
        if self.first is None:
            self.first = time.monotonic()
        self.requests += 1
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)

    def seen(self) -> dict[str, object]:
        return {"requests": self.requests, "first": self.first, "most_at_once": self.most_at_once}


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, for GET; a client that sends the next request before the answer is not served."""

    def __init__(self, counter: _Counter) -> None:
        self._counter = counter
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if b"\r\n\r\n" not in self._received:
            return
        path = self._received.split(b" ", 2)[1].decode("ascii")
        self._received = b""
        if path.startswith(_CONTROL):
            if path.endswith("forget"):
                self._counter.forget()
            self._answer(self._counter.seen())
            return
        self._counter.begin()
        delay = int(path.split("/")[2]) / 1000
        if delay:
            asyncio.get_running_loop().call_later(delay, self._end, path)
        else:
            self._end(path)

    def _end(self, path: str) -> None:
        self._counter.under_way -= 1
        self._answer({"status": "healthy", "path": path})

    def _answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode("ascii") + body)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    counter = _Counter()
    server = await loop.create_server(lambda: _Connection(counter), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
