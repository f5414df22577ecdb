"""The stopwatch: each moment once, in order; and no second that is not accounted for."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from opsproof.errors import OpsproofError
from opsproof.rehearsal.clock.anchor import Anchor
from opsproof.rehearsal.clock.stopwatch import UNEXPLAINED, Stopwatch

T0 = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def test_moments_that_were_not_noted_stay_unknown():
    """A skipped step must never look as if it took no time."""
    watch = Stopwatch()
    watch.note("t0", T0)
    watch.note("t3", T0 + timedelta(seconds=9))

    moments = watch.moments

    assert moments.t3 == T0 + timedelta(seconds=9)
    assert (moments.t1, moments.t2, moments.t4, moments.t5, moments.t6) == (None,) * 5


@pytest.mark.parametrize(
    ("moment", "at", "words"),
    [
        pytest.param("t3", T0 + timedelta(seconds=20), "t3 was noted already", id="twice"),
        pytest.param("t1", T0 + timedelta(seconds=20), "t1 cannot be noted after t3", id="out-of-order"),
        pytest.param("t4", T0 + timedelta(seconds=5), "would be before t3", id="before-an-earlier-one"),
        pytest.param("t4", datetime(2026, 11, 21, 4), "has no zone", id="without-a-zone"),
    ],
)
def test_a_moment_that_cannot_be_true_is_refused(moment, at, words):
    """A clock whose order nobody holds proves no objective."""
    watch = Stopwatch()
    watch.note("t0", T0)
    watch.note("t3", T0 + timedelta(seconds=10))

    with pytest.raises(OpsproofError, match=words):
        watch.note(moment, at)


def test_phases_and_the_unexplained_time_are_the_whole():
    """Time between two phases is part of the outage, and is shown."""
    watch = Stopwatch()
    begin = watch.note("t0")
    watch.begin("declare")
    watch.end("declare")
    watch.begin("database")
    watch.end("database")
    end = watch.note("t4", watch.anchor.now() + timedelta(seconds=30))

    durations = watch.durations()

    assert list(durations) == ["declare", "database", UNEXPLAINED]
    assert sum(durations.values()) == pytest.approx((end - begin).total_seconds(), abs=1e-5)
    assert durations[UNEXPLAINED] >= 30


def test_what_was_done_before_the_failure_is_no_part_of_the_outage():
    """Making ready takes as long as it takes."""
    watch = Stopwatch()
    watch.begin("verify")
    watch.end("verify")
    watch.begin("database")
    watch.note("t0")
    watch.end("database")

    assert list(watch.durations()) == ["database", UNEXPLAINED]


def test_phases_never_overlap():
    """Else their sum would be more than the whole."""
    watch = Stopwatch()
    watch.begin("declare")

    with pytest.raises(OpsproofError, match="database cannot begin while declare goes on"):
        watch.begin("database")
    with pytest.raises(OpsproofError, match="database cannot end"):
        watch.end("database")


def test_without_a_failure_there_are_no_durations():
    """There is nothing to count from."""
    watch = Stopwatch()
    watch.begin("verify")
    watch.end("verify")

    assert watch.durations() == {}


def test_a_resumed_stopwatch_never_stood_still(tmp_path):
    """The service was down while the rehearsal's own process was, too."""
    watch = Stopwatch(tmp_path / "watch.json")
    watch.note("t0", watch.anchor.now() - timedelta(seconds=100))
    watch.begin("database")

    resumed = Stopwatch.resume(tmp_path / "watch.json")
    resumed.note("t4")

    assert resumed.open == ""
    assert resumed.uncertainty == ""
    durations = resumed.durations()
    assert sum(durations.values()) >= 100
    assert resumed.anchor == watch.anchor


def test_what_an_interrupted_phase_did_is_known_up_to_its_last_step(tmp_path):
    """The rest is part of the outage that nobody can explain."""
    watch = Stopwatch(tmp_path / "watch.json")
    watch.note("t0")
    watch.begin("database")
    watch.save()

    resumed = Stopwatch.resume(tmp_path / "watch.json")
    resumed.begin("database")
    resumed.end("database")
    end = resumed.note("t4")

    durations = resumed.durations()
    assert list(durations) == ["database", UNEXPLAINED]
    assert durations[UNEXPLAINED] > 0
    assert sum(durations.values()) == pytest.approx((end - resumed.moments.t0).total_seconds(), abs=1e-5)


def test_after_a_restart_of_the_machine_the_uncertainty_is_said(tmp_path):
    """Ticks of another start of the machine mean nothing, and wall clocks may differ."""
    path = tmp_path / "watch.json"
    watch = Stopwatch(path)
    watch.note("t0")
    kept = json.loads(path.read_text())
    kept["anchor"]["boot"] = "another"
    path.write_text(json.dumps(kept))

    resumed = Stopwatch.resume(path)

    assert "joined by wall clocks alone" in resumed.uncertainty
    assert resumed.anchor.alive
    resumed.save()
    assert Stopwatch.resume(path).uncertainty == resumed.uncertainty


@pytest.mark.parametrize("content", ["", "[]", '{"schema": 9}'], ids=["empty", "a-list", "another-schema"])
def test_a_file_that_is_no_stopwatch_is_refused(tmp_path, content):
    """Never a traceback for a damaged file."""
    (tmp_path / "watch.json").write_text(content)

    with pytest.raises(OpsproofError, match="the stopwatch's file cannot be read"):
        Stopwatch.resume(tmp_path / "watch.json")


def test_an_anchor_survives_being_kept():
    """Another process must count on the same scale."""
    anchor = Anchor.here()

    assert Anchor.from_json(json.loads(json.dumps(anchor.to_json()))) == anchor
