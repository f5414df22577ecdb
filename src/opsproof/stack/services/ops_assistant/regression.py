"""Compares a trace with the baseline of the same golden query: diff, verdict, and the rules of root cause analysis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

Trace = dict[str, Any]

FALLS_TO_WARN = 0.8
FALLS_TO_FAIL = 0.2
_SPIKE_FACTOR = 3.0
_SPIKE_MS = 800.0


@dataclass(frozen=True)
class Fired:
    """
    A rule that fired.

    Args:
        confidence: high; low where it may be a false alarm.
        evidence: Dotted path into the trace.
    """

    rule: str
    confidence: str
    evidence: str


def row_ratio(baseline: Trace, candidate: Trace) -> float:
    """Rows that the candidate refers to, of those of the baseline; 1 where the baseline has none."""
    before, now = _rows(baseline), _rows(candidate)
    return now / before if before else 1.0


def diff(baseline: Trace, candidate: Trace) -> dict[str, Any]:
    """What differs, each with both sides; row counts always."""
    sides = {
        "plan.intent": [side.get("plan", {}).get("intent") for side in (baseline, candidate)],
        "tools": [_tools(side) for side in (baseline, candidate)],
        "answer.value": [side.get("answer", {}).get("value") for side in (baseline, candidate)],
        "filters": [side.get("meta", {}).get("filters") for side in (baseline, candidate)],
        "errors": [_errors(side) for side in (baseline, candidate)],
    }
    changed = {name: {"baseline": a, "candidate": b} for name, (a, b) in sides.items() if a != b}
    return {**changed, "row_count": {"baseline": _rows(baseline), "candidate": _rows(candidate)}}


def judge(baseline: Trace, candidate: Trace) -> tuple[str, str]:
    """The verdict PASS, WARN or FAIL, and its reason."""
    changed, ratio = diff(baseline, candidate), row_ratio(baseline, candidate)
    if "errors" in changed:
        return "FAIL", f"a tool fails that did not in the baseline: {'; '.join(_errors(candidate))}"
    if "plan.intent" in changed:
        return "FAIL", f"the plan's intent is {changed['plan.intent']['candidate']}"
    if ratio <= FALLS_TO_FAIL:
        return "FAIL", f"row_count fell to {ratio:.0%} of the baseline"
    if "answer.value" in changed and ratio == 1:
        return "FAIL", "the same rows give another answer"
    if ratio <= FALLS_TO_WARN:
        return "WARN", f"row_count fell to {ratio:.0%} of the baseline"
    if "tools" in changed:
        return "WARN", "the tool path differs from the baseline's"
    return "PASS", "as the baseline"


def rules(baseline: Trace, candidate: Trace) -> list[dict[str, str]]:
    """The rules of root cause analysis that fire."""
    return [asdict(fired) for fired in _fired(baseline, candidate, diff(baseline, candidate))]


def _fired(baseline: Trace, candidate: Trace, changed: dict[str, Any]) -> Iterator[Fired]:
    if "plan.intent" in changed:
        yield Fired("Plan Intent Shift", "high", "plan.intent")
    if "tools" in changed:
        yield Fired("Tool Path Changes", "high", "tool_calls")
    if _rows(candidate) == 0 < _rows(baseline) and not _errors(candidate):
        yield Fired("No Data Ambiguity", "low" if "filters" in changed else "high", "references.0.row_count")
    before = {call["tool"]: call["duration_ms"] for call in baseline.get("tool_calls", ())}
    for number, call in enumerate(candidate.get("tool_calls", ())):
        usual = before.get(call["tool"])
        if usual is not None and call["duration_ms"] > max(usual * _SPIKE_FACTOR, usual + _SPIKE_MS):
            yield Fired("Tool Duration Spike", "high", f"tool_calls.{number}.duration_ms")
        status = (call["error"] or {}).get("status")
        if status is not None and status >= 500:
            yield Fired("HTTP 5xx", "high", f"tool_calls.{number}.error.request")


def _rows(trace: Trace) -> int:
    return sum(int(reference["row_count"]) for reference in trace.get("references", ()))


def _tools(trace: Trace) -> list[str]:
    return [call["tool"] for call in trace.get("tool_calls", ())]


def _errors(trace: Trace) -> list[str]:
    return [f"{call['tool']}: {call['error']['message']}" for call in trace.get("tool_calls", ()) if call["error"]]
