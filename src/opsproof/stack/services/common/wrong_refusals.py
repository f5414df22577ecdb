"""What a guard does wrong with a body that is too large, where the defects say so."""

from __future__ import annotations

import json
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsproof.stack.services.common.defects import Refusal
from opsproof.stack.services.common.failures import ApiError, error_response

_MOST_KEPT = 256 * 1024 * 1024
_ECHOED = 4096


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

    async def answer(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> bool:
        """
        Answer a request, but one whose Content-Length is within the limit.

        Args:
            refusal: What is done wrong.

        Returns:
            Whether it was answered; if not, its body is still to be read.
        """
        headers = Headers(scope=scope)
        if not self._limit or (
            "transfer-encoding" not in headers and int(headers.get("content-length", 0)) <= self._limit
        ):
            return False
        at_once = refusal in ("reset", "hang")
        body = await _read(receive, self._limit if at_once else None)
        if len(body) <= self._limit:
            await self._app(scope, _replayed(body), send)
            return True
        match refusal:
            case "reset":
                scope["state"]["reset"]()
                return True
            case "hang":
                await _read(receive, None)
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


async def _read(receive: Receive, most: int | None) -> bytes:
    """A body to its end, or until there is more of it than `most`."""
    body = bytearray()
    more = True
    while more and (most is None or len(body) <= most):
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


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
