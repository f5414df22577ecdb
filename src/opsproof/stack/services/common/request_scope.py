"""The outermost layer of every request: its id, its log line, its metrics, its version header."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsproof.stack.names import GATE, SUPERVISOR
from opsproof.stack.services.common.context import REQUEST_ID, RequestContext, context_of, sane_request_id, set_context
from opsproof.stack.services.common.failures import ApiError, code_of, error_response
from opsproof.stack.services.common.services import Services

_log = logging.getLogger("opsproof.access")
SYNTHETIC = "synthetic"
"""What a gate asks, as the label `client` of the metrics has it."""


class RequestScope:
    """
    Gives a request its id and version, and accounts for it before the last byte of its answer is sent.

    So whoever has the answer finds its log line and its count; those of a supervisor's questions are not made.

    Args:
        app: What answers the request.
        services: The service that it runs in.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        defects = self._services.defects.current()
        offered = asked.get("x-request-id", "")
        request_id = "" if defects.no_own_request_id and not offered else sane_request_id(offered)
        context = RequestContext(request_id, self._version())
        set_context(scope, context)
        REQUEST_ID.set(context.request_id)
        echo = not defects.no_request_id_echo
        status = 0
        accounted = asked.get("user-agent") == SUPERVISOR

        async def marked(message: Message) -> None:
            nonlocal status, accounted
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-app-version"] = context.version
                if echo:
                    headers["x-request-id"] = context.request_id
            elif not message.get("more_body", False) and not accounted:
                accounted = True
                self._account(scope, status)
            await send(message)

        try:
            await self._app(scope, receive, marked)
        except Exception:  # a defect of ours: the caller gets an error id, the log gets the traceback
            _log.exception("unexpected error")
            if status:
                raise
            await error_response(scope, ApiError(500, "an unexpected error happened"))(scope, receive, marked)
        finally:
            if not accounted:
                self._account(scope, status or 499)

    def _version(self) -> str:
        defects = self._services.defects.current()
        if defects.version is not None and self._services.defects.falls_on("version", defects.version_share):
            return defects.version
        return self._services.settings.version

    def _account(self, scope: Scope, status: int) -> None:
        context = context_of(scope)
        seconds = time.perf_counter() - context.started
        method, path = scope["method"], scope["path"]
        template = _template(scope, self._services.system.routes)
        self._services.metrics.observe(method, template, client_of(scope), status, seconds)
        fields = {
            "method": method,
            "path": path,
            "status": status,
            "duration_ms": round(seconds * 1000, 2),
            "version": context.version,
        }
        if status >= 400:
            fields["error_id"] = context.error_id or uuid.uuid4().hex
            fields["code"] = context.code or code_of(status)
        level = logging.ERROR if status >= 500 else logging.WARNING if status >= 400 else logging.INFO
        _log.log(level, "%s %s %s", method, template, status, extra={"fields": fields})


def client_of(scope: Scope) -> str:
    """Who asked: what a gate asks itself is no traffic of users."""
    product = Headers(scope=scope).get("user-agent", "").partition("/")[0]
    return SYNTHETIC if product == GATE else "user"


def _template(scope: Scope, routes: Sequence[BaseRoute]) -> str:
    """The path template, also of a request that was answered before it was routed."""
    route = scope.get("route") or next((known for known in routes if known.matches(scope)[0] is not Match.NONE), None)
    return route.path if isinstance(route, Route) else "unmatched"
