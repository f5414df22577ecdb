"""Where records go; what a person has written is never lost."""

from pathlib import Path

import pytest

from opsproof.errors import OpsproofError
from opsproof.report.records.writing import incident_id, write_record


def test_a_record_that_nobody_has_touched_is_replaced(tmp_path: Path) -> None:
    """The second run knows more."""
    write_record(tmp_path, "a.md", "first")
    written = write_record(tmp_path, "a.md", "second")

    assert (written.path, written.beside) == (tmp_path / "a.md", None)
    assert written.path.read_text(encoding="utf-8") == "second"


def test_a_record_that_a_person_has_edited_stays(tmp_path: Path) -> None:
    """The new one lies beside it, and so does the one after that."""
    first = write_record(tmp_path, "a.md", "first").path
    first.write_text("first, and the cause", encoding="utf-8")

    second = write_record(tmp_path, "a.md", "second")
    third = write_record(tmp_path, "a.md", "third")
    second.path.write_text("second, edited", encoding="utf-8")
    fourth = write_record(tmp_path, "a.md", "fourth")

    assert (second.path.name, second.beside) == ("a.2.md", first)
    assert third.path == second.path
    assert fourth.path.name == "a.3.md"
    assert first.read_text(encoding="utf-8") == "first, and the cause"
    assert second.path.read_text(encoding="utf-8") == "second, edited"


def test_a_file_of_somebody_else_is_not_ours(tmp_path: Path) -> None:
    """Also where what was written is no longer known."""
    (tmp_path / "a.md").write_text("by hand", encoding="utf-8")
    (tmp_path / ".written.json").write_text("{", encoding="utf-8")

    assert write_record(tmp_path, "a.md", "x").path.name == "a.2.md"


@pytest.mark.parametrize("incident", ["", "../up", "a b", "INC/42", "-rf", "x" * 65, "[[x]]"])
def test_an_id_that_cannot_name_a_file_is_refused(incident: str) -> None:
    """It stands in a path and in the record's first line."""
    with pytest.raises(OpsproofError, match="INC-42"):
        incident_id(incident, "--id")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With the option that helps."""
    (tmp_path / "records").write_text("a file", encoding="utf-8")

    with pytest.raises(OpsproofError, match="--out"):
        write_record(tmp_path / "records", "a.md", "x")
