"""The users of a service: traffic that never ends, so that there is something to measure."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from opsproof.stack.services.common.defects import DefectsFile
from opsproof.stack.services.common.settings import Settings

AGENT = "opsproof-users"
"""The User-Agent of their requests."""

_log = logging.getLogger(__name__)
_HOST = "127.0.0.1"
_MOST_AT_ONCE = 200
_PATIENCE_SECONDS = 60.0
_SECONDS_TO_READY = 30.0
_PAUSE_SECONDS = 0.05
_IDLE_SECONDS = 0.2
_CHUNK_BYTES = 65536


@dataclass(frozen=True)
class Visit:
    """
    One request that users make again and again.

    Args:
        path: Path and query.
        body: Sent as JSON; None for no body.
        identity: Whether the request carries the service's API key.
        weight: How often it comes in one round of all visits.
    """

    path: str
    method: str = "GET"
    body: Any = None
    identity: Literal["api-key", "anonymous"] = "api-key"
    weight: int = 1


class Users:
    """
    Sends visits in turn to the service that it runs in, over real HTTP, as its callers do.

    Nobody comes before the service is ready for the first time (30 seconds at most): what it answers while its
    database is still being made would be counted as its errors. Then each visit is made once at once, and after that so
    many a second as the settings say, or the defects while they say more. At most 200 are under way; a visit has 60
    seconds, and what is answered does not matter.

    Args:
        visits: What they ask for.
        port: Where the service listens on 127.0.0.1.
        ready: Whether the service is ready.
    """

    def __init__(
        self,
        visits: Sequence[Visit],
        port: int,
        settings: Settings,
        defects: DefectsFile,
        ready: Callable[[], Awaitable[bool]],
    ) -> None:
        self._visits = [visit for visit in visits for _ in range(visit.weight)]
        self._port = port
        self._settings = settings
        self._defects = defects
        self._ready = ready
        self._coming: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Let them come; nobody does where there is nothing to visit."""
        if self._visits:
            self._coming = asyncio.create_task(self._come())

    async def stop(self) -> None:
        """Send everybody away."""
        tasks = [*self._under_way, *([self._coming] if self._coming else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _come(self) -> None:
        if self._per_second():
            await self._until_ready()
            for visit in self._visits:
                self._send(visit)
        for visit in itertools.cycle(self._visits):
            while not (rate := self._per_second()):
                await asyncio.sleep(_IDLE_SECONDS)
            await asyncio.sleep(1 / rate)
            if len(self._under_way) < _MOST_AT_ONCE:
                self._send(visit)

    def _per_second(self) -> float:
        defects = self._defects.current()
        if defects.users_stay_away:
            return 0
        concerned = not defects.users_of or self._settings.system in defects.users_of
        return (concerned and defects.users_per_second) or self._settings.users_per_second

    async def _until_ready(self) -> None:
        until = time.monotonic() + _SECONDS_TO_READY
        while time.monotonic() < until and not await self._ready():
            await asyncio.sleep(_PAUSE_SECONDS)

    def _send(self, visit: Visit) -> None:
        task = asyncio.create_task(self._visit(visit))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _visit(self, visit: Visit) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await pay(visit, self._port, self._settings.api_key)
        except (OSError, TimeoutError) as error:
            _log.debug("a visit to %s had no answer: %s", visit.path, type(error).__name__)


async def pay(visit: Visit, port: int, api_key: str) -> None:
    """
    Make one visit to a service on 127.0.0.1, whatever it answers.

    Args:
        api_key: What the visit carries if it has an identity.

    Raises:
        OSError: Nobody listens there, or the connection was lost.
    """
    reader, writer = await asyncio.open_connection(_HOST, port)
    try:
        writer.write(_request(visit, port, api_key))
        while await reader.read(_CHUNK_BYTES):
            pass
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _request(visit: Visit, port: int, api_key: str) -> bytes:
    body = b"" if visit.body is None else json.dumps(visit.body).encode()
    head = [
        f"{visit.method} {visit.path} HTTP/1.1",
        f"Host: {_HOST}:{port}",
        f"User-Agent: {AGENT}",
        "Connection: close",
        f"Content-Length: {len(body)}",
    ]
    if visit.body is not None:
        head.append("Content-Type: application/json")
    if visit.identity == "api-key":
        head.append(f"X-API-Key: {api_key}")
    return "\r\n".join([*head, "", ""]).encode() + body
