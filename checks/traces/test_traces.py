"""What the assistant answers agrees with the data, and how it came to the answer can be inspected."""

import asyncio

import pytest

from opsproof import each, needs, proven_by, runbook

pytestmark = [pytest.mark.diagnosis]


@pytest.mark.canary_criteria
@pytest.mark.recovery
@runbook(
    "OPS-003",
    "OPS-014",
    severity="SEV-1",
    next_step="Read the tool_calls of the trace, then Diff and RCA: plan, tool path or query asset is wrong.",
)
@proven_by("ops-wrong-answer", "ops-filter-narrowed", "ops-asset-draft")
@each(answer="answers")
async def test_the_answer_agrees_with_the_data(api, database, answer):
    """The number in the newest answer is the one that the data gives."""
    trace, truth = await asyncio.gather(api.get(answer.path), database.value(answer.sql))
    said = trace.field(answer.value)

    assert said == truth, f"{answer.path} says {answer.value} = {said}, and the data says {truth}"


@runbook(
    "OPS-004",
    "OPS-016",
    "OPS-031",
    "OPS-043",
    "OPS-053",
    severity="SEV-2",
    next_step="Restore what is missing in the trace: every diagnosis of an answer begins with it.",
)
@proven_by("ops-trace-without-tools", "secret-rotated")
@needs("inspector")
async def test_a_trace_can_be_inspected(api, profile):
    """The newest traces tell blocks, tool calls, steps with time, row counts and filters; a failed call says why."""
    paths = [profile.inspector.trace.format(query=query) for query in profile.inspector.queries]
    answers = await asyncio.gather(*(api.get(path) for path in paths))
    refused = [
        f"{path} answers {answer.describe()}" for path, answer in zip(paths, answers, strict=True) if not answer.ok
    ]
    assert not refused, "; ".join(refused)

    traces = [answer.json() for answer in answers]
    gaps = {
        trace.get("query"): missing for trace in traces if (missing := _missing(trace, profile.inspector.block_types))
    }
    assert not gaps, "; ".join(f"the trace of {query} lacks {', '.join(missing)}" for query, missing in gaps.items())


def _missing(trace, block_types):
    blocks = trace.get("answer", {}).get("blocks") or [{}]
    calls = trace.get("tool_calls") or [{}]
    found = {
        "answer.blocks of a known type": all(block.get("type") in block_types for block in blocks),
        "tool_calls": all(call.get("tool") and call.get("step_id") for call in calls),
        "execution_steps with duration_ms and error": all(
            isinstance(step.get("duration_ms"), (int, float)) and "error" in step
            for step in trace.get("execution_steps") or [{}]
        ),
        "references with row_count": all("row_count" in one for one in trace.get("references") or [{}]),
        "meta.filters": "filters" in trace.get("meta", {}),
        "error.message of a failed call": all(_is_told(call.get("error"), call.get("kind")) for call in calls),
    }
    return [name for name, there in found.items() if not there]


def _is_told(error, kind):
    """A failed call says why; one that went outside also with which request."""
    return not error or bool(
        error.get("message") and (kind != "http" or error.get("request") or not error.get("status"))
    )
