"""The core paths of the API, and how far an incident reaches."""

import asyncio
from collections import Counter

import pytest

from opsproof import NoData, PreconditionMissing, each, needs, proven_by, runbook

pytestmark = [pytest.mark.smoke, pytest.mark.diagnosis]


@pytest.mark.alert
@pytest.mark.recovery
@pytest.mark.dr
@runbook(
    "EVAL-013",
    "ING-021",
    severity="SEV-1",
    verifies="answer",
    next_step="Follow the error_id of the answer through the logs; if it began with the release, roll back.",
)
@proven_by("core-endpoint-500", "wrong-body", "html-body", "slow-answers", "table-locked", "secret-rotated")
@proven_by("core-field-null", "factory-ai-judgment-503", "storebridge-no-pagination")
@proven_by("one-replica-500", "fails-under-load")
@each(endpoint="core")
async def test_core_endpoint_answers(api, endpoint):
    """A core path answers 2xx with the fields that its callers need; many at once, too, where the profile says so."""
    answer = await api.get(endpoint.path, identity=endpoint.identity)
    wrong = _wrong(answer, endpoint)
    assert not wrong, wrong

    # Only a path that answers is asked more: nobody who is ill is pressed.
    more = (
        api.get(endpoint.path, identity=endpoint.identity, new_connection=True) for _ in range(endpoint.at_once - 1)
    )
    answers = await asyncio.gather(*more, return_exceptions=True)
    failing = Counter(filter(None, (_wrong(answer, endpoint) for answer in answers)))
    assert not failing, f"{sum(failing.values())} of {endpoint.at_once} requests: " + "; ".join(
        f"{count} x {why}" for why, count in failing.most_common(3)
    )


@runbook(
    "ING-007",
    severity="SEV-2",
    next_step="This is the scope of the incident; write it into the record, and begin with the database, then redis.",
)
@proven_by("api-stopped", "api-frozen", "postgres-stopped", "redis-stopped", "table-locked")
@proven_by("core-endpoint-500", "slow-answers", "secret-rotated", "factory-ai-judgment-503")
@needs("core", "authorization")
async def test_no_area_is_impaired(api, database, cache, profile):
    """API paths, authorization, database and cache are asked, each for itself, and every one answers."""
    questions = {
        **{endpoint.path: api.get(endpoint.path, identity=endpoint.identity) for endpoint in profile.core},
        "authorization": api.get(profile.authorization.path, identity=profile.authorization.admitted),
        "database": database.value("SELECT 1"),
        "cache": cache.ping(),
    }
    answers = await asyncio.gather(*questions.values(), return_exceptions=True)

    impaired = {area: why for area, answer in zip(questions, answers, strict=True) if (why := _impairment(answer))}
    sound = ", ".join(area for area in questions if area not in impaired) or "nothing"
    assert not impaired, (
        "impaired: " + "; ".join(f"{area} ({why})" for area, why in impaired.items()) + f"; sound: {sound}"
    )
    for answer in answers:
        if isinstance(answer, PreconditionMissing):
            raise answer


def _wrong(answer, endpoint):
    """What is wrong with an answer, in words; "" if nothing."""
    if isinstance(answer, Exception):
        return f"{endpoint.path}: {getattr(answer, 'what', repr(answer))}"
    if not answer.ok:
        return f"{endpoint.path} answers {answer.status_line}"
    states = {name: _state(answer, name) for name in endpoint.fields}
    lacking = [f"{name} is {state}" for name, state in states.items() if state]
    return f"{endpoint.path} answers {answer.status_line}, but {', '.join(lacking)}" if lacking else ""


def _state(answer, name):
    """What is wrong with a field; "" if it holds something."""
    try:
        return "null" if answer.field(name) is None else ""
    except NoData:
        return "absent"


def _impairment(answer):
    if isinstance(answer, PreconditionMissing):
        return ""
    if isinstance(answer, Exception):
        return getattr(answer, "what", repr(answer))
    if hasattr(answer, "ok") and not answer.ok:
        return answer.describe()
    return ""
