"""A request can be followed from its answer to the log lines that tell of it."""

import pytest

from opsproof import needs, proven_by, runbook

pytestmark = [pytest.mark.smoke, pytest.mark.diagnosis]


@runbook(
    "ING-019",
    severity="SEV-3",
    next_step="See whether a proxy strips the header, or the release lost its request-id middleware.",
)
@proven_by("request-id-not-echoed")
@needs("tracing")
async def test_the_request_id_comes_back(api, profile, run_id):
    """The id that a request brings is on its answer."""
    sent = f"opsproof-{run_id}-echo"
    answer = await api.get(profile.tracing.path, headers={profile.tracing.header: sent})

    echoed = answer.headers.get(profile.tracing.header.lower())
    assert echoed == sent, f"{profile.tracing.header} {sent} was sent, {echoed or 'none'} came back"


@runbook(
    "ING-019",
    severity="SEV-3",
    next_step="See whether logs still arrive and still hold the request id: without it nothing can be traced.",
)
@proven_by("request-id-not-logged")
@needs("tracing")
async def test_a_request_is_found_in_the_logs_by_its_id(api, logs, profile, run_id):
    """The log has a line with the id of a request that was just made."""
    sent = f"opsproof-{run_id}-log"
    await api.get(profile.tracing.path, headers={profile.tracing.header: sent})
    lines = await logs.find({profile.tracing.log_field: sent}, within=profile.tracing.within)

    assert lines, f"no log line with {profile.tracing.log_field} {sent} within {profile.tracing.within:g} s"


@runbook(
    "EVAL-010",
    severity="SEV-3",
    next_step="Restore error_id, path and method in the error handler's log line: diagnosis begins with them.",
)
@proven_by("error-id-not-logged", "request-id-not-logged")
@needs("tracing")
async def test_an_error_is_found_in_the_logs_by_its_error_id(api, logs, profile, run_id):
    """An error's answer and its log line have error_id, path and method, and the same error_id."""
    sent = f"opsproof-{run_id}-error"
    answer = await api.get(profile.tracing.error_path, headers={profile.tracing.header: sent})
    body = answer.field("error")
    lines = await logs.find({profile.tracing.log_field: sent}, within=profile.tracing.within)

    assert lines, f"no log line with {profile.tracing.log_field} {sent} within {profile.tracing.within:g} s"
    absent = {
        "answer": [name for name in profile.tracing.error_fields if not body.get(name)],
        "log line": [name for name in profile.tracing.error_fields if not lines[-1].get(name)],
    }
    assert not any(absent.values()), "; ".join(
        f"the {place} has no {', '.join(names)}" for place, names in absent.items() if names
    )
    assert lines[-1]["error_id"] == body["error_id"], (
        f"the answer's error_id {body['error_id']} is not the log line's {lines[-1]['error_id']}"
    )
