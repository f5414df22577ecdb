"""A window and an incident, as the terminal and the summary tell them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from opsproof.judge.windows import Ending, Span, State, Timeline, WindowFact
from opsproof.report.view import seconds_text
from opsproof.report.windows import bar, course, headline, restless, time_text
from opsproof.report.words import words

BEGIN = datetime(2026, 11, 20, 17, 10, tzinfo=UTC)
SEOUL = ZoneInfo("Asia/Seoul")
MARKS = {".": State.HEALTHY, "x": State.FAILED, "?": State.UNKNOWN, "-": State.GAP}


def line(*spans: tuple[str, float, float], check: str = "demo.well[demo/local]") -> Timeline:
    return Timeline(
        check=check,
        spans=tuple(Span(state=MARKS[mark], start=start, end=end, samples=1) for mark, start, end in spans),
        flaps=0,
    )


def window(*lines: Timeline, ending: Ending = Ending.STABLE, **more: object) -> WindowFact:
    given = {
        "started": BEGIN,
        "ended": BEGIN + timedelta(seconds=40),
        "stable_for": 15.0,
        "interval": 1.0,
        "deadline": 90.0,
        "first_healthy": 18.0,
        "stable_since": 25.0 if ending is Ending.STABLE else None,
        "longest": 15.2,
        "attempts": 40,
        "samples": 771,
        "flaps": 1,
        "gaps": 0,
    }
    return WindowFact.model_validate({**given, "ending": ending, "timelines": lines, **more})


def test_the_bar_shows_each_state_for_as_long_as_it_was_taken_to_last():
    """Between a red sample and the next green one it is still red."""
    seen = line(("x", 0, 9), (".", 10, 19), ("?", 20, 24), ("-", 25, 29), (".", 30, 40))

    assert bar(seen, window(seen), width=8) == "xx..?-.."


def test_a_short_failure_is_not_lost_among_many_samples():
    """A mark stands for the worst of its time."""
    seen = line((".", 0, 19), ("x", 20, 20.1), (".", 21, 40))

    assert bar(seen, window(seen), width=4) == "..x."


def test_a_check_that_was_seen_late_is_blank_before():
    """Nobody knows how it stood."""
    early, late = line((".", 0, 40)), line((".", 20, 40), check="demo.late[demo/local]")

    assert bar(late, window(early, late), width=4) == "  .."


def test_only_what_was_not_healthy_all_the_time_is_listed_the_failed_first():
    """Eight lines are shown; a gap must not push a failure out."""
    steady, gap, red = line((".", 0, 40)), line((".", 0, 9), ("-", 9, 20)), line(("x", 0, 9), (".", 10, 40))

    assert restless(window(steady, gap, red)) == [red, gap]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (window(), "STABLE for 15.2 s, unbroken since 02:10:25 KST (17:10:25Z), 25.0 s after the window began"),
        (window(stable_for=0.0), "READY after 40.0 s, on attempt 40"),
        (
            window(line(), line(), ending=Ending.DEADLINE, unsteady=1),
            "NOT STABLE: 1 of 2 checks were not healthy for 15.0 s without a break",
        ),
        (
            window(line(), ending=Ending.DEADLINE, unsteady=1, stable_for=0.0),
            "NOT READY: 1 of 1 checks were not healthy",
        ),
        (window(ending=Ending.TERMINAL, why="schema"), "STOPPED, since waiting changes nothing: schema"),
        (window(ending=Ending.INTERRUPTED), "NOT STABLE: interrupted"),
    ],
    ids=["stable", "ready", "unsteady", "not-ready", "hopeless", "interrupted"],
)
def test_the_headline_says_how_it_ended(found: WindowFact, said: str):
    """Each ending wants another next step."""
    assert headline(found, SEOUL, words("en")) == said
    assert headline(found, SEOUL, words("ko")) != said


def test_the_course_names_what_never_happened():
    """`never` is not `after 0 s`."""
    assert "never all healthy at once" in course(window(first_healthy=None), words("en"))
    assert "longest stretch 15.2 s of 20.0 s" in course(window(ending=Ending.DEADLINE, stable_for=20.0), words("en"))


def test_a_time_is_local_and_utc_with_both_days_where_they_differ():
    """Two in the night in Seoul is yesterday in UTC."""
    assert time_text(BEGIN, SEOUL) == "02:10:00 KST (17:10:00Z)"
    assert time_text(BEGIN, SEOUL, date=True) == "2026-11-21 02:10:00 KST (2026-11-20 17:10:00Z)"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.25, "250 ms"), (94.2, "94.2 s"), (303, "5 min 3 s"), (15_000, "4 h 10 min"), (184_000, "2 d 3 h")],
)
def test_a_duration_has_the_units_that_a_person_would_take(seconds: float, said: str):
    """A day-old incident began no 1,440 minutes ago."""
    assert seconds_text(seconds) == said
