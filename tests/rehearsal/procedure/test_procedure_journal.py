"""What was done is on disk before the next step begins."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from opsproof.errors import OpsproofError
from opsproof.rehearsal.procedure.journal import Entry, Journal

PLAN = "a" * 64
AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
DYING = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from opsproof.rehearsal.procedure.journal import Entry, Journal

journal = Journal(Path(sys.argv[1]), sys.argv[2])
journal.begin("run")
journal.note(Entry("first", "passed", datetime.now(UTC), {"token": "t"}))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def journal(tmp_path):
    made = Journal(tmp_path / "journals" / "region-loss.jsonl", PLAN)
    made.begin("run-1")
    return made


def test_what_was_noted_is_read_again_in_its_order(journal):
    """Status, time and what later steps need."""
    entries = [Entry("first", "passed", AT, {"token": "키"}), Entry("second", "failed", AT, {})]
    for entry in entries:
        journal.note(entry)

    assert Journal(journal.path, PLAN).read() == entries


def test_every_line_is_on_disk_when_it_is_noted(journal, monkeypatch):
    """A machine that loses its power in the next step has done this one."""
    synced = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(os.fstat(fd).st_size), sync(fd)))

    journal.note(Entry("first", "passed", AT, {}))

    assert synced == [journal.path.stat().st_size]


def test_a_process_that_is_killed_leaves_what_it_has_done(tmp_path):
    """`kill -9` in the middle of a rehearsal."""
    path = tmp_path / "journal.jsonl"
    done = subprocess.run([sys.executable, "-c", DYING, str(path), PLAN], check=False, timeout=120)

    assert done.returncode == -signal.SIGKILL
    assert [(one.step, one.state) for one in Journal(path, PLAN).read()] == [("first", {"token": "t"})]


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_last_line_that_was_cut_is_no_step(journal, cut):
    """It was being written when the power went."""
    journal.note(Entry("first", "passed", AT, {}))
    journal.note(Entry("second", "passed", AT, {}))
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])

    assert [one.step for one in journal.read()] == ["first"]


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"step": "x"}', '{"step": "x", "status": "passed", "at": "?", "state": 1}']
)
def test_a_damaged_line_in_the_middle_is_an_error_that_names_it(journal, line):
    """A journal that somebody has edited is no basis to go on from."""
    journal.note(Entry("first", "passed", AT, {}))
    lines = journal.path.read_text().split("\n")
    journal.path.write_text("\n".join([lines[0], line, *lines[1:]]))

    with pytest.raises(OpsproofError, match="line 2 is damaged"):
        journal.read()


def test_a_journal_of_another_plan_is_refused(journal):
    """Steps that were added since would be left out in silence."""
    journal.note(Entry("first", "passed", AT, {}))

    with pytest.raises(OpsproofError, match="the plan has changed since") as told:
        Journal(journal.path, "b" * 64).read()
    assert "without --resume" in told.value.next_step


def test_a_journal_that_is_not_there_is_told(tmp_path):
    """There is nothing to resume."""
    with pytest.raises(OpsproofError, match="there is no journal"):
        Journal(tmp_path / "none.jsonl", PLAN).read()


def test_a_journal_that_was_cut_in_its_first_line_is_of_no_plan(journal):
    """Nothing of it can be taken over."""
    journal.path.write_bytes(journal.path.read_bytes()[:-5])

    with pytest.raises(OpsproofError, match="nothing of it can be taken over"):
        journal.read()


def test_beginning_anew_keeps_what_the_earlier_rehearsal_left(journal):
    """The auditor asks for both."""
    journal.note(Entry("first", "passed", AT, {}))
    before = journal.path.read_bytes()

    journal.begin("run-2")

    assert journal.read() == []
    assert json.loads(journal.path.read_text())["run"] == "run-2"
    (kept,) = [path for path in journal.path.parent.iterdir() if path != journal.path]
    assert kept.read_bytes() == before


def test_beginning_anew_twice_in_a_second_keeps_both(journal):
    """Two rehearsals that were given up at once."""
    for run in ("run-2", "run-3", "run-4"):
        journal.begin(run)

    kept = {json.loads(path.read_text())["run"] for path in journal.path.parent.iterdir()}
    assert kept == {"run-1", "run-2", "run-3", "run-4"}
