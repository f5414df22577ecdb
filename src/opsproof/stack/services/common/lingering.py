"""An answer that is given before the body has come must reach its caller all the same."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BYTES = 16 * 1024 * 1024
_MOST_SECONDS = 1.0
_SHORT_BYTES = 65536


class Lingering:
    """
    Closes a connection in order where an answer comes before the end of the body.

    To close it while bytes still come would reset it, and a reset may overtake the answer. So the answer is sent whole,
    with `Connection: close`; what still comes is thrown away, for a second and 16 MiB at most; then it is closed.
    A body that says it is short (64 KiB) is left to the server, and its connection stays usable.

    Args:
        app: What answers the request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not _may_be_long(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        is_complete = closes = False

        async def watched() -> Message:
            nonlocal is_complete
            message = await receive()
            is_complete = not message.get("more_body", False)
            return message

        async def lingering(message: Message) -> None:
            nonlocal closes
            if message["type"] == "http.response.start":
                closes = not is_complete
                if closes:
                    MutableHeaders(scope=message)["connection"] = "close"
            elif closes and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await _throw_away(receive)
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, watched, lingering)


def _may_be_long(headers: Headers) -> bool:
    declared = headers.get("content-length", "")
    return "transfer-encoding" in headers or (declared.isdigit() and int(declared) > _SHORT_BYTES)


async def _throw_away(receive: Receive) -> None:
    left = _MOST_BYTES
    more = True
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            while more and left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        return
