"""stack.json is changed by several processes at once, and nothing is lost or half-written."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from opsproof.errors import StackError
from opsproof.stack.process import Process
from opsproof.stack.state import FaultNote, PartRecord, StackState, edit_state, read_state, write_state


def a_state(**changes):
    """A state with one part."""
    process = Process(1, 2, "boot")
    part = PartRecord("api", ["serve"], {"A": "1", "B": "2"}, "/", (101, 104), 15, "/log", "127.0.0.1:1", process)
    return StackState("toy", ["ingest"], process, {"api": 1}, {"key": "secret"}, parts={"api": part}, **changes)


def test_a_state_is_read_as_it_was_written(tmp_path):
    """Another process must see the same stack."""
    state = a_state(faults={"one": FaultNote("one", "now", helpers=[Process(3, 4, "boot")])})

    write_state(tmp_path, state)

    assert read_state(tmp_path) == state
    assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0


def test_changes_made_at_once_are_all_kept(tmp_path):
    """`opsproof stack fault` and the process that owns the stack write the same file."""
    write_state(tmp_path, a_state())

    def add(number):
        with edit_state(tmp_path) as state:
            state.faults[f"fault-{number}"] = FaultNote(f"fault-{number}", "now")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(40)))

    assert len(read_state(tmp_path).faults) == 40


def test_a_change_that_fails_changes_nothing(tmp_path):
    """Half a change would be a stack that nobody can heal."""
    write_state(tmp_path, a_state())

    with pytest.raises(StackError, match="no api"), edit_state(tmp_path) as state:
        raise StackError(f"no api but {state.parts.popitem()[0]}", where="here", next_step="none")

    assert read_state(tmp_path) == a_state()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"name": "x", "parts": {}, "faults": {}})])
def test_a_damaged_file_is_said_to_be_damaged(tmp_path, text):
    """Not a traceback about a key."""
    (tmp_path / "stack.json").write_text(text)

    with pytest.raises(StackError, match="notes are damaged"):
        read_state(tmp_path)


def test_faults_change_environment_variables_and_defects_together():
    """Each keeps its own share, so that each can be healed alone."""
    notes = {
        "one": FaultNote("one", "now", {"api": {"A": None}}, {"TOKEN": "x"}, {"status": [1], "auth_off": True}),
        "two": FaultNote("two", "now", {"api": {"B": "3"}}, {}, {"status": [2]}),
    }
    state = a_state(faults=notes, variables={"TOKEN": "t", "URL": "u"})

    assert state.environment_of("api") == {"B": "3"}
    assert state.current_variables() == {"TOKEN": "x", "URL": "u"}
    assert state.current_defects() == {"status": [1, 2], "auth_off": True}
