"""Errors that a caller sees, all of one shape and never with a stack trace."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler, Scope

from opsproof.stack.services.common.context import context_of

_CODES = {400: "BAD_REQUEST", 413: "PAYLOAD_TOO_LARGE", 422: "INVALID", 429: "RATE_LIMITED", 500: "INTERNAL"}


class ApiError(Exception):
    """
    A request that is answered with an error.

    Args:
        status: HTTP status, 400 to 599.
        message: What is wrong, for the caller.
        code: The error's code; left out, it follows from the status.
        headers: Further response headers.
    """

    def __init__(self, status: int, message: str, *, code: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or code_of(status)
        self.headers = dict(headers or {})


class Unavailable(Exception):
    """
    Something that the service needs gives no usable answer.

    Args:
        part: `database`, `cache` or `queue`.
        reason: Why, in words, without address or credential.
    """

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason


def code_of(status: int) -> str:
    """The error code that goes with an HTTP status."""
    if status in _CODES:
        return _CODES[status]
    try:
        return HTTPStatus(status).name
    except ValueError:
        return f"HTTP_{status}"


def error_response(scope: Scope, error: ApiError) -> Response:
    """The error body for a request; its error id is kept for the log line."""
    context = context_of(scope)
    context.error_id = uuid.uuid4().hex
    context.code = error.code
    body = {
        "error_id": context.error_id,
        "code": error.code,
        "message": error.message,
        "path": scope["path"],
        "method": scope["method"],
        "request_id": context.request_id,
    }
    return JSONResponse({"error": body}, status_code=error.status, headers=error.headers)


def _answer(request: Request, error: Exception) -> Response:
    match error:
        case ApiError():
            known = error
        case Unavailable():
            message = f"the {error.part} is not usable: {error.reason}"
            known = ApiError(503, message, code=f"{error.part.upper()}_UNAVAILABLE")
        case HTTPException():
            known = ApiError(error.status_code, error.detail, headers=error.headers)
        case _:
            known = ApiError(499, "the caller closed the connection", code="CLIENT_CLOSED")
    return error_response(request.scope, known)


EXCEPTION_HANDLERS: dict[type[Exception], ExceptionHandler] = dict.fromkeys(
    (ApiError, Unavailable, HTTPException, ClientDisconnect), _answer
)
"""The handlers to build an application with."""
