"""
The guard against large bodies.

Starlette's own limit answers in plain text where an endpoint never reads the body; callers of these services get the
documented error body in every case.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsproof.stack.services.common.defects import DefectsFile
from opsproof.stack.services.common.failures import ApiError, error_response


class BodyLimit:
    """
    Refuses bodies over a limit: by Content-Length at once, else as soon as the limit is passed.

    Args:
        app: What answers the request.
        limit: Bytes; 0 turns the guard off.
        defects: May change the status of the refusal.
    """

    def __init__(self, app: ASGIApp, limit: int, defects: DefectsFile) -> None:
        self._app = app
        self._limit = limit
        self._defects = defects

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or self._limit == 0:
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > self._limit:
            await error_response(scope, self._refusal())(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise self._refusal()
            return message

        await self._app(scope, counted, send)

    def _refusal(self) -> ApiError:
        return too_large(f"the body is over the limit of {self._limit} bytes", self._defects)


def too_large(message: str, defects: DefectsFile) -> ApiError:
    """The refusal of what is too large: 413, unless a defect says otherwise."""
    return ApiError(defects.current().payload_status or 413, message)
