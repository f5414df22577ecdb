"""Times of records."""

from datetime import UTC, datetime

import pytest

from opsproof.report.records.times import answer_due, duration_text, local_and_utc, post_mortem_due

NIGHT = datetime(2026, 11, 19, 17, 10, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Asia/Seoul", "2026-11-20 02:10 KST (2026-11-19 17:10 UTC)"),
        ("Europe/Berlin", "2026-11-19 18:10 +01:00 (2026-11-19 17:10 UTC)"),
        ("UTC", "2026-11-19 17:10 UTC"),
    ],
)
def test_a_time_is_local_with_utc_beside_it(zone: str, text: str) -> None:
    """A record that is 9 hours off sends people to the wrong logs."""
    assert local_and_utc(NIGHT, zone) == text


@pytest.mark.parametrize(
    ("seconds", "ko", "en"),
    [
        (0.25, "0.2초", "0.2 s"),
        (5, "5초", "5 s"),
        (60, "1분", "1 min"),
        (94, "94초", "94 s"),
        (303, "5분 3초", "5 min 3 s"),
        (7810, "2시간 10분", "2 h 10 min"),
        (86400, "24시간", "24 h"),
    ],
)
def test_durations_are_written_as_people_say_them(seconds: float, ko: str, en: str) -> None:
    """Nobody counts 7,810 seconds at night."""
    assert (duration_text(seconds, "ko"), duration_text(seconds, "en")) == (ko, en)


def test_the_post_mortem_of_p1_is_due_24_hours_after_the_end() -> None:
    """EVAL-038."""
    assert local_and_utc(post_mortem_due("P1", NIGHT, "Asia/Seoul"), "Asia/Seoul").startswith("2026-11-21 02:10 KST")


@pytest.mark.parametrize(
    ("ended", "due"),
    [
        pytest.param("2026-11-19T17:10+00:00", "2026-11-25", id="friday-in-korea-thursday-in-utc"),
        pytest.param("2026-11-21T03:00+00:00", "2026-11-25", id="saturday"),
        pytest.param("2026-09-23T03:00+00:00", "2026-09-30", id="before-chuseok-which-takes-two-working-days"),
        pytest.param("2026-12-30T03:00+00:00", "2027-01-05", id="over-new-year"),
    ],
)
def test_p2_has_three_business_days_of_korea(ended: str, due: str) -> None:
    """EVAL-039: weekends and Korea's holidays do not count."""
    assert post_mortem_due("P2", datetime.fromisoformat(ended), "Asia/Seoul").date().isoformat() == due


@pytest.mark.parametrize(
    ("priority", "due"),
    [("P0", "2026-11-20 02:10 KST"), ("P1", "2026-11-20 02:40 KST"), ("P2", "2026-11-20 23:59 KST")],
)
def test_an_alert_is_answered_at_once_within_30_minutes_or_on_the_working_day(priority, due) -> None:  # type: ignore[no-untyped-def]
    """SB-071."""
    assert local_and_utc(answer_due(priority, NIGHT, "Asia/Seoul"), "Asia/Seoul").startswith(due)


def test_a_p2_of_the_weekend_waits_for_monday() -> None:
    """Saturday has no working hours."""
    saturday = datetime(2026, 11, 21, 3, tzinfo=UTC)

    assert answer_due("P2", saturday, "Asia/Seoul").date().isoformat() == "2026-11-23"
