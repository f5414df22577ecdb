"""The run folder: everything a run leaves, and the way back from it (design, section 10)."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from opsproof.errors import OpsproofError
from opsproof.evidence.bundle import EVIDENCE_FILE, write_evidence
from opsproof.evidence.observation import Observation
from opsproof.evidence.redaction import Redactor
from opsproof.report.allure import categories, write_allure
from opsproof.report.benchmarks.parts import run_parts
from opsproof.report.canaries.parts import canary_parts
from opsproof.report.cleaning import clean_observations, clean_run
from opsproof.report.junit import junit
from opsproof.report.run import Run
from opsproof.report.summary import summary
from opsproof.report.view import View

RUN_FILE = "run.json"
SUMMARY_FILE = "summary.md"
JUNIT_FILE = "junit.xml"
ALLURE_FOLDER = "allure-results"
ALLURE_SETTINGS = "allurerc.json"
LATEST = "latest"

_SCHEMA_VERSION: int = Run.model_fields["schema_version"].default


@cache
def prepare() -> None:
    """Import what writing a report takes; for a moment when there is nothing else to do."""
    for library in ("allure_commons.model2", "attr", "wcwidth"):
        import_module(library)


def write_run(
    run: Run,
    observations: Iterable[Observation],
    reports: Path,
    redactor: Redactor,
    *,
    runbook_url: str = "",
    others: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """
    Write a run's folder, `<time>Z-<run id>`, and point `latest` at it.

    Every file is written beside its place and then moved, run.json first: what has its name is whole.

    Args:
        run: The run.
        observations: All observations of the run.
        reports: The folder that holds the folders of runs; made if it is not there.
        redactor: Knows the secrets of all profiles of the run.
        runbook_url: Where a row of a runbook is read, for links; `{system}` and `{row}` are filled in.
        others: What other tools wrote of the run, redacted, by the name of a file.

    Returns:
        The run's folder.

    Raises:
        OpsproofError: The folder, or a part of it, cannot be written; the other parts are there.
    """
    view = View.of(clean_run(run, redactor), clean_observations(observations, redactor))
    folder = _new_folder(reports, view.run)
    settings = {"name": f"{view.run.verdict.word}: {', '.join(view.run.profiles)}", "categories": categories()}
    parts: Mapping[str, Callable[[Path], object]] = {
        RUN_FILE: lambda part: part.write_text(view.run.model_dump_json(indent=2) + "\n", encoding="utf-8"),
        SUMMARY_FILE: lambda part: part.write_text(summary(view), encoding="utf-8"),
        JUNIT_FILE: lambda part: part.write_bytes(junit(view)),
        EVIDENCE_FILE: lambda part: write_evidence(part.parent, view.observations.values()),
        ALLURE_FOLDER: lambda part: write_allure(view, part, runbook_url),
        ALLURE_SETTINGS: lambda part: part.write_text(json.dumps(settings, indent=2), encoding="utf-8"),
    }
    failed: dict[str, Exception] = {**_write_parts(folder, parts)}
    documents = {**canary_parts(view.run), **run_parts(view.run), **others}
    failed |= _write_parts(folder, {name: _writer(text) for name, text in documents.items()})
    if view.run.rehearsals:
        failed |= _write_rehearsals(view, folder)
    try:
        _point_latest(reports, folder)
    except OSError as exc:
        failed[LATEST] = exc
    if failed:
        raise OpsproofError(
            "the report is not whole; not written: "
            + "; ".join(f"{name} ({getattr(error, 'strerror', None) or error})" for name, error in failed.items()),
            where=str(folder),
            next_step="The verdict holds. Free space or name another folder with --reports; then run the gate again.",
        ) from next(iter(failed.values()))
    return folder


def read_run(folder: Path) -> Run:
    """
    Read the run of a folder, for a replay.

    Raises:
        OpsproofError: The folder holds no run, or one that this version cannot read.
    """
    path = folder / RUN_FILE
    again = "Name the folder of a run that opsproof wrote, for example reports/runs/latest."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise OpsproofError(f"no run can be read: {exc.strerror}", where=str(path), next_step=again) from exc
    except ValueError as exc:
        raise OpsproofError(
            f"{RUN_FILE} is cut or no JSON ({exc})", where=str(path), next_step=f"It cannot be judged again. {again}"
        ) from exc
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(version, int):
        raise OpsproofError(f"{RUN_FILE} is not of opsproof: no schema_version", where=str(path), next_step=again)
    if version > _SCHEMA_VERSION:
        raise OpsproofError(
            f"{RUN_FILE} was written by a newer opsproof: schema {version}, this one reads {_SCHEMA_VERSION}",
            where=str(path),
            next_step=f"Replay it with opsproof {content.get('opsproof', 'of that version')}.",
        )
    try:
        return Run.model_validate(content)
    except ValidationError as exc:
        places = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors()]
        more = f" and {len(places) - 3} more" if len(places) > 3 else ""
        raise OpsproofError(
            f"{RUN_FILE} is not a whole run: {'; '.join(places[:3])}{more}",
            where=str(path),
            next_step="The file was changed or cut; take the run's original folder.",
        ) from exc


def _new_folder(reports: Path, run: Run) -> Path:
    """A folder of its own, also for runs that start in the same second or carry the same id."""
    name = f"{run.started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{re.sub(r'[^0-9A-Za-z._-]', '_', run.id)}"
    number = 1
    try:
        reports.mkdir(parents=True, exist_ok=True)
        while True:
            folder = reports / (name if number == 1 else f"{name}-{number}")
            try:
                folder.mkdir()
            except FileExistsError:
                number += 1
            else:
                return folder
    except OSError as exc:
        raise OpsproofError(
            f"the run's folder cannot be made: {exc.strerror}",
            where=str(exc.filename or reports),
            next_step="The verdict holds. Name another folder with --reports, or remove what is in the way.",
        ) from exc


def _write_rehearsals(view: View, folder: Path) -> Mapping[str, Exception]:
    """The reports on rehearsals, last: they hold the hashes of the other files."""
    from opsproof.report.records.filling import find_templates
    from opsproof.report.rehearsals.document import rehearsal_reports

    try:
        texts = rehearsal_reports(view, folder, find_templates(None, folder))
    except OpsproofError as exc:
        return {"dr.md": exc}
    return _write_parts(folder, {name: _writer(text) for name, text in texts.items()})


def _writer(text: str) -> Callable[[Path], object]:
    return lambda part: part.write_text(text, encoding="utf-8")


def _write_parts(folder: Path, parts: Mapping[str, Callable[[Path], object]]) -> dict[str, OSError]:
    workshop = folder / ".unfinished"
    failed: dict[str, OSError] = {}
    for name, write in parts.items():
        try:
            workshop.mkdir(exist_ok=True)
            write(workshop / name)
            (workshop / name).rename(folder / name)
        except OSError as exc:
            failed[name] = exc
    shutil.rmtree(workshop, ignore_errors=True)
    return failed


def _point_latest(reports: Path, folder: Path) -> None:
    """A link made beside and then moved over the old one: `latest` is never missing."""
    new = reports / f".{LATEST}-{folder.name}"
    new.symlink_to(folder.name)
    try:
        os.replace(new, reports / LATEST)
    except OSError:
        new.unlink()
        raise
