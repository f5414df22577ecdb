"""Differences are said both ways, and nothing that differs is left out."""

import pytest

from opsproof.rehearsal.restored import changes
from opsproof.rehearsal.restored.inventory import behind
from opsproof.rehearsal.restored.parity import contents, differences, rows


def test_missing_new_and_changed_things_are_each_said():
    """A restore may lose, keep too much, or alter: each is another work for the operator."""
    was = {"a": {"owner": "app", "grants": ["x select", "y select"]}, "b": {"owner": "app"}}
    now = {"a": {"owner": "postgres", "grants": ["x select", "z insert"]}, "c": {"owner": "app"}}

    assert differences("table", was, now) == [
        "table b is missing",
        "table c is there, and was not when the backup was made",
        "table a: grants lacks y select and has besides z insert",
        "table a: owner is postgres, was app",
    ]


@pytest.mark.parametrize(
    ("was", "now", "tolerance", "wrong"),
    [
        pytest.param({"t": 100}, {"t": 100}, 0.0, False, id="the-same"),
        pytest.param({"t": 100}, {"t": 99}, 0.0, True, id="one-less"),
        pytest.param({"t": 100}, {"t": 101}, 0.0, True, id="one-more"),
        pytest.param({"t": 100}, {"t": 95}, 0.05, False, id="within"),
        pytest.param({"t": 100}, {"t": 106}, 0.05, True, id="beyond"),
        pytest.param({"t": 1}, {"t": 0}, 1.0, True, id="none-left-is-never-within"),
        pytest.param({"t": 1}, {}, 1.0, True, id="missing"),
        pytest.param({}, {"t": 0}, 1.0, True, id="new"),
        pytest.param({"t": 0}, {"t": 0}, 0.0, False, id="empty-as-it-was"),
    ],
)
def test_rows_differ_by_no_more_than_the_tolerance(was, now, tolerance, wrong):
    """A share of what was there, up or down; an empty table is wrong whatever the share."""
    assert bool(rows(was, now, tolerance)) is wrong


def test_a_table_that_cannot_be_compared_is_not_well():
    """What is missing has no hash, and that is no reason to be silent."""
    assert contents({"t": {"sha256": "0" * 64, "rows": 3}}, {}) == ["t cannot be compared: it is missing"]


@pytest.mark.parametrize(
    ("following", "reached", "step", "last", "was", "wrong"),
    [
        pytest.param(33, 12, 1, 32, 12, False, id="a-jump-of-a-promotion"),
        pytest.param(12, 12, 1, 11, 11, True, id="taken"),
        pytest.param(13, 12, 1, 12, 20, True, id="given-out-before"),
        pytest.param(1, None, 1, 1, None, False, id="no-rows"),
        pytest.param(-13, -12, -1, -12, -12, False, id="counts-down"),
        pytest.param(-12, -12, -1, -11, -11, True, id="counts-down-and-taken"),
    ],
)
def test_a_sequence_is_ahead_never_equal(following, reached, step, last, was, wrong):
    """Equality would call every promotion a fault: it skips up to 32 numbers."""
    one = {"sequence": "s", "table": "t", "column": "id", "next": following, "reached": reached, "step": step}

    assert bool(behind([one | {"last_value": last}], {} if was is None else {"s": was})) is wrong


def test_an_archive_that_is_written_meanwhile_may_get_segments_and_no_history_file():
    """Production goes on while a rehearsal runs; only a promotion makes a history file."""
    before = {"000000010000000000000001": "16 bytes, sha256 a"}
    after = before | {"000000010000000000000002": "16 bytes, sha256 b", "00000002.history": "9 bytes, sha256 c"}

    assert changes(before, after, still_written=True) == ["00000002.history came into the archive during the rehearsal"]
    of_another = before | {"000000020000000000000002": "16 bytes, sha256 d"}
    assert changes(before, of_another, still_written=True) == [
        "000000020000000000000002 came into the archive during the rehearsal"
    ]
    assert len(changes(before, after)) == 2
    assert changes(before, {}) == ["000000010000000000000001 is gone from the archive"]
