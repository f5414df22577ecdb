"""A request over HTTP/1.1: h11 frames and parses; what no library would write is written by hand."""

import asyncio
import contextlib

import h11
from typing_extensions import override

from opsproof.probes.wire.connection import Connection
from opsproof.probes.wire.exchange import GARBLED, NO_ANSWER, Exchange, Incoming
from opsproof.probes.wire.request import WireRequest

_LONGEST_HEAD = 256 * 1024


class Http1Exchange(Exchange):
    """One request over HTTP/1.1, and perhaps a GET after it; see `Exchange`."""

    def __init__(
        self,
        connection: Connection,
        request: WireRequest,
        headers: dict[str, str],
        within: float,
        until: asyncio.Event,
        *,
        target: str,
    ) -> None:
        super().__init__(connection, request, headers, within, until)
        self._target = target
        self._parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)

    @override
    async def _send(self) -> None:
        request = self._request
        if request.framing == "raw":
            await self._send_raw()
            return
        await self._connection.send(self._head())
        if request.framing == "none":
            await self._connection.send(self._framed(h11.EndOfMessage()))
            self._whole = True
            return
        if request.framing == "expect":
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._within / 2):
                    await self._answer.heard.wait()
        else:
            await self._pause()
        await self._send_body()
        if self._whole and not self._answer.began.is_set():
            await self._finish()

    def _head(self) -> bytes:
        headers = list(self._headers.items())
        if self._request.framing == "chunked":
            headers.append(("Transfer-Encoding", "chunked"))
        elif self._request.framing != "none":
            headers.append(("Content-Length", str(self._wire_size)))
        if self._request.framing == "expect":
            headers.append(("Expect", "100-continue"))
        return self._framed(h11.Request(method=self._request.method, target=self._target, headers=headers))

    async def _send_raw(self) -> None:
        """The head by hand; the parser is told of a request without a body, so that it knows whose answer it reads."""
        headers = list(self._headers.items())
        self._framed(h11.Request(method="POST", target=self._target, headers=headers))
        self._framed(h11.EndOfMessage())
        lines = [f"POST {self._target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        head = "\r\n".join([*lines, *self._request.raw_headers, "", ""]).encode()
        await self._connection.send(head + self._request.raw_content)
        self._sent = self._early = len(self._request.raw_content)
        self._whole = True
        if self._request.ends:
            self._connection.end_sending()

    @override
    async def _send_piece(self, piece: bytes) -> int:
        await self._connection.send(self._framed(h11.Data(data=piece)))
        return len(piece)

    async def _finish(self) -> None:
        if self._parser.our_state is h11.SEND_BODY and (end := self._framed(h11.EndOfMessage())):
            await self._connection.send(end)

    def _framed(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> bytes:
        return self._parser.send(event) or b""

    @override
    async def _read(self, answer: Incoming) -> None:
        while not answer.ended.is_set():
            try:
                event = self._parser.next_event()
                if event is h11.NEED_DATA:
                    self._parser.receive_data(await self._connection.receive())
                    continue
            except OSError:
                answer.finish("reset", self._clock())
            except h11.RemoteProtocolError:
                closed = self._parser.trailing_data[1] and not self._parser.trailing_data[0]
                answer.finish("closed" if closed else "garbled", self._clock())
            else:
                self._heed(event, answer)

    def _heed(self, event: object, answer: Incoming) -> None:
        if isinstance(event, h11.InformationalResponse):
            if event.status_code == 100:
                answer.hundred()
        elif isinstance(event, h11.Response):
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
            answer.head(event.status_code, headers, self._clock())
        elif isinstance(event, h11.Data):
            answer.data(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            answer.finish("answered", self._clock())
        else:
            answer.finish("closed", self._clock())

    @override
    async def _next(self) -> int | None:
        refused_before_the_body = self._request.framing == "expect" and not self._answer.continued
        if self._request.framing == "raw" or refused_before_the_body:
            return None
        if self._parser.their_state is not h11.DONE:
            return 0
        if not self._whole and self._request.most < self._wire_size:
            return None
        try:
            await self._send_rest()
            await self._finish()
            self._parser.start_next_cycle()
            headers = [pair for pair in self._headers.items() if not pair[0].lower().startswith("content-")]
            await self._connection.send(
                self._framed(h11.Request(method="GET", target=self._request.then, headers=headers))
                + self._framed(h11.EndOfMessage())
            )
        except TimeoutError:
            return NO_ANSWER
        except (OSError, h11.LocalProtocolError):
            return 0
        following = Incoming()
        reading = asyncio.create_task(self._read(following))
        await self._wait(following.ended)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        if following.end is None:
            return NO_ANSWER
        if following.end == "garbled":
            return GARBLED
        return following.status
