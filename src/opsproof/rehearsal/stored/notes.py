"""What to note of a backup when it is made; whoever makes it keeps the note in another place."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from opsproof.rehearsal.stored.label import read_label
from opsproof.rehearsal.stored.manifest import read_manifest


def dump_note(name: str, file: Path, started: datetime, finished: datetime, **known: Any) -> dict[str, Any]:
    """
    The entry of a dump.

    Args:
        name: Of the object.
        file: The dump.
        started: When it was begun.
        finished: When it was done.
        **known: Further fields of `Noted`: tables, heartbeat, server_version, tool_version, system_identifier, ...

    Returns:
        What is stored as `<name>.json`.
    """
    return _note(name, _sha256(file), file.stat().st_size, started, finished, known)


def base_note(name: str, folder: Path, started: datetime, finished: datetime, **known: Any) -> dict[str, Any]:
    """The entry of a base backup in plain form, with the hash of each of its files. Arguments as for `dump_note`."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    files = {path.relative_to(folder).as_posix(): _sha256(path) for path in paths}
    manifest, (label, _) = read_manifest(folder / "backup_manifest"), read_label(folder / "backup_label")
    more: dict[str, Any] = {"files": files}
    if label is not None and manifest.ranges:
        more |= {"start_lsn": label.start, "stop_lsn": manifest.ranges[-1][2], "timeline": label.timeline}
    size = sum(path.stat().st_size for path in paths)
    return _note(name, files["backup_manifest"], size, started, finished, more | known)


def _note(
    name: str, sha256: str, size: int, started: datetime, finished: datetime, known: Mapping[str, Any]
) -> dict[str, Any]:
    times = {"started": started.isoformat(), "finished": finished.isoformat()}
    told = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in known.items()}
    return {"name": name, "sha256": sha256, "bytes": size, **times, **told}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
