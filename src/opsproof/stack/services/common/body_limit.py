"""
The guard against bodies that are too large, too slow or not what they say.

Starlette's own limit answers in plain text where an endpoint never reads the body; callers of these services get the
documented error body in every case.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsproof.stack.services.common.defects import Defects, DefectsFile
from opsproof.stack.services.common.failures import ApiError, error_response
from opsproof.stack.services.common.inflating import Inflated
from opsproof.stack.services.common.wrong_refusals import WrongRefusals


class BodyLimit:
    """
    Refuses bodies over a limit: by Content-Length before a byte is read, else as soon as the limit is passed.

    A compressed body (gzip, deflate) is unpacked here, and counted on the wire as well as unpacked. What takes longer
    than its time gets 408, another encoding 415, one that is broken or framed in two ways at once 400.

    Args:
        app: What answers the request.
        limit: Bytes; 0 for no limit.
        seconds: How long a body may take to come, as a whole.
        defects: May keep the guard from doing so.
    """

    def __init__(self, app: ASGIApp, limit: int, seconds: int, defects: DefectsFile) -> None:
        self._app = app
        self._limit = limit
        self._seconds = seconds
        self._defects = defects
        self._wrong = WrongRefusals(app, limit)
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        defects = self._defects.current()
        async with self._one_at_a_time if defects.body_blocks_others else nullcontext():
            try:
                if defects.refusal:
                    arriving = self._body(Headers(scope=scope), receive, defects, 0).receive
                    if await self._wrong.answer(defects.refusal, scope, arriving, receive, send):
                        return
                else:
                    self._wrong.forget()
                body = self._body(Headers(scope=scope), receive, defects, self._limit)
                if defects.body_blocks_others:
                    await body.wait_for_all()
            except ApiError as refusal:
                await error_response(scope, refusal)(scope, receive, send)
                return
            await self._app(scope, body.receive, send)

    def _body(self, headers: Headers, receive: Receive, defects: Defects, limit: int) -> _Body:
        declared = headers.get("content-length", "")
        chunked = "transfer-encoding" in headers
        if declared and chunked:
            raise ApiError(400, "Content-Length and Transfer-Encoding exclude each other")
        if chunked and defects.chunked_not_counted:
            limit = 0
        refusal = too_large(f"the body is over the limit of {limit} bytes", self._defects)
        if limit and int(declared or 0) > limit:
            raise refusal
        inflated_limit = 0 if defects.inflated_not_counted else limit
        inflated = Inflated(headers.get("content-encoding", ""), inflated_limit, refusal)
        patient = defects.body_blocks_others or defects.slow_body_unbounded or defects.late
        return _Body(receive, limit, inflated, None if patient else self._seconds, refusal)


class _Body:
    """A body as it comes: counted, unpacked, within its time."""

    def __init__(
        self, receive: Receive, limit: int, inflated: Inflated, seconds: float | None, refusal: ApiError
    ) -> None:
        self._receive = receive
        self._limit = limit
        self._inflated = inflated
        self._seconds = seconds
        self._refusal = refusal
        self._until = None if seconds is None else asyncio.get_running_loop().time() + seconds
        self._seen = 0
        self._is_complete = False
        self._ahead: list[Message] = []

    async def receive(self) -> Message:
        """The next part of it."""
        if self._ahead:
            return self._ahead.pop(0)
        if self._is_complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            what = f"the body did not come within {self._seconds} s"
            raise ApiError(408, what, headers={"Connection": "close"}) from None
        if message["type"] != "http.request":
            return message
        raw = message.get("body", b"")
        self._seen += len(raw)
        if self._limit and self._seen > self._limit:
            raise self._refusal
        self._is_complete = not message.get("more_body", False)
        return {**message, "body": self._inflated.more(raw, last=self._is_complete)}

    async def wait_for_all(self) -> None:
        """Take all of it before anybody asks for it."""
        ahead: list[Message] = []
        while not self._is_complete and (not ahead or ahead[-1]["type"] == "http.request"):
            ahead.append(await self.receive())
        self._ahead = ahead


def too_large(message: str, defects: DefectsFile) -> ApiError:
    """The refusal of what is too large: 413, unless a defect says otherwise."""
    return ApiError(defects.current().payload_status or 413, message)
