"""What is known about the request being answered."""

from __future__ import annotations

import re
import time
import uuid
from contextvars import ContextVar
from dataclasses import dataclass, field

from starlette.types import Scope

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request (or of the request that queued the job) that the current task works for."""

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_KEY = "opsproof.request"


@dataclass
class RequestContext:
    """One request: its id, the version that answers it, and its error, if it ended in one."""

    request_id: str
    version: str
    started: float = field(default_factory=time.perf_counter)
    error_id: str = ""
    code: str = ""


def sane_request_id(offered: str) -> str:
    """The caller's request id if it is short and plain, else a new one."""
    return offered if _SANE_ID.fullmatch(offered) else uuid.uuid4().hex


def set_context(scope: Scope, context: RequestContext) -> None:
    """Attach the context to an ASGI scope."""
    scope[_KEY] = context


def context_of(scope: Scope) -> RequestContext:
    """The context of a request's ASGI scope."""
    context: RequestContext = scope[_KEY]
    return context
