"""The layer that answers wrongly, slowly or without end where the defects say so."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator

from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsproof.stack.services.common.database import PRE_PING
from opsproof.stack.services.common.defects import Defects
from opsproof.stack.services.common.failures import ApiError, error_response
from opsproof.stack.services.common.request_scope import SYNTHETIC, client_of
from opsproof.stack.services.common.services import Services

_log = logging.getLogger("opsproof.service")
_CHUNK = b"." * 1023 + b"\n"
_CHUNK_SECONDS = 0.02


class Misbehaviour:
    """
    Stands before the service and does what the defects ask of a path.

    Args:
        app: What answers the request otherwise.
        services: The service that it stands before.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services
        self._waiting: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        defects = self._services.defects.current()
        database = self._services.database
        held = defects.hold_connections
        if defects.hold_overflow and database.pool_size.overflow:
            held = database.pool_size.size + defects.hold_overflow
        await database.hold(held)
        PRE_PING.set(not defects.no_pre_ping or client_of(scope) == SYNTHETIC)
        for line in defects.log_lines:
            _log.error(line)
        path = scope["path"]
        for slow in defects.slow:
            if slow.concerns(path) and self._services.defects.falls_on(f"slow {slow.path}", slow.share):
                await asyncio.sleep(slow.seconds)
        for busy in defects.busy:
            if busy.concerns(path):
                if self._waiting[path] >= busy.at_once:
                    await error_response(scope, ApiError(503, "too much at once"))(scope, receive, send)
                    return
                await self._wait(path, busy.seconds)
        late = sum(defect.seconds for defect in defects.late if defect.concerns(path))
        answer = self._answer(scope, defects)
        await (answer or self._app)(scope, _delayed(receive, late) if late else receive, send)

    async def _wait(self, path: str, seconds: float) -> None:
        self._waiting[path] += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._waiting[path] -= 1

    def _answer(self, scope: Scope, defects: Defects) -> Response | None:
        path = scope["path"]
        for status in defects.status:
            if status.method not in ("", scope["method"]):
                continue
            if status.concerns(path) and self._services.defects.falls_on(f"status {status.path}", status.share):
                return error_response(scope, ApiError(status.status, "a defect of this release"))
        for body in defects.body:
            if body.concerns(path) and body.method in ("", scope["method"]):
                return Response(body.text, status_code=body.status, media_type=body.content_type)
        if any(defect.concerns(path) for defect in defects.endless):
            return StreamingResponse(_endless(), media_type="text/plain")
        if any(defect.concerns(path) for defect in defects.redirect_loop):
            return RedirectResponse(path)
        for loaded in defects.loaded:
            if loaded.concerns(path) and self._services.defects.come_often(loaded.path, loaded.above):
                return error_response(scope, ApiError(503, "too much in these ten seconds"))
        return None


def _delayed(receive: Receive, seconds: float) -> Receive:
    """What was received is handed on later: a caller who leaves meanwhile is not noticed."""

    async def later() -> Message:
        message = await receive()
        await asyncio.sleep(seconds)
        return message

    return later


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield _CHUNK
        await asyncio.sleep(_CHUNK_SECONDS)
