"""A request over HTTP/2: h2 frames and parses, within the windows that the peer opens."""

import asyncio
import contextlib

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
from typing_extensions import override

from opsproof.probes.wire.connection import Connection
from opsproof.probes.wire.exchange import NO_ANSWER, Exchange, Incoming
from opsproof.probes.wire.request import WireRequest

_NOT_OVER_HTTP2 = ("host", "connection", "transfer-encoding", "expect", "content-length")


class Http2Exchange(Exchange):
    """One stream over HTTP/2, and perhaps a GET on the next; see `Exchange`."""

    def __init__(
        self,
        connection: Connection,
        request: WireRequest,
        headers: dict[str, str],
        within: float,
        until: asyncio.Event,
        *,
        target: str,
        scheme: str,
    ) -> None:
        super().__init__(connection, request, headers, within, until)
        self._target = target
        self._scheme = scheme
        self._session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self._streams: dict[int, Incoming] = {}
        self._opened = asyncio.Event()
        self._greeted = False

    @override
    async def _send(self) -> None:
        self._session.initiate_connection()
        stream = self._session.get_next_available_stream_id()
        self._streams[stream] = self._answer
        headers = self._pseudo(self._request.method, self._target)
        if self._request.framing == "http2":
            headers.append(("content-length", str(self._wire_size)))
        self._session.send_headers(stream, headers)
        await self._flush()
        await self._pause()
        await self._send_body()
        if self._whole and not self._answer.began.is_set():
            self._session.end_stream(stream)
            await self._flush()

    @override
    async def _send_piece(self, piece: bytes) -> int:
        (stream,) = self._streams
        sent = 0
        while sent < len(piece) and not self._answer.began.is_set():
            window = self._session.local_flow_control_window(stream)
            room = min(window, self._session.max_outbound_frame_size, len(piece) - sent)
            if room <= 0:
                self._opened.clear()
                await self._opened.wait()
                continue
            self._session.send_data(stream, piece[sent : sent + room])
            await self._flush()
            sent += room
        return sent

    async def _flush(self) -> None:
        if data := self._session.data_to_send():
            await self._connection.send(data)

    def _pseudo(self, method: str, path: str) -> list[tuple[str, str]]:
        own = [(name.lower(), value) for name, value in self._headers.items() if name.lower() not in _NOT_OVER_HTTP2]
        authority = self._headers["Host"]
        first = [(":method", method), (":path", path), (":scheme", self._scheme), (":authority", authority)]
        return first + (own if method == "POST" else [pair for pair in own if not pair[0].startswith("content-")])

    @override
    async def _read(self, answer: Incoming) -> None:
        came = False
        try:
            while not all(stream.ended.is_set() for stream in self._streams.values()) or not self._streams:
                data = await self._connection.receive()
                if not data:
                    self._break("closed" if self._greeted or not came else "garbled")
                    return
                came = True
                for event in self._session.receive_data(data):
                    self._heed(event)
                await self._flush()
                self._opened.set()
        except OSError:
            self._break("reset")
        except h2.exceptions.ProtocolError:
            self._break("garbled")

    def _break(self, end: str) -> None:
        for stream in self._streams.values() or [self._answer]:
            stream.finish(end, self._clock())  # type: ignore[arg-type]
        self._opened.set()

    def _heed(self, event: h2.events.Event) -> None:
        self._greeted = self._greeted or isinstance(event, h2.events.RemoteSettingsChanged)
        if isinstance(event, h2.events.ConnectionTerminated):
            if event.error_code != h2.errors.ErrorCodes.NO_ERROR:
                self._break("reset")
            return
        answer = self._streams.get(getattr(event, "stream_id", None) or 0)
        if answer is None:
            return
        if isinstance(event, h2.events.InformationalResponseReceived):
            answer.hundred()
        elif isinstance(event, h2.events.ResponseReceived):
            headers = {str(name): str(value) for name, value in event.headers or ()}
            answer.head(int(headers.pop(":status")), headers, self._clock())
        elif isinstance(event, h2.events.DataReceived):
            answer.data(event.data or b"")
            self._session.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
        elif isinstance(event, h2.events.StreamEnded):
            answer.finish("answered", self._clock())
        elif isinstance(event, h2.events.StreamReset):
            answer.finish("reset", self._clock())

    @override
    async def _next(self) -> int | None:
        """The connection must serve another stream, whatever became of this one."""
        following = Incoming()
        try:
            (sent,) = self._streams
            if not self._whole:
                with contextlib.suppress(h2.exceptions.StreamClosedError):  # the peer may have reset it by now
                    self._session.reset_stream(sent, h2.errors.ErrorCodes.CANCEL)
            stream = self._session.get_next_available_stream_id()
            self._streams[stream] = following
            self._session.send_headers(stream, self._pseudo("GET", self._request.then), end_stream=True)
            await self._flush()
        except (OSError, h2.exceptions.ProtocolError):
            return 0
        reading = asyncio.create_task(self._read(following))
        await self._wait(following.ended)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        return NO_ANSWER if following.end is None else following.status
