"""Evidence as a file: written, read again, damaged."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsproof.errors import OpsproofError, PreconditionMissing
from opsproof.evidence.bundle import Bundle, read_evidence, write_evidence
from opsproof.evidence.observation import Failure, Observation

START = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def an_observation(id_: str = "1-1", **changes) -> Observation:
    given_ = {"target": "api", "question": "GET /x", "started": START, "answer": {"a": 1}, "failure": None}
    return Observation(id=id_, profile="ingest/test", by_hand="curl", duration=0.01, **given_ | changes)


@given(text=st.text())
def test_an_observation_with_any_text_is_read_as_it_was_written(tmp_path_factory, text):
    """Line separators other than the line break, and text that UTF-8 cannot carry, are in real answers."""
    folder = tmp_path_factory.mktemp("run")
    text += "\u2028\x85\x0c\ud800"
    seen = an_observation(answer={"text": text}, question=text)

    write_evidence(folder, [seen])

    assert read_evidence(folder) == {"1-1": seen}


def test_observations_are_written_once_in_the_order_in_which_they_were_asked(tmp_path):
    late = an_observation("1-1", started=START + timedelta(seconds=1), failure=Failure("TimedOut", "w", "w", "n"))
    early = an_observation("1-2")

    write_evidence(tmp_path, [late, early, late])

    assert list(read_evidence(tmp_path).items()) == [("1-2", early), ("1-1", late)]


def test_evidence_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OpsproofError) as caught:
        read_evidence(tmp_path)

    assert caught.value.where == str(tmp_path / "evidence.jsonl")
    assert caught.value.next_step == "Name the folder of a finished run; it holds run.json and evidence.jsonl."


@pytest.mark.parametrize("line", ['{"id": 1', "[]", '{"id": "1"}', "null", ""])
def test_a_damaged_line_is_told_with_its_number(tmp_path, line):
    write_evidence(tmp_path, [an_observation()])
    with (tmp_path / "evidence.jsonl").open("a") as file:
        file.write(f"{line}\n")

    with pytest.raises(OpsproofError) as caught:
        read_evidence(tmp_path)

    assert caught.value.where == f"{tmp_path}/evidence.jsonl:2"


def test_the_same_question_asked_again_and_again_is_recalled_in_order():
    """A check that polls sees what it saw then, step by step."""
    seen = [an_observation(f"1-{number}", answer={"n": number}) for number in range(3)]
    bundle = Bundle({one.id: one for one in seen}, {"check": ["1-2", "1-0", "1-1"]})

    answers = [bundle.recall("check", "api", "GET /x").answer for _ in range(3)]

    assert answers == [{"n": 2}, {"n": 0}, {"n": 1}]
    with pytest.raises(PreconditionMissing):
        bundle.recall("check", "api", "GET /x")
    with pytest.raises(PreconditionMissing):
        bundle.recall("another check", "api", "GET /x")
