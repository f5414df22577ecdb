"""A request can be followed from its answer to the log lines that tell of it."""

import pytest

from opsproof import PreconditionMissing, needs, proven_by, runbook

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
    _be_ok(answer, profile)

    echoed = answer.headers.get(profile.tracing.header.lower())
    assert echoed == sent, f"{profile.tracing.header} {sent} was sent, {echoed or 'none'} came back"


@runbook(
    "ING-019",
    severity="SEV-3",
    next_step="Let the request-id middleware make an id where the client sends none: most clients do not.",
)
@proven_by("request-id-not-made", "request-id-not-echoed", "request-id-not-logged")
@needs("tracing")
async def test_a_request_without_an_id_is_given_one(api, logs, profile):
    """A request that brings no id has one on its answer, and a log line has it, too."""
    answer = await api.get(profile.tracing.path)
    _be_ok(answer, profile)

    given = answer.headers.get(profile.tracing.header.lower())
    assert given, f"no {profile.tracing.header} was sent, and none came back"
    lines = await logs.find({profile.tracing.log_field: given}, within=profile.tracing.within)
    assert lines, f"no log line with {profile.tracing.log_field} {given} within {profile.tracing.within:g} s"


@runbook(
    "ING-019",
    severity="SEV-3",
    next_step="See whether logs still arrive and still hold id, path and method: without them nothing can be traced.",
)
@proven_by("request-id-not-logged", "wrong-path-logged", "wrong-method-logged")
@needs("tracing")
async def test_a_request_is_found_in_the_logs_by_its_id(api, logs, profile, run_id):
    """The log has a line with the id, the path and the method of a request that was just made."""
    sent = f"opsproof-{run_id}-log"
    answer = await api.get(profile.tracing.path, headers={profile.tracing.header: sent})
    _be_ok(answer, profile)

    lines = await logs.find({profile.tracing.log_field: sent}, within=profile.tracing.within)
    assert lines, f"no log line with {profile.tracing.log_field} {sent} within {profile.tracing.within:g} s"
    asked = _asked(profile.tracing.path)
    told = [{name: line.get(name) for name in asked} for line in lines]
    assert asked in told, f"GET {asked['path']} was asked, the log line says {told[-1]['method']} {told[-1]['path']}"


@runbook(
    "EVAL-010",
    severity="SEV-3",
    next_step="Restore error_id, path and method in the error handler's log line: diagnosis begins with them.",
)
@proven_by("error-id-not-logged", "request-id-not-logged", "wrong-path-logged", "wrong-method-logged")
@needs("tracing")
async def test_an_error_is_found_in_the_logs_by_its_error_id(api, logs, profile, run_id):
    """An error's log line has the error_id of its answer; both tell the path and the method that were asked."""
    sent = f"opsproof-{run_id}-error"
    answer = await api.get(profile.tracing.error_path, headers={profile.tracing.header: sent})
    body = answer.field("error")
    error_id = body.get("error_id") if isinstance(body, dict) else None
    assert error_id, f"{profile.tracing.error_path} answers {answer.describe()} with an error without error_id"
    lines = await logs.find({"error_id": error_id}, within=profile.tracing.within)
    assert lines, f"no log line with error_id {error_id} within {profile.tracing.within:g} s"

    wrong = [
        *_wrong("answer", body, profile.tracing.error_fields, _asked(profile.tracing.error_path)),
        *_wrong(
            "log line",
            lines[-1],
            (*profile.tracing.error_fields, profile.tracing.log_field),
            _asked(profile.tracing.error_path) | {profile.tracing.log_field: sent},
        ),
    ]
    assert not wrong, "; ".join(wrong)


def _be_ok(answer, profile):
    """An error is no plain request: what can be traced of it says nothing of the others."""
    if not answer.ok:
        raise PreconditionMissing(
            f"{profile.tracing.path} answers {answer.describe()}; a request that succeeds was to be traced",
            where=profile.tracing.path,
            next_step="Repair what fails there first; or give tracing.path of the profile a path that answers 2xx.",
            target="api",
        )


def _asked(path):
    """What a log line tells of a GET; most leave out the query, and so it is never compared."""
    return {"path": path.partition("?")[0], "method": "GET"}


def _wrong(place, found, names, expected):
    for name in names:
        if not found.get(name):
            yield f"the {place} has no {name}"
        elif name in expected and found[name] != expected[name]:
            yield f"{name} is {expected[name]}, the {place} says {found[name]}"
