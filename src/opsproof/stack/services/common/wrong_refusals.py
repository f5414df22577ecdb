"""What a guard does wrong with a body that is too large, where the defects say so."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsproof.stack.services.common.defects import Refusal
from opsproof.stack.services.common.failures import ApiError, error_response

_MOST_KEPT = 256 * 1024 * 1024
_ECHOED = 4096
_SILENT_SECONDS = 0.5
_AT_ONCE = ("reset", "hang")
_EARLY = ("keep", "echo")
_LATE = ("read-whole", "store", "truncate")


class WrongRefusals:
    """
    Answers bodies over a limit in a wrong way.

    Args:
        app: What takes a body that is within the limit.
        limit: Bytes; 0 for no limit.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._kept: list[bytes] = []

    def forget(self) -> None:
        """Let go of the bodies that were kept."""
        self._kept.clear()

    async def answer(self, refusal: Refusal, scope: Scope, arriving: Receive, receive: Receive, send: Send) -> bool:
        """
        Answer a request, but one whose body is surely within the limit.

        Args:
            refusal: What is done wrong.
            arriving: The body, unpacked, within its time, of any size.
            receive: What comes from the server.

        Returns:
            Whether it was answered; if not, its body is still to be read.

        Raises:
            ApiError: The body is wrong for another reason.
        """
        headers = Headers(scope=scope)
        is_over = int(headers.get("content-length", 0)) > self._limit
        if not self._limit or not (is_over or "transfer-encoding" in headers or "content-encoding" in headers):
            return False
        taken = 0 if refusal in _AT_ONCE or (refusal in _EARLY and "expect" in headers) else self._limit
        body = await self._read(arriving, is_over, None if refusal in _LATE else taken, refusal != "read-whole")
        if not is_over and len(body) <= self._limit:
            await self._app(scope, _replayed(body), send)
            return True
        match refusal:
            case "reset":
                scope["state"]["reset"]()
                await _until_gone(receive)
                return True
            case "hang":
                await _until_gone(receive)
                return True
            case "truncate":
                await self._app(scope, _replayed(_cut(body, self._limit)), send)
                return True
            case "store":
                await self._app(scope, _replayed(body), _to_nobody)
            case "keep" if sum(map(len, self._kept)) < _MOST_KEPT:
                self._kept.append(body)
        shown = f": {body[:_ECHOED].decode(errors='replace')}" if refusal == "echo" else ""
        error = ApiError(413, f"the body is over the limit of {self._limit} bytes{shown}")
        await error_response(scope, error)(scope, receive, send)
        return True

    async def _read(self, arriving: Receive, is_over: bool, most: int | None, gives_up: bool) -> bytes:
        """
        A body to its end, or what has come of one that is too large.

        Args:
            most: How many bytes of it are enough; None for all.
            gives_up: Whether half a second without a byte is its end.
        """
        body = bytearray()
        more = True
        while more:
            is_over = is_over or len(body) > self._limit
            if is_over and most is not None and len(body) >= most:
                break
            try:
                async with asyncio.timeout(_SILENT_SECONDS if is_over and gives_up else None):
                    message = await arriving()
            except TimeoutError:
                break
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return bytes(body)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _replayed(body: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


async def _to_nobody(message: Message) -> None:
    """Nobody is told."""


def _cut(body: bytes, limit: int) -> bytes:
    """A JSON body with its texts cut, so that it is within the limit; what is no JSON is cut where the limit is."""
    try:
        document = json.loads(body)
    except ValueError:
        return body[:limit]
    return json.dumps(_short(document, limit // 2)).encode()


def _short(value: Any, most: int) -> Any:
    match value:
        case dict():
            return {name: _short(part, most) for name, part in value.items()}
        case str():
            return value[:most]
        case _:
            return value
