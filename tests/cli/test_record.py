"""`opsproof record`: what an operator types and reads."""

from collections.abc import Callable
from pathlib import Path

import pytest
from incident_builders import TEMPLATES, a_failed_recovery, a_recovery
from report_builders import an_observation

from opsproof.cli import main
from opsproof.evidence.redaction import Redactor
from opsproof.report.folder import write_run
from opsproof.report.run import Run

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder like a checkout: templates, and no run yet."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "templates").symlink_to(TEMPLATES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `opsproof record ...` here; gives exit status, output, errors."""

    def run(*words: str) -> tuple[int, str, str]:
        status = main(["record", *words])
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


def a_folder(run: Run) -> Path:
    return write_run(run, [an_observation()], Path("reports/runs"), Redactor())


def test_the_records_of_a_run_are_written_into_its_folder(folder: Path, command: Command) -> None:
    """All that the system's runbook wants, and what is still to fill in."""
    run = a_folder(a_recovery())

    status, output, errors = command("incident", "--id", "INC-42")

    names = ["checklist", "end", "incident", "postmortem", "start"]
    assert (status, errors) == (0, "")
    assert sorted(path.name for path in (run / "records").glob("INC*")) == [f"INC-42-{name}.ko.md" for name in names]
    assert "reports/runs/latest/records/INC-42-checklist.ko.md  nothing to fill in\n" in output
    assert "INC-42-end.ko.md  5 to fill in\n" in output
    assert ": 근본 원인 (한 줄)\n" in output
    assert output.endswith("recovery: verified\n")


def test_a_run_that_failed_says_so_and_why(folder: Path, command: Command) -> None:
    """Who reads only the last lines must not send the end message."""
    run = a_folder(a_failed_recovery())

    status, output, _ = command("incident", "--run", str(run), "--id", "INC-42", "--kind", "end", "--lang", "en")

    assert status == 0
    assert "INC-42-end.en.md  withheld: recovery is not verified\n" in output
    assert (
        "recovery: NOT verified\n  health.every_component_is_healthy[evaluation/staging] (SEV-1) target wrong" in output
    )
    assert "# Incident end withheld: INC-42" in (run / "records/INC-42-end.en.md").read_text(encoding="utf-8")


def test_a_record_that_a_person_has_edited_is_left_alone(folder: Path, command: Command) -> None:
    """And the operator is told where the new one lies."""
    run = a_folder(a_recovery())
    command("incident", "--id", "INC-42", "--kind", "end")
    path = run / "records" / "INC-42-end.ko.md"
    path.write_text(path.read_text(encoding="utf-8") + "\n원인은 Redis\n", encoding="utf-8")

    _, output, _ = command("incident", "--id", "INC-42", "--kind", "end")

    assert "records/INC-42-end.ko.2.md  5 to fill in\n" in output
    assert "INC-42-end.ko.md was edited by a person and is left as it is; compare the two\n" in output
    assert "원인은 Redis" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("kind", "option"), [("sev", "--severity"), ("scenario", "--scenario")])
def test_what_only_people_know_is_asked_for(folder: Path, command: Command, kind: str, option: str) -> None:
    """A severity of customers is not the severity of a check."""
    a_folder(a_recovery())

    status, output, _ = command("incident", "--id", "INC-42", "--kind", kind)

    assert status == 1
    assert f"({kind}); name {option} for it\n" in output


def test_check_lists_what_is_left_with_its_line(folder: Path, command: Command) -> None:
    """Exit status 1 until the record is finished."""
    run = a_folder(a_recovery())
    command("incident", "--id", "INC-42", "--kind", "end", "--kind", "checklist")

    status, output, _ = command("check", str(run / "records/INC-42-end.ko.md"))
    assert status == 1
    assert "INC-42-end.ko.md  5 findings\n  line 8: blank: 근본 원인 (한 줄)\n" in output

    status, output, _ = command("check", str(run / "records/INC-42-checklist.ko.md"))
    assert status == 0
    assert output.startswith("ok     ")


def test_records_elsewhere_still_link_to_the_evidence(folder: Path, command: Command) -> None:
    """--out moves the record, not what it stands on."""
    run = a_folder(a_recovery())

    command("incident", "--run", str(run), "--id", "INC-42", "--kind", "checklist", "--out", "tickets/42")

    text = Path("tickets/42/INC-42-checklist.ko.md").read_text(encoding="utf-8")
    assert f"](../../{run}/evidence.jsonl)" in text


@pytest.mark.parametrize(
    ("words", "next_step"),
    [
        (("incident", "--id", "INC-42"), "Name the folder of a run"),
        (("incident", "--id", "../x"), "for example INC-42"),
        (("incident", "--id", ""), "for example INC-42"),
        (("check", "README.md"), "that `opsproof record incident` wrote"),
    ],
)
def test_mistakes_are_told_without_a_traceback(
    folder: Path, command: Command, words: tuple[str, ...], next_step: str
) -> None:
    """What, where, next."""
    status, _, errors = command(*words)

    assert status == 1
    assert errors.startswith("opsproof: ")
    assert next_step in errors


def test_a_place_without_templates_is_told(folder: Path, command: Command) -> None:
    """As of an installed opsproof outside of a checkout."""
    a_folder(a_recovery())
    (folder / "reports/templates").unlink()

    status, _, errors = command("incident", "--id", "INC-42")

    assert status == 1
    assert "name the folder that holds ko/ and en/ with --templates" in errors
    assert command("incident", "--id", "INC-42", "--templates", str(TEMPLATES))[0] == 0
