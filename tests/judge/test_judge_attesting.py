"""Whether a person's answer counts."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from opsproof.judge.attesting import why_it_does_not_count
from opsproof.profile.answers import Answer
from opsproof.profile.attested import Attested

KST = timezone(timedelta(hours=9))
ASKED = datetime(2026, 11, 20, 3, 30, tzinfo=KST)
ITEM = Attested.model_validate(
    {
        "title": {"en": "Told", "ko": "공지"},
        "ask": {"en": "Told?", "ko": "공지?"},
        "runbook": ["ING-033"],
        "markers": ["recovery"],
        "next_step": {"en": "Tell.", "ko": "공지한다."},
        "valid_for": "2h",
    }
)


def why(at: datetime, since: datetime | None = None, **more) -> str:
    answer = Answer.model_validate({"answer": "yes", "by": "kim", "at": at.isoformat()})
    return why_it_does_not_count(answer, ITEM, asked=ASKED, since=since, **more)


@pytest.mark.parametrize("age", [timedelta(0), timedelta(minutes=1), timedelta(hours=2)])
def test_an_answer_counts_to_the_end_of_its_validity(age: timedelta) -> None:
    """The zone in which somebody writes the time does not matter."""
    assert why(ASKED - age) == ""
    assert why((ASKED - age).astimezone(UTC), since=ASKED - age) == ""


def test_what_is_older_does_not_count() -> None:
    """The words say how old it was, and how old it may be."""
    words = "it was 2 h 1 min old when the check looked, and counts for 2h"
    assert why(ASKED - timedelta(hours=2, minutes=1)) == words
    assert why(ASKED - timedelta(hours=2, minutes=1), lang="ko") == "점검 시점에 2 h 1 min 지났으며, 유효 기간은 2h임"


def test_what_is_from_before_the_incident_does_not_count() -> None:
    """The all-clear of the last incident is none of this one; times are told in the zone of the answer."""
    since = datetime(2026, 11, 19, 18, 10, tzinfo=UTC)

    assert why(since, since) == ""
    assert why((since - timedelta(seconds=1)).astimezone(KST), since) == (
        "it is from before the incident began (2026-11-20 03:10 +09:00)"
    )


def test_what_is_dated_after_the_check_does_not_count() -> None:
    """Nobody has seen what has not come yet."""
    assert why(ASKED + timedelta(seconds=1)) == "it is dated after the check itself (2026-11-20 03:30 +09:00)"
