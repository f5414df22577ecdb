"""
An HTTP server of known latency, as a process of its own: python latency_server.py '{"delay": 0.02, ...}' [CERTIFICATE].

It prints its port. Its clock starts with the first request, so that a fault comes at the same moment of each benchmark.
"""

import asyncio
import contextlib
import json
import ssl
import sys
import time
from dataclasses import dataclass


@dataclass
class Behaviour:
    """
    How it answers. Shares are of a hundred requests in turn; times are seconds.

    Attributes:
        delay: Of each answer.
        slow: A share that takes `slow_delay`.
        slow_delay: Seconds.
        slow_until: Everything takes `slow_delay` until so long after the first request.
        stall_at: From when on nothing is answered; seconds after the first request. 0: never.
        stall: For how long.
        hang: A share that is not answered for a minute.
        failing: A share that gets status 500, or status 200 with a body that says so.
        in_body: Whether the body alone tells.
        down_at: From when on every connection is closed at once; 0: never.
    """

    delay: float = 0.01
    slow: int = 0
    slow_delay: float = 0.0
    slow_until: float = 0.0
    stall_at: float = 0.0
    stall: float = 0.0
    hang: int = 0
    failing: int = 0
    in_body: bool = False
    down_at: float = 0.0


class Server:
    """Answers every request alike, whatever its path."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._be = behaviour
        self._count = 0
        self._began = 0.0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection, to its end."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                if (length := head.lower().partition(b"content-length:")[2]) and (size := int(length.split()[0])):
                    await reader.readexactly(size)
                self._began = self._began or time.monotonic()
                if self._be.down_at and self._age() >= self._be.down_at:
                    break
                writer.write(await self._answer(known=b"\r\nauthorization: bearer" in head.lower()))
                await writer.drain()
        writer.close()

    def _age(self) -> float:
        return time.monotonic() - self._began

    async def _answer(self, *, known: bool) -> bytes:
        be, self._count = self._be, self._count + 1
        turn = self._count * 37 % 100
        delay = be.delay
        if self._age() < be.slow_until or turn < be.slow:
            delay = be.slow_delay
        if turn < be.hang:
            delay = 60.0
        until_over = be.stall_at + be.stall - self._age()
        if be.stall_at and 0 < until_over <= be.stall:
            delay += until_over
        await asyncio.sleep(delay)
        failed = turn < be.failing
        body = json.dumps({"ok": not failed, "known": known}).encode()
        status = b"500 Internal Server Error" if failed and not be.in_body else b"200 OK"
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        return head % (status, len(body)) + body


async def main() -> None:
    """Answer until killed."""
    server = Server(Behaviour(**json.loads(sys.argv[1])))
    context = None
    if sys.argv[2:]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[2])
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0, backlog=1024, ssl=context)
    print(listening.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    async with listening:
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
