"""Signs of an outage in the answers that a check got."""

from datetime import UTC, datetime

import pytest

from opsproof.evidence.observation import Failure, Observation
from opsproof.plugin.symptoms import statuses, unwell
from opsproof.profile.models import Profile

PROFILE = Profile.model_validate(
    {
        "system": "demo",
        "environment": "local",
        "title": {"en": "Demo", "ko": "데모"},
        "targets": {
            "api": {"kind": "http", "url": "http://10.0.0.1"},
            "cache": {"kind": "redis", "url": "redis://10.0.0.3:6379/0"},
        },
        "health": {
            "overall": "/health",
            "detailed": "/health/detailed",
            "components": {"redis": "cache", "background_tasks": ""},
        },
    }
)


def seen(answer: dict[str, object] | None, question: str = "GET /health/detailed", target: str = "api") -> Observation:
    return Observation(
        id="1-1",
        profile="demo/local",
        target=target,
        question=question,
        by_hand="curl",
        started=datetime(2026, 5, 6, tzinfo=UTC),
        duration=0.1,
        answer=answer,
        failure=None if answer else Failure("Unreachable", "connection refused", "there", "Start it."),
    )


def page(body: object, status: int = 200, question: str = "GET /health/detailed") -> Observation:
    return seen({"status": status, "body": {"json": body}}, question)


@pytest.mark.parametrize(
    ("observation", "names"),
    [
        pytest.param(page({"status": "healthy", "components": {"redis": {"status": "healthy"}}}), (), id="well"),
        pytest.param(page({"components": {"redis": {"status": "unhealthy"}}}), ("cache",), id="component"),
        pytest.param(page({"components": {"redis": "unhealthy"}}), ("cache",), id="component-by-a-word"),
        pytest.param(page({"components": {"background_tasks": "unhealthy"}}), ("api",), id="component-of-no-target"),
        pytest.param(page({"components": {"disk": None}}), ("api",), id="component-nobody-knows-and-null"),
        pytest.param(page({"status": "degraded"}, question="GET /health"), ("api",), id="degraded"),
        pytest.param(page({"status": "degraded", "components": None}), ("api",), id="no-components"),
        pytest.param(page({"status": "queued"}, question="GET /api/v1/jobs/7"), (), id="no-health-page"),
        pytest.param(page(["degraded"]), (), id="no-object"),
        pytest.param(seen({"status": 502, "body": {"text": "<html>"}}), (), id="no-json"),
        pytest.param(seen(None, "PING", "cache"), ("cache",), id="no-answer"),
    ],
)
def test_a_target_is_unwell_if_it_is_silent_or_a_health_page_says_so(
    observation: Observation, names: tuple[str, ...]
) -> None:
    """What names no target is told of the target that was asked, and never of nothing."""
    assert unwell([observation], PROFILE) == names


def test_the_statuses_are_those_of_http_answers() -> None:
    """A row with a column `status` is no answer with a status."""
    rows = seen({"status": 7}, "SELECT", "cache")

    assert statuses([page({}, 503), page({}, 200), page({}, 503), rows, seen(None)], PROFILE) == (200, 503)
