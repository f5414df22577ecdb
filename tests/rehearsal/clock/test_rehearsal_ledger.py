"""The ledger's file: what a killed writer leaves is readable, and what cannot be true is refused."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from opsproof.errors import OpsproofError, Refused
from opsproof.rehearsal.clock.anchor import Anchor
from opsproof.rehearsal.clock.ledger import Server, read_ledger
from opsproof.rehearsal.clock.ledger_file import LedgerFile

SERVER = Server("77", 1, "0/1700000", "on")


@pytest.fixture
def path(tmp_path):
    """A ledger of three writes: acknowledged, refused, and without an answer."""
    with LedgerFile(tmp_path / "ledger.jsonl", interval=0.5) as ledger:
        ledger.sent(1, "a")
        ledger.acked(1, SERVER)
        ledger.sent(2, "b")
        ledger.unacked(2, "no answer within 1 s")
        ledger.sent(3, "c")
        ledger.end()
    return tmp_path / "ledger.jsonl"


def line(path, **said):
    """Add a line to a ledger that says so, behind the begin."""
    content = [one for one in path.read_text().splitlines() if '"end"' not in one]
    path.write_text("\n".join([*content, json.dumps({"tick": 1e9, **said})]) + "\n")


def test_what_was_written_is_read(path):
    """Each write with its answer, or without."""
    ledger = read_ledger(path)

    assert [(one.id, one.value, one.acked is not None, one.why) for one in ledger.entries] == [
        (1, "a", True, ""),
        (2, "b", False, "no answer within 1 s"),
        (3, "c", False, ""),
    ]
    assert ledger.entries[0].server == SERVER
    assert (ledger.interval, ledger.torn, ledger.closed) == (0.5, 0, True)
    assert len(ledger.sha256) == 64


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_torn_last_line_is_tolerated_and_counted(path, cut):
    """A writer that was killed had not acted upon the line that it did not finish."""
    path.write_bytes(path.read_bytes()[:-cut])

    ledger = read_ledger(path)

    assert ledger.torn == 1
    assert not ledger.closed
    assert len(ledger.entries) == 3


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_ledger_is_continued_after_a_torn_line(path, cut):
    """A resumed rehearsal goes on with ids that were never used, whole line or not."""
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b'{"kind":"end"') - cut])

    with LedgerFile(path, interval=0.5) as again:
        again.sent(again.last + 1, "d")
        again.acked(again.last, SERVER)
        again.end()
    ledger = read_ledger(path)

    assert ledger.torn == 1
    assert [one.value for one in ledger.entries] == ["a", "b", "d"]
    assert ledger.closed
    assert ledger.writer == again.writer


def test_ids_only_grow(path):
    """An id that is sent twice may have been applied by the first sending."""
    with LedgerFile(path, interval=0.5) as again, pytest.raises(ValueError, match="id 3 after 3"):
        again.sent(3, "x")


def test_a_ledger_has_one_writer_at_a_time(path):
    """Two processes with the same ids would make every row conflicting."""
    with LedgerFile(path, interval=0.5), pytest.raises(Refused, match="another writer has the ledger open"):
        LedgerFile(path, interval=0.5)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param({"kind": "sent", "id": 3, "value": "x"}, "line 7 sends id 3 a second time", id="duplicate"),
        pytest.param({"kind": "sent", "id": 0, "value": "x"}, "sends id 0 after 3", id="order"),
        pytest.param({"kind": "acked", "id": 9}, "answers id 9, which this writer never sent", id="never-sent"),
        pytest.param({"kind": "unacked", "id": 1, "why": "x"}, "answers id 1 a second time", id="answered-twice"),
        pytest.param({"kind": "unacked", "id": 3, "why": "x", "tick": 0}, "before it was sent", id="before-sent"),
        pytest.param({"kind": "sent", "id": "x", "value": "x"}, "is not of the ledger's form", id="no-number"),
        pytest.param({"kind": "maybe"}, "says 'maybe', which this version does not know", id="unknown-kind"),
        pytest.param({}, "is not of the ledger's form", id="no-kind"),
        pytest.param({"kind": "begin", "schema": 2}, "is of schema 2, and this version reads 1", id="schema"),
        pytest.param(
            {"kind": "begin", "schema": 1, "writer": "other"}, "is of another writer: other", id="another-writer"
        ),
    ],
)
def test_a_ledger_that_cannot_be_true_is_refused(path, said, words):
    """Numbers of lost writes from such a file would be made up."""
    line(path, **said)

    with pytest.raises(OpsproofError, match=words) as refused:
        read_ledger(path)

    assert str(path) in refused.value.where


def test_a_damaged_line_in_the_middle_is_refused(path):
    """A torn line is the last one of its writer; another one was damaged later, or changed."""
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:2], lines[2][:-4], *lines[3:], b""]))

    with pytest.raises(OpsproofError, match="line 3 is not a line of a ledger"):
        read_ledger(path)


@pytest.mark.parametrize("content", [b"", b"\x00\xff\n", b'{"kind":"sent","tick":1,"id":1,"value":""}\n'])
def test_a_file_that_is_no_ledger_is_refused(tmp_path, content):
    """An empty ledger shows no loss, and proves nothing."""
    (tmp_path / "ledger.jsonl").write_bytes(content)

    with pytest.raises(OpsproofError, match="the ledger cannot be trusted"):
        read_ledger(tmp_path / "ledger.jsonl")


def test_a_ledger_that_is_not_there_is_an_error(tmp_path):
    """It is never as if nothing had been lost."""
    with pytest.raises(OpsproofError, match="the ledger cannot be read: No such file"):
        read_ledger(tmp_path / "ledger.jsonl")


def test_times_are_given_by_the_stopwatch_that_asks(path):
    """A wall clock that was set between the two must not change what was lost."""
    here = Anchor.here()
    ahead = Anchor(here.wall + timedelta(hours=1), here.tick, here.boot)

    plain, shifted = read_ledger(path), read_ledger(path, ahead)

    moved = (shifted.entries[0].sent - plain.entries[0].sent).total_seconds()
    assert moved == pytest.approx(3600, abs=1)
    assert shifted.uncertainty == ""


def test_times_of_another_machine_are_said_to_be_uncertain(path):
    """Two wall clocks may lie apart by more than was lost."""
    elsewhere = Anchor(datetime.now(UTC), 5.0, "another-machine")

    assert "wall clock of another machine" in read_ledger(path, elsewhere).uncertainty
