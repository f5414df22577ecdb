"""What tells, from outside, how a registration ends: a real one is sent, looked at, and removed again."""

import json
import time
from typing import Any

from opsproof.stack.ask import ask
from opsproof.stack.faults.seen import Seen
from opsproof.stack.stack import Stack

_SECONDS = 3.0
_PAUSE = 0.05
_PRODUCT = {"domeggook_item_id": "DG999998"}


def registration_fails_with(code: str) -> Seen:
    """A new registration ends with this error code."""

    def seen(stack: Stack, system: str) -> bool:
        sent = _ask(stack, "POST", "/v1/products", _PRODUCT)
        if sent is None:
            return False
        path = f"/v1/jobs/{sent['job_id']}"
        try:
            end = time.monotonic() + _SECONDS
            while time.monotonic() < end:
                job = _ask(stack, "GET", path) or {}
                if job.get("status") in ("COMPLETED", "FAILED"):
                    return any(item["error_code"] == code for item in job["items"])
                time.sleep(_PAUSE)
        finally:
            _ask(stack, "DELETE", path)
        return False

    return seen


def _ask(stack: Stack, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
    variables = stack.variables
    headers = {"X-API-Key": variables["STOREBRIDGE_API_KEY"], "Content-Type": "application/json"}
    raw = None if body is None else json.dumps(body).encode()
    answer = ask(f"{variables['STOREBRIDGE_URL']}{path}", method=method, headers=headers, body=raw)
    if answer is None or answer.status >= 300:
        return None
    found = answer.json()
    return found if isinstance(found, dict) else None
