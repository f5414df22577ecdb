"""A target of a recovery is refused before anything is restored, where it does not mean what it says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.archive import Point, Target, choose_backup, lint

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OLD = Point("old", NOON - timedelta(days=1), "0/3000000")
NEW = Point("new", NOON - timedelta(hours=1), "0/8000000")
BEFORE = Point("before", NOON - timedelta(seconds=1), "0/9000000", 700)
AFTER = Point("behind", NOON + timedelta(seconds=1), "0/9100000", 702)
LAST = Point("last", NOON + timedelta(minutes=5), "0/9900000", 800)
AT = Point("the transaction", NOON, "0/9050000", 701)
SOUND = Target(time="2026-11-21T12:00:00+00:00", inclusive=True, timeline=1, action="promote")


def said(target, place=None, **changed):
    given = {"backups_ended": [OLD, NEW], "newest_commit": LAST, "marker_before": BEFORE, "marker_after": AFTER}
    return "; ".join(lint(target, **{**given, **changed}, place=place))


@pytest.mark.parametrize(
    ("target", "place"),
    [
        pytest.param(SOUND, None, id="time"),
        pytest.param(replace(SOUND, time="2026-11-21 21:00:00+09:00"), None, id="time-of-another-zone"),
        pytest.param(replace(SOUND, time="2026-11-21 12:00:00Z"), None, id="time-with-z"),
        pytest.param(replace(SOUND, time=None, lsn="0/9050000"), None, id="lsn"),
        pytest.param(replace(SOUND, time=None, xid=701), AT, id="xid"),
        pytest.param(replace(SOUND, time=None, name="before-release"), AT, id="restore-point"),
        pytest.param(replace(SOUND, time=None, immediate=True), None, id="immediate"),
    ],
)
def test_a_sound_target_is_let_through(target, place):
    """A linter that always objects is switched off."""
    assert said(target, place) == ""


@pytest.mark.parametrize(
    ("target", "word"),
    [
        pytest.param(replace(SOUND, time="2026-11-21 12:00:00"), "no offset", id="no-offset"),
        pytest.param(replace(SOUND, time="2026-11-21"), "no offset", id="a-date"),
        pytest.param(replace(SOUND, time="2026-11-21 12:00:00 KST"), "no offset", id="letters-of-a-zone"),
        pytest.param(replace(SOUND, time="yesterday 12:00+00"), "is no time", id="words"),
        pytest.param(replace(SOUND, name="x"), "exactly one", id="two-targets"),
        pytest.param(replace(SOUND, time=None), "got none", id="no-target"),
        pytest.param(replace(SOUND, time="2026-11-19T12:00:00Z"), "no base backup ended", id="before-every-backup"),
        pytest.param(replace(SOUND, time="2026-11-21T12:05:00Z"), "nothing ends it", id="at-the-last-commit"),
        pytest.param(replace(SOUND, time="2026-11-21T13:00:00Z"), "nothing ends it", id="behind-the-last-commit"),
        pytest.param(replace(SOUND, time="2026-11-21T11:30:00Z"), "marker before", id="before-its-marker"),
        pytest.param(replace(SOUND, time="2026-11-21T12:01:00Z"), "marker behind", id="behind-the-other-marker"),
        pytest.param(replace(SOUND, action=None), "means pause", id="action-left-out"),
        pytest.param(replace(SOUND, action="pause"), "is pause", id="pause"),
        pytest.param(replace(SOUND, inclusive=None), "inclusive", id="inclusive-left-out"),
        pytest.param(replace(SOUND, timeline=None), "means latest", id="timeline-left-out"),
        pytest.param(replace(SOUND, timeline=5), "timeline 5", id="unknown-timeline"),
        pytest.param(replace(SOUND, time=None, xid=9), "nobody looked", id="unknown-transaction"),
        pytest.param(replace(SOUND, time=None, lsn="9050000"), "expected a position", id="no-position"),
        pytest.param(replace(SOUND, backup="new", time="2026-11-21T10:30:00Z"), "no base backup", id="named-too-new"),
    ],
)
def test_an_unsound_target_is_refused_for_its_own_reason(target, word):
    """Each of these restores something else than was asked for, mostly with exit status 0."""
    assert word in said(target)


def test_a_target_without_markers_is_refused():
    """Nobody could see on which side of it the recovery ended."""
    assert "no marker before" in said(SOUND, marker_before=None)
    assert "no marker behind" in said(SOUND, marker_after=None)
    assert "not known" in said(SOUND, newest_commit=None)


def test_latest_is_refused_where_there_are_two_timelines():
    """The latest one may be that of a rehearsal."""
    assert "say which" in said(replace(SOUND, timeline="latest"), timelines=(1, 2))


def test_an_exclusive_target_gives_up_what_is_exactly_at_it():
    """A marker at the target itself is there, or not, by `inclusive` alone."""
    at_it = replace(BEFORE, at=NOON)
    assert said(SOUND, marker_before=at_it) == ""
    assert "marker before" in said(replace(SOUND, inclusive=False), marker_before=at_it)


def test_the_newest_backup_that_ended_before_the_target_is_chosen():
    """Least WAL to replay; and never the latest for want of a fitting one."""
    assert choose_backup(SOUND, [OLD, NEW]) == NEW
    assert choose_backup(replace(SOUND, time="2026-11-21T10:30:00Z"), [OLD, NEW]) == OLD
    assert choose_backup(replace(SOUND, backup="old"), [OLD, NEW]) == OLD
    with pytest.raises(PreconditionMissing, match="no base backup ended before"):
        choose_backup(replace(SOUND, time="2026-11-19T10:30:00Z"), [OLD, NEW])


def test_a_target_becomes_the_settings_of_postgresql():
    """What was judged is what is set, and nothing beside it."""
    assert SOUND.settings() == {
        "recovery_target_time": "2026-11-21T12:00:00+00:00",
        "recovery_target_inclusive": "on",
        "recovery_target_timeline": "1",
        "recovery_target_action": "promote",
    }
