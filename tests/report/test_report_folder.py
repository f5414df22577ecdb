"""The run folder: whole, private, and readable again."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from report_builders import a_bad_night, a_failure, a_run, an_observation, an_outcome

from opsproof.errors import OpsproofError
from opsproof.evidence.bundle import read_evidence
from opsproof.evidence.redaction import Redactor
from opsproof.report.folder import read_run, write_run
from opsproof.report.schema import run_schema

PARTS = ["allure-results", "allurerc.json", "evidence.jsonl", "junit.xml", "run.json", "summary.md"]


def test_a_run_leaves_everything_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """The folder is what CI keeps and what an auditor gets."""
    run, observations = a_bad_night()

    folder = write_run(run, observations, tmp_path / "new" / "runs", Redactor())

    assert folder == tmp_path / "new" / "runs" / "20260506T183000Z-3f9a1c"
    assert sorted(path.name for path in folder.iterdir()) == PARTS
    assert (folder.parent / "latest").resolve() == folder.resolve()


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    """A replay judges the same run, from the same evidence."""
    run, observations = a_bad_night()

    folder = write_run(run, observations, tmp_path, Redactor())

    assert read_run(folder) == run
    assert read_evidence(folder) == {observation.id: observation for observation in observations}


def test_run_json_follows_the_published_schema(tmp_path: Path) -> None:
    """Other tools rely on docs/run.schema.json."""
    run, observations = a_bad_night()
    content = json.loads((write_run(run, observations, tmp_path, Redactor()) / "run.json").read_text("utf-8"))

    validator = jsonschema.Draft202012Validator(json.loads(run_schema()))
    validator.validate(content)

    assert not validator.is_valid(content | {"schema_version": 2})


def test_the_published_schema_is_the_one_of_the_model() -> None:
    """It is made by `python -m opsproof.report.schema docs/run.schema.json`."""
    published = Path(__file__).parents[2] / "docs" / "run.schema.json"

    assert published.read_text("utf-8") == run_schema()


def test_the_schema_is_printed_by_its_module() -> None:
    """The line that docs and this suite name must work."""
    printed = subprocess.run(
        [sys.executable, "-m", "opsproof.report.schema"], capture_output=True, text=True, check=True
    )

    assert printed.stdout == run_schema()


def test_runs_that_end_together_never_share_a_folder(tmp_path: Path) -> None:
    """Two pipelines on one machine, the same second, even the same id."""
    run, observations = a_bad_night()

    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: write_run(run, observations, tmp_path, Redactor()), range(8)))

    assert len(set(folders)) == 8
    assert all(sorted(path.name for path in folder.iterdir()) == PARTS for folder in folders)
    assert (tmp_path / "latest").resolve() in {folder.resolve() for folder in folders}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_latest_follows_the_newest_run(tmp_path: Path) -> None:
    """`--replay reports/runs/latest` is what people type."""
    write_run(a_run([an_outcome()]), [], tmp_path, Redactor())
    second = write_run(a_run([a_failure()], id="bbbb"), [], tmp_path, Redactor())

    assert os.readlink(tmp_path / "latest") == second.name


def test_an_id_cannot_lead_out_of_the_reports_folder(tmp_path: Path) -> None:
    """The id becomes part of a path."""
    folder = write_run(a_run([an_outcome()], id="../../x y"), [], tmp_path, Redactor())

    assert folder.parent == tmp_path


@pytest.mark.parametrize("place", ["file-in-the-way", "no-folder-can-be-made-here"])
def test_a_folder_that_cannot_be_made_says_where_and_what_next(place: str, tmp_path: Path) -> None:
    """A read-only disk must not look like a failed release."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    reports = tmp_path / "file" / "runs" if place == "file-in-the-way" else Path("/proc/opsproof")

    with pytest.raises(OpsproofError, match="the run's folder cannot be made") as caught:
        write_run(a_run([an_outcome()]), [], reports, Redactor())

    assert str(reports) in caught.value.where
    assert caught.value.next_step.startswith("The verdict holds. Name another folder with --reports")


def test_a_folder_called_latest_is_left_alone_and_told(tmp_path: Path) -> None:
    """It may be somebody's; the run itself is written."""
    (tmp_path / "latest").mkdir()

    with pytest.raises(OpsproofError, match="the report is not whole; not written: latest"):
        write_run(a_run([an_outcome()]), [], tmp_path, Redactor())

    assert sorted(path.name for path in (tmp_path / "20260506T183000Z-3f9a1c").iterdir()) == PARTS
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


FULL_DISK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from report_builders import a_run, an_observation, an_outcome
from opsproof.errors import OpsproofError
from opsproof.evidence.redaction import Redactor
from opsproof.report.folder import write_run
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
large = an_observation(answer={"body": "x" * 100_000})
try:
    write_run(a_run([an_outcome()]), [large], Path(sys.argv[1]), Redactor())
except OpsproofError as exc:
    print(exc)
"""


def test_a_full_disk_leaves_what_fits_and_says_what_is_missing(tmp_path: Path) -> None:
    """Half an evidence file under its real name would be judged again as if it were whole."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path), str(Path(__file__).parent)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    folder = tmp_path / "20260506T183000Z-3f9a1c"
    assert "not written: evidence.jsonl (File too large); allure-results (File too large)" in told
    assert f"where: {folder}" in told
    assert "The verdict holds." in told
    assert sorted(path.name for path in folder.iterdir()) == ["allurerc.json", "junit.xml", "run.json", "summary.md"]
    assert read_run(folder).id == "3f9a1c"


def damaged(folder: Path, **changes: Any) -> None:
    content = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps(content | changes), "utf-8")


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    """A typing error in the path must not be a traceback."""
    with pytest.raises(OpsproofError, match="no run can be read: No such file or directory") as caught:
        read_run(tmp_path / "nothing")

    assert caught.value.where == str(tmp_path / "nothing" / "run.json")


def test_a_cut_run_is_not_judged(tmp_path: Path) -> None:
    """Half a run could be green."""
    folder = write_run(a_run([an_outcome()]), [], tmp_path, Redactor())
    text = (folder / "run.json").read_text("utf-8")
    (folder / "run.json").write_text(text[: len(text) // 2], "utf-8")

    with pytest.raises(OpsproofError, match=r"run\.json is cut or no JSON"):
        read_run(folder)


@pytest.mark.parametrize("content", ["[]", '{"name": "something else"}', '{"schema_version": "1"}', "null"])
def test_a_foreign_run_json_is_refused(content: str, tmp_path: Path) -> None:
    """Many tools call a file run.json."""
    (tmp_path / "run.json").write_text(content, "utf-8")

    with pytest.raises(OpsproofError, match=r"run\.json is not of opsproof"):
        read_run(tmp_path)


def test_a_newer_run_names_the_version_that_wrote_it(tmp_path: Path) -> None:
    """What a newer version means by its words this one cannot know."""
    folder = write_run(a_run([an_outcome()]), [], tmp_path, Redactor())
    damaged(folder, schema_version=2, opsproof="3.0.0")

    with pytest.raises(OpsproofError, match="schema 2, this one reads 1") as caught:
        read_run(folder)

    assert caught.value.next_step == "Replay it with opsproof 3.0.0."


def test_a_run_that_is_not_whole_names_what_is_wrong(tmp_path: Path) -> None:
    """A hand-edited file is found out, by key."""
    folder = write_run(a_run([an_outcome()]), [], tmp_path, Redactor())
    damaged(folder, verdict={"word": "GREEN"})

    with pytest.raises(OpsproofError, match=r"verdict\.word: Input should be"):
        read_run(folder)


def test_half_a_character_from_a_target_does_not_cost_the_report(tmp_path: Path) -> None:
    """JSON can carry a lone surrogate; no file can."""
    half = "\ud83e broken"
    outcome = a_failure(message=half, output=half, observations=("41-1",))

    folder = write_run(a_run([outcome]), [an_observation(answer={"body": half})], tmp_path, Redactor())

    assert read_run(folder).outcomes[0].message == "\\ud83e broken"
    assert read_evidence(folder)["41-1"].answer == {"body": "\\ud83e broken"}
