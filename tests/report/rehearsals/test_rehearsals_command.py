"""`opsproof record dr`: the report again, from the folder of a run."""

from pathlib import Path

import pytest
from rehearsal_builders import TEMPLATES, a_rehearsed_run, observations

from opsproof.cli import main
from opsproof.evidence.redaction import Redactor
from opsproof.report.folder import write_run


def test_the_report_is_written_again_and_what_a_person_edited_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Owner and approver are filled in by hand, in a file that is made by a program."""
    folder = write_run(a_rehearsed_run(), observations(), tmp_path, Redactor())
    command = ["record", "dr", "--run", str(folder), "--templates", str(TEMPLATES)]
    assert main(command) == 0
    edited = folder / "records" / "dr.ko.md"
    edited.write_text("edited", encoding="utf-8")

    assert main(command) == 0

    names = {path.name for path in (folder / "records").iterdir() if not path.name.startswith(".")}
    assert names == {"dr.ko.md", "dr.ko.2.md", "dr.ko.html", "dr.en.md", "dr.en.html"}
    assert edited.read_text(encoding="utf-8") == "edited"
    assert "[run.json](../run.json)" in (folder / "records" / "dr.ko.2.md").read_text(encoding="utf-8")
    assert "dr.ko.md was edited by a person" in capsys.readouterr().out


def test_a_run_that_rehearsed_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty report would be filed as one."""
    run = a_rehearsed_run().model_copy(update={"rehearsals": ()})
    folder = write_run(run, observations(), tmp_path, Redactor())

    assert main(["record", "dr", "--run", str(folder), "--templates", str(TEMPLATES)]) != 0

    assert "nothing was rehearsed in this run" in capsys.readouterr().err
