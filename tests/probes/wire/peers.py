"""Small servers that treat a request as some real one would, and the wire to them."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import h2.config
import h2.connection
import h2.events
from asking import as_a_check
from pydantic import TypeAdapter

from opsproof.evidence.observer import Observer
from opsproof.evidence.redaction import Redactor
from opsproof.probes.wire import Body, WireAnswer, WireProbe, WireRequest
from opsproof.profile.targets import HttpTarget

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
WITHIN = 2.0
"""Seconds that the tests' requests wait for what never comes."""


def a_wire(url: str, *, memory: Any = None, secrets: tuple[str, ...] = (), **target: Any) -> WireProbe:
    """A wire to a server."""
    model = TypeAdapter(HttpTarget).validate_python({"kind": "http", "url": url} | target)
    observer = Observer(
        profile="ingest/test",
        target="api",
        address=model.address,
        redactor=Redactor(secrets),
        timeout=model.timeout,
        concurrency=model.concurrency,
        memory=memory,
    )
    return WireProbe("api", model, observer)


def sent(request: WireRequest, handle: Handle, *, within: float = WITHIN, **options: Any) -> WireAnswer:
    """What becomes of a request to a server that treats it so."""

    async def main() -> WireAnswer:
        as_a_check(may_write=True)
        async with a_peer(handle) as url:
            return await a_wire(url, **options).send(request, within=within)

    return asyncio.run(main())


@asynccontextmanager
async def a_peer(handle: Handle, **options: Any) -> Any:
    """A server on 127.0.0.1; the context is its url."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await handle(reader, writer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, **options)
    scheme = "https" if options.get("ssl") else "http"
    try:
        yield f"{scheme}://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


async def head_of(reader: asyncio.StreamReader) -> str:
    """The head of the next request."""
    return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")


async def chunks_of(reader: asyncio.StreamReader) -> bytes:
    """A chunked body to its end."""
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body


def answer(status: str, body: bytes = b"{}", *, close: bool = False, **headers: str) -> bytes:
    """An answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, *(["Connection: close"] if close else []), "", ""]).encode() + body


def reset(writer: asyncio.StreamWriter) -> None:
    """Reset the connection: whatever is on the way is lost."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def a_body(size: int, *, coding: str = "") -> Body:
    """Some bytes as octets."""
    return Body("application/octet-stream", (size,) if size else (), coding)


def http2_peer(limit: int, *, resets: bool = False) -> Handle:
    """A server for HTTP/2: refuses more than so many bytes with 413, by content-length or as they come."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        session.initiate_connection()
        writer.write(session.data_to_send())
        got: dict[int, int] = {}
        answered: set[int] = set()

        def say(stream: int, status: int) -> None:
            if stream in answered:
                return
            answered.add(stream)
            if resets and status == 413:
                session.reset_stream(stream, 2)
                return
            session.send_headers(stream, [(":status", str(status)), ("content-type", "application/json")])
            session.send_data(stream, b"{}", end_stream=True)

        while data := await reader.read(65536):
            for event in session.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    got[event.stream_id] = 0
                    if int(dict(event.headers).get("content-length", 0)) > limit:
                        say(event.stream_id, 413)
                elif isinstance(event, h2.events.DataReceived):
                    got[event.stream_id] += len(event.data)
                    with suppress(h2.exceptions.StreamClosedError):
                        session.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    if got[event.stream_id] > limit:
                        say(event.stream_id, 413)
                elif isinstance(event, h2.events.StreamEnded):
                    say(event.stream_id, 200)
            writer.write(session.data_to_send())
            await writer.drain()

    return handle
