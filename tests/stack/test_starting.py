"""A part that does not start is named, with the reason, and takes everything else with it."""

import sys

import pytest
from lifetimes import nothing_left, stacks_in

from opsproof.errors import StackError
from opsproof.stack import Stack, starting
from opsproof.stack.parts import SYSTEMS, Launch, Part
from opsproof.stack.parts.valkey import Valkey


class Toy(Part):
    """Runs a line of Python, and never answers."""

    name = "toy"
    listens = False

    def __init__(self, code):
        self.code = code

    def launch(self, plan):
        return Launch([sys.executable, "-c", self.code.replace("SECRET", plan.secrets["toy.jwt"])], plan.directory)

    def missing(self, plan):
        return "it never answers"


def failure(monkeypatch, part):
    """The error of starting a stack of Valkey and this part, and the folder that it was in."""
    monkeypatch.setitem(SYSTEMS, "toy", (Valkey(), part))
    with pytest.raises(StackError) as caught:
        Stack.start(["toy"])
    return caught.value


def test_a_part_that_ends_is_named_with_the_last_lines_of_its_log(place, monkeypatch):
    """A newcomer reads why, without having to find a log that is gone already."""
    error = failure(monkeypatch, Toy("print('the disk is full'); raise SystemExit(3)"))

    assert error.what == "toy did not start: it ended with status 3"
    assert error.where.endswith("    | the disk is full")
    assert error.next_step
    assert stacks_in(place) == []


def test_the_last_lines_of_a_log_show_no_credential(place, monkeypatch):
    """They land in terminals and CI logs."""
    error = failure(monkeypatch, Toy("print('key=SECRET'); raise SystemExit(3)"))

    assert error.where.endswith("| key=***")


def test_a_part_that_never_answers_is_given_up(place, monkeypatch):
    """Waiting has an end, and the error says what was missing."""
    monkeypatch.setattr(starting, "SECONDS_TO_READY", 0.5)

    error = failure(monkeypatch, Toy("import time; time.sleep(60)"))

    assert "toy is not ready after" in error.what
    assert "it never answers" in error.what
    assert stacks_in(place) == []


def test_a_program_that_is_not_there_is_named(place, monkeypatch):
    """An installation problem, not a crash of opsproof."""
    part = Toy("")
    part.launch = lambda plan: Launch([str(plan.directory / "no-such-program")], plan.directory)

    error = failure(monkeypatch, part)

    assert error.what.startswith("toy cannot be started: No such file")
    assert error.where.endswith("no-such-program")


def test_what_was_started_is_stopped_again(place, monkeypatch):
    """Also the parts that were fine."""
    directories = []
    part = Toy("raise SystemExit(3)")
    part.needs = ("valkey",)
    part.prepare = lambda plan: directories.append(plan.directory)

    failure(monkeypatch, part)

    assert len(directories) == 1
    assert nothing_left(directories[0])
