"""Where records lie, and that nothing which a person has written is ever overwritten."""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from opsproof.errors import OpsproofError

FOLDER = "records"
"""In the folder of the run."""

_WRITTEN = ".written.json"
"""What this program has written in a folder: SHA-256 by name. A file that differs was edited by a person."""


@dataclass(frozen=True)
class Written:
    """
    A record that was written.

    Attributes:
        path: Where.
        beside: The file that a person has edited and that was left alone; None if there is none.
    """

    path: Path
    beside: Path | None = None


def incident_id(incident: str, option: str) -> str:
    """
    An incident's id as the operator gave it.

    Raises:
        OpsproofError: It is empty, or could not stand in the name of a file.
    """
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}", incident):
        raise OpsproofError(
            f"{incident!r} cannot be the id of an incident",
            where=option,
            next_step="Use up to 64 letters, digits, dots, dashes and underscores, for example INC-42.",
        )
    return incident


def record_name(incident: str, kind: str, lang: str) -> str:
    """The file of a record: `INC-42-end.ko.md`."""
    return f"{incident}-{kind}.{lang}.md"


def write_record(folder: Path, name: str, text: str) -> Written:
    """
    Write a record, beside its place and then moved.

    A file of that name that is still as this program wrote it is replaced; one that a person has edited, or that came
    from elsewhere, is left alone, and the record gets the first free name with a number.

    Args:
        folder: Where records lie; made if it is not there.
        name: Of `record_name`.
        text: The record.

    Raises:
        OpsproofError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ours = _ours(folder)
        path = folder / name
        taken = path if _edited(path, ours) else None
        number = 2
        while _edited(path, ours):
            path = folder / f"{Path(name).stem}.{number}{Path(name).suffix}"
            number += 1
        content = text.encode(errors="backslashreplace")
        _replace(path, content)
        _replace(folder / _WRITTEN, json.dumps(ours | {path.name: _digest(content)}, indent=2).encode())
    except OSError as exc:
        raise OpsproofError(
            f"the record cannot be written: {exc.strerror}",
            where=str(exc.filename or folder),
            next_step="Free space, or name another folder with --out.",
        ) from exc
    return Written(path, taken)


def _ours(folder: Path) -> dict[str, str]:
    try:
        known = json.loads((folder / _WRITTEN).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _edited(path: Path, ours: dict[str, str]) -> bool:
    return path.exists() and ours.get(path.name) != _digest(path.read_bytes())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    os.replace(beside, path)
