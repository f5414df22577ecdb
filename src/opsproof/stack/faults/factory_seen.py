"""What tells, from outside, that a decision engine does wrong: it is asked, and what that stored is deleted again."""

import json
import time
from typing import Any

from opsproof.stack.ask import ask
from opsproof.stack.stack import Stack

_EXECUTIONS = "/api/v1/judgment/executions"
_SECONDS_TO_END = 1.5
_PAUSE = 0.02


def model_is_skipped(stack: Stack, system: str) -> bool:
    """A judgment that only the model may make is made by rules."""
    body = {"workflow_id": "defect-vision", "method": "LLM_ONLY", "input": {"temperature": 95}, "use_cache": False}
    judged = _ask(stack, "POST", _EXECUTIONS, body)
    if judged is None:
        return False
    _ask(stack, "DELETE", f"{_EXECUTIONS}/{judged['execution_id']}")
    return bool(judged["decided_by"] == "RULE")


def simulation_ignores_versions(stack: Stack, system: str) -> bool:
    """A what-if question is answered with another version than it names."""
    body = {"execution_id": "jud-456", "override_versions": {"ruleset": "v1.3.0"}}
    found = _ask(stack, "POST", "/api/v1/judgment/simulate", body)
    return found is not None and found["simulated"]["ruleset_version"] != "v1.3.0"


def feedback_is_lost(stack: Stack, system: str) -> bool:
    """Feedback is taken, and there is nothing to take back."""
    given = _ask(stack, "POST", "/api/v1/feedback", {"execution_id": "jud-456", "value": "thumbs_up"})
    return given is not None and _ask(stack, "DELETE", f"/api/v1/feedback/{given['feedback_id']}") is None


def workflow_is_stuck(stack: Stack, system: str) -> bool:
    """A workflow that takes no time is begun, or waits, and does not end."""
    sent = _ask(stack, "POST", "/api/v1/workflows", {"workflow_id": "notification"})
    if sent is None:
        return False
    path = f"/api/v1/workflows/{sent['instance_id']}"
    try:
        begun = time.monotonic()
        while time.monotonic() < begun + _SECONDS_TO_END:
            found = _ask(stack, "GET", path) or {}
            if found.get("status") == "COMPLETED":
                return False
            time.sleep(_PAUSE)
        return found.get("status") in ("PENDING", "RUNNING")
    finally:
        _ask(stack, "DELETE", path)


def _ask(stack: Stack, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """The answer's JSON, {} where it has none; None for an error."""
    variables = stack.variables
    headers = {"X-API-Key": variables["FACTORY_AI_API_KEY"], "Content-Type": "application/json"}
    raw = None if body is None else json.dumps(body).encode()
    answer = ask(f"{variables['FACTORY_AI_URL']}{path}", method=method, headers=headers, body=raw)
    if answer is None or answer.status >= 300:
        return None
    found = answer.json()
    return found if isinstance(found, dict) else {}
