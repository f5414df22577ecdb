"""What was noted of each backup when it was made, in a place of its own."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from opsproof.probes.backup import Objects

_LARGEST = 256 << 20
_SHA256 = re.compile(r"([0-9a-f]{64})(?:[ \t]+[*]?\S.*)?\s*")

Sha256 = str


class Noted(BaseModel):
    """
    One entry: the object `<name>.json`; only the hash where there is but a `<name>.sha256`.

    Attributes:
        name: Of the object; of a base backup, of its folder without the slash at the end.
        sha256: Of the object; of a base backup, of its backup_manifest.
        bytes: Of the object; of a base backup, of all its files.
        heartbeat: Time of the newest heartbeat that is in it.
        tables: Rows by `schema.table`.
        files: SHA-256 of every file of a base backup by its path, backup_manifest and pg_wal included.
        database: Name of the database that a dump is of.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    name: str
    sha256: Sha256 = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int | None = Field(None, ge=0)
    started: AwareDatetime | None = None
    finished: AwareDatetime | None = None
    server_version: str | None = None
    tool_version: str | None = None
    system_identifier: str | None = None
    timeline: int | None = None
    start_lsn: str | None = None
    stop_lsn: str | None = None
    heartbeat: AwareDatetime | None = None
    tables: dict[str, int] | None = None
    files: dict[str, Sha256] | None = None
    database: str | None = None


@dataclass(frozen=True)
class Catalogue:
    """
    All entries of a series.

    Attributes:
        entries: By name of the backup.
        problems: What is wrong with entries that could not be read, by name of the backup.
    """

    entries: Mapping[str, Noted]
    problems: Mapping[str, str]

    def finished(self, name: str) -> datetime | None:
        """When a backup was finished, as it was noted."""
        entry = self.entries.get(name)
        return entry.finished if entry else None


def read_catalogue(objects: Objects, prefix: str) -> Catalogue:
    """
    Read every entry of the backups whose names begin with a prefix.

    Raises:
        NotObserved: The store gives no answer.
    """
    entries: dict[str, Noted] = {}
    problems: dict[str, str] = {}
    stored = {one.name for one in objects.names(prefix)}
    for path in sorted(stored):
        name, _, form = path.rpartition(".")
        if form not in ("json", "sha256") or (form == "sha256" and f"{name}.json" in stored):
            continue
        content = objects.read(path, _LARGEST)
        try:
            entry = _entry(name, form, content)
        except (ValueError, ValidationError) as exc:
            problems[name] = f"{path} cannot be read: {_said(exc)}"
            continue
        entries[name] = entry
        if entry.name.rstrip("/") != name:
            problems[name] = f"{path} is of another backup: it names {entry.name}"
        elif entry.started and entry.finished and entry.started > entry.finished:
            problems[name] = f"{path}: started {entry.started} after finished {entry.finished}"
    return Catalogue(entries, problems)


def _entry(name: str, form: str, content: bytes) -> Noted:
    if form == "json":
        return Noted.model_validate(json.loads(content))
    match = _SHA256.fullmatch(content.decode("utf-8"))
    if match is None:
        raise ValueError("it is not of the form of sha256sum")
    return Noted(name=name, sha256=match[1])


def _said(exc: ValueError) -> str:
    if isinstance(exc, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in exc.errors()[:3])
    return str(exc).splitlines()[0]
