"""A small HTTP server that answers as a test says, and counts what is asked of it."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What is answered: JSON by default; `endless` never ends the body, `closes` ends the connection after it."""

    json: Any = None
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    endless: bool = False
    closes: bool = False


Script = Answer | Callable[[Request], Answer]
HEALTHY = {"status": "healthy", "version": "1.0"}


class AnsweringServer:
    """
    Listens on 127.0.0.1 in a thread of its own; HTTP/1.1 with lasting connections.

    Attributes:
        script: Answers by path without query.
        by_prefix: Answers by the path's beginning; what is in neither is `HEALTHY`, after `delay` seconds.
        requests: All requests that came whole.
        most_at_once: How many were under way at once, at most.
        given_up: Requests whose asker had gone before the answer.
        accepted: Connections that were made.
        connections: Connections that are open now.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self._listen()
        self.reset()

    def reset(self) -> None:
        """Forget scripts and counts."""
        self.script: dict[str, Script] = {}
        self.by_prefix: dict[str, Script] = {}
        self.delay = 0.0
        self.requests: list[Request] = []
        self.most_at_once = 0
        self.given_up = 0
        self.accepted = 0
        self._under_way = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        return len(self._writers)

    @property
    def paths(self) -> list[str]:
        """`GET /x` for every request, in the order of asking."""
        return [f"{request.method} {request.path}" for request in self.requests]

    def asked(self, path: str) -> int:
        """How often a path was asked, whatever its query."""
        return sum(request.path.partition("?")[0] == path for request in self.requests)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[Self]:
        """Nobody listens on the port."""
        self._run(self._close())
        try:
            yield self
        finally:
            self._listen()

    def close(self) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _listen(self) -> None:
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512))
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.accepted += 1
        try:
            while request := await _read(reader):
                self.requests.append(request)
                await self._answer(request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the asker has gone; that is counted where an answer was due
        finally:
            self._writers.discard(writer)
            writer.close()

    def _script(self, path: str) -> Script:
        prefixed = (script for prefix, script in self.by_prefix.items() if path.startswith(prefix))
        return self.script.get(path) or next(prefixed, Answer(HEALTHY, delay=self.delay))

    async def _answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._script(request.path.partition("?")[0])
        answer = script(request) if callable(script) else script
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            if answer.delay and await _gone(reader, answer.delay):
                self.given_up += 1
                raise ConnectionResetError
            await _write(answer, writer)
            if answer.closes:
                raise ConnectionResetError
        finally:
            self._under_way -= 1


async def _gone(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Wait; true if the asker closes the connection meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            return await reader.read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def _read(reader: asyncio.StreamReader) -> Request | None:
    line = await reader.readline()
    if not line:
        return None
    method, path, _ = line.decode().split()
    headers = {}
    while line := (await reader.readline()).strip():
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    return Request(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))


async def _write(answer: Answer, writer: asyncio.StreamWriter) -> None:
    body = json.dumps(answer.json).encode() if answer.body is None else answer.body
    headers = {"Content-Type": "application/json"} | answer.headers
    if not answer.endless:
        headers = {"Content-Length": str(len(body))} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {answer.status} As scripted\r\n{head}\r\n".encode() + body)
    await writer.drain()
    while answer.endless:
        writer.write(b"x" * 65536)
        await writer.drain()
