"""Probes with an observer of their own, and small HTTP servers that misbehave on purpose."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from opsproof.evidence.bundle import Bundle
from opsproof.evidence.observation import Observation
from opsproof.evidence.observer import Observer
from opsproof.evidence.recorder import Recorder, recording
from opsproof.evidence.redaction import Redactor
from opsproof.probes import open_probe
from opsproof.profile.targets import AnyTarget

CHECK = "test_something"


def a_probe(*secrets: str, memory: Bundle | None = None, name: str = "api", **target: Any) -> Any:
    """A probe of the target that the keywords describe as a profile does."""
    model = TypeAdapter(AnyTarget).validate_python(target)
    observer = Observer(
        profile="ingest/test",
        target=name,
        address=model.address,
        redactor=Redactor(secrets),
        timeout=model.timeout,
        concurrency=model.concurrency,
        memory=memory,
    )
    return open_probe(name, model, observer)


def as_a_check(*, may_write: bool = False) -> Recorder:
    """Let the code from here on run as the body of a check."""
    recorder = Recorder(CHECK, may_write=may_write)
    recording.set(recorder)
    return recorder


def memory_of(recorder: Recorder) -> Bundle:
    """What a replay remembers of what a check saw; by way of the JSON that a run folder keeps."""
    kept = [Observation.from_json(observation.to_json()) for observation in recorder.observations]
    return Bundle({one.id: one for one in kept}, {CHECK: [one.id for one in kept]})


@dataclass
class Request:
    """What a server was sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """A running server: its address, what it was sent, and how busy it was."""

    url: str
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    most_at_once: int = 0


def response(
    body: bytes = b"", *, status: str = "200 OK", headers: Mapping[str, str] | None = None, length: int | None = None
) -> bytes:
    """An answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def always(answer: bytes) -> Handler:
    """Answers every request with the same bytes; HEAD without the body."""

    async def handle(request: Request, writer: asyncio.StreamWriter) -> None:
        head, end, _ = answer.partition(b"\r\n\r\n")
        writer.write(head + end if request.method == "HEAD" else answer)

    return handle


@asynccontextmanager
async def a_server(handle: Handler, **options: Any) -> AsyncIterator[Server]:
    """A server on 127.0.0.1; options go to asyncio.start_server."""
    at_once = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once
        server.connections += 1
        try:
            while True:
                request = await _read(reader)
                server.requests.append(request)
                at_once += 1
                server.most_at_once = max(server.most_at_once, at_once)
                try:
                    await handle(request, writer)
                    await writer.drain()
                finally:
                    at_once -= 1
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, **options)
    port = listening.sockets[0].getsockname()[1]
    server = Server(f"{'https' if options.get('ssl') else 'http'}://127.0.0.1:{port}")
    try:
        yield server
    finally:
        listening.close()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body)
