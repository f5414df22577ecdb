"""What a trace looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from opsproof.stack.services.ops_assistant.golden import Plan


@dataclass(frozen=True)
class ToolError:
    """
    Why a tool call failed.

    Args:
        type: timeout, http_5xx, denied, database, or other.
        status: HTTP status, if there was an answer.
        request: Method and address of an external call, without its credential.
    """

    type: str
    message: str
    status: int | None = None
    request: Mapping[str, str] | None = None


@dataclass(frozen=True)
class ToolCall:
    """One tool call of a trace; `kind` is sql, http or internal."""

    step_id: str
    tool: str
    kind: str
    duration_ms: float
    attempts: int
    error: ToolError | None = None


def trace_document(
    *,
    identity: str,
    query: str,
    plan: Plan,
    intent: str,
    calls: Sequence[ToolCall],
    row_count: int,
    value: int,
    user: Mapping[str, Any],
) -> dict[str, Any]:
    """A trace as Inspector shows it: answer, tool calls, steps, references, context and filters."""
    failed = next((call.error for call in calls if call.error), None)
    message = "No data" if row_count == 0 else ""
    text = message or f"{plan.question} {value}"
    return {
        "id": identity,
        "query": query,
        "status": "error" if failed else "ok",
        "duration_ms": round(sum(call.duration_ms for call in calls), 2),
        "plan": {"intent": intent},
        "answer": {
            "value": value,
            "message": message,
            "blocks": [{"type": plan.block, "title": plan.question, "text": text, "row_count": row_count}],
        },
        "tool_calls": [asdict(call) for call in calls],
        "execution_steps": [
            {
                "step_id": call.step_id,
                "name": call.tool,
                "duration_ms": call.duration_ms,
                "error": call.error and call.error.message,
            }
            for call in calls
        ],
        "references": [{"kind": calls[0].kind, "asset": plan.asset, "row_count": row_count}],
        "context": {"current_user": dict(user)},
        "meta": {"filters": dict(plan.filters), "error": failed and failed.message},
    }
