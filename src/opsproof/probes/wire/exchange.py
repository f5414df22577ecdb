"""One request and what becomes of it: the part that is the same for every version of HTTP."""

import asyncio
import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from opsproof.probes.wire.answer import KEPT_BYTES, End, WireAnswer
from opsproof.probes.wire.bodies import BLOCK
from opsproof.probes.wire.connection import Connection
from opsproof.probes.wire.request import WireRequest

NO_ANSWER = -1
"""What came after, where the connection stayed open and a GET over it was not answered."""

GARBLED = -2
"""What came after, where something that is no HTTP followed."""

SHOWN_FILLER = 64
"""How much filler is left of more, where an answer echoes it."""

_MOMENT = 0.5
_FILLER = re.compile(f"x{{{SHOWN_FILLER},}}")


@dataclass
class Incoming:
    """An answer as it comes in."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    continued: bool = False
    end: End | None = None
    began_after: float = 0.0
    began: asyncio.Event = field(default_factory=asyncio.Event)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def head(self, status: int, headers: dict[str, str], after: float) -> None:
        """The head of the final answer came."""
        self.status, self.headers, self.began_after = status, headers, after
        self.began.set()
        self.heard.set()

    def hundred(self) -> None:
        """`100 Continue` came."""
        self.continued = True
        self.heard.set()

    def data(self, data: bytes) -> None:
        """A piece of the body came; only its beginning is kept."""
        self.body += data[: max(0, KEPT_BYTES - len(self.body))]

    def finish(self, end: End, after: float) -> None:
        """Nothing more will come."""
        if self.end is None:
            self.end = "cut" if self.status and end != "answered" else end
            self.began_after = self.began_after if self.status else after
        self.began.set()
        self.heard.set()
        self.ended.set()


class Exchange:
    """
    Sends a request over a connection of its own, and reads what comes at the same time.

    Args:
        connection: Fresh; closed by the caller.
        request: What is sent.
        headers: All its headers but those that frame the body.
        within: Seconds without progress after which nothing more is waited for.
        until: Set, nothing more of the body is sent.
    """

    def __init__(
        self,
        connection: Connection,
        request: WireRequest,
        headers: dict[str, str],
        within: float,
        until: asyncio.Event,
    ) -> None:
        self._connection = connection
        self._request = request
        self._headers = headers
        self._within = within
        self._until = until
        self._started = time.perf_counter()
        self._answer = Incoming()
        self._sent = 0
        self._early = 0
        self._whole = False

    async def run(self) -> WireAnswer:
        """What became of it; whatever the peer does is an answer."""
        answer = self._answer
        reading = asyncio.create_task(self._read(answer))
        try:
            with contextlib.suppress(OSError, TimeoutError):  # how it ended is what the reader saw
                await self._send()
            if not self._request.trickle:
                await self._wait(answer.ended)
            answer.finish("silent", self._clock())
            after = await self._next() if self._request.then and answer.end == "answered" else None
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        return WireAnswer(
            question=self._request.in_words(),
            end=answer.end or "silent",
            status=answer.status,
            headers=answer.headers,
            text=_FILLER.sub("x" * SHOWN_FILLER, answer.body.decode(errors="replace")),
            elapsed=round(answer.began_after, 6),
            early=self._early,
            sent=self._sent,
            whole=self._whole,
            continued=answer.continued,
            after=after,
        )

    async def _read(self, answer: Incoming) -> None:
        raise NotImplementedError

    async def _send(self) -> None:
        raise NotImplementedError

    async def _next(self) -> int | None:
        """Status of a GET over the same connection; 0 if it was closed, None if it cannot be used."""
        raise NotImplementedError

    async def _send_piece(self, piece: bytes) -> int:
        """Send a piece; returns how many bytes of it were sent before the answer began."""
        raise NotImplementedError

    async def _send_body(self) -> None:
        """The body up to `most`, with its pauses, until the answer begins."""
        for piece in self._pieces():
            if self._answer.began.is_set() or self._until.is_set():
                return
            async with asyncio.timeout(self._within):
                self._sent += await self._send_piece(piece)
            if not self._answer.began.is_set():
                self._early = self._sent
            await self._pause()
        self._whole = self._sent >= self._wire_size

    async def _send_rest(self) -> bool:
        """The rest of the body after an early answer, if it is small enough; true if all of it is sent."""
        if self._whole or self._request.most < self._wire_size:
            return self._whole
        skip = self._sent
        for piece in self._pieces():
            if skip >= len(piece):
                skip -= len(piece)
                continue
            async with asyncio.timeout(self._within):
                self._sent += await self._send_piece(piece[skip:])
            skip = 0
        self._whole = True
        return True

    async def _pause(self) -> None:
        request = self._request
        if request.trickle:
            await self._moment(request.trickle)
        elif self._sent in request.pauses:
            await self._moment(self._within / 3 if self._sent == max(request.pauses) else _MOMENT)

    def _pieces(self) -> Iterator[bytes]:
        """The body's pieces, cut where a pause is due, up to the most that is sent."""
        marks = sorted({*self._request.pauses, self._request.most} - {0})
        at, longest = 0, 1 if self._request.trickle else BLOCK
        for piece in self._request.body.pieces():
            while piece:
                mark = next((mark for mark in marks if mark > at), at)
                taken = min(len(piece), mark - at, longest)
                if taken <= 0:
                    return
                yield piece[:taken]
                at, piece = at + taken, piece[taken:]

    @cached_property
    def _wire_size(self) -> int:
        return self._request.body.wire_size()

    async def _moment(self, seconds: float) -> None:
        """Wait for the beginning of an answer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._answer.began.wait()

    async def _wait(self, event: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._within):
                await event.wait()

    def _clock(self) -> float:
        return time.perf_counter() - self._started
