"""A base backup, as far as WAL is concerned."""

import json
import re
from dataclasses import dataclass
from datetime import datetime

from opsproof.rehearsal.archive.histories import Label, read_label
from opsproof.rehearsal.archive.names import read_lsn

_RANGE = re.compile(r'"Timeline":\s*(\d+),\s*"Start-LSN":\s*"([^"]+)",\s*"End-LSN":\s*"([^"]+)"')
_SYSTEM = re.compile(r'"System-Identifier":\s*(\d+)')


@dataclass(frozen=True)
class Base:
    """
    A base backup, as far as WAL is concerned.

    Attributes:
        name: Its folder.
        label: Where it begins and ends; the end is that of its manifest or catalogue. None if it cannot be read.
        system: Identifier of its cluster; "" where it is not said.
        wrong: Where what is said of it does not agree.
    """

    name: str
    label: Label | None
    system: str
    wrong: tuple[str, ...] = ()


def ranges(manifest: str | None) -> str | None:
    """Of a manifest, which lists every file, only what it says of WAL."""
    if manifest is None:
        return None
    system, ranges = _SYSTEM.search(manifest), _RANGE.findall(manifest)
    return json.dumps({"system": system[1] if system else "", "ranges": ranges})


def read_base(folder: str, label: str | None, manifest: str | None, noted: str | None) -> Base | None:
    """None for a folder that holds no whole backup: that is for the checks of stored backups to say."""
    if label is None or manifest is None:
        return None
    said = json.loads(manifest)
    wrong: list[str] = []
    try:
        begun = read_label(label)
        stop = max((read_lsn(end) for _, _, end in said["ranges"]), default=None)
    except ValueError as exc:
        return Base(folder, None, "", (f"{folder}: {exc}",))
    if said["ranges"] and min(read_lsn(start) for _, start, _ in said["ranges"]) != begun.start:
        wrong.append(f"{folder}: backup_label and backup_manifest name different positions for its start")
    ended, system = begun.ended, said["system"]
    try:
        entry = json.loads(noted) if noted else {}
        if "start_lsn" in entry and (read_lsn(entry["start_lsn"]), int(entry["timeline"])) != (
            begun.start,
            begun.timeline,
        ):
            wrong.append(f"{folder}: the catalogue noted {entry['start_lsn']} on timeline {entry['timeline']} for it")
        if "system_identifier" in entry:
            if system and str(entry["system_identifier"]) != system:
                wrong.append(f"{folder}: of cluster {system}, and the catalogue noted {entry['system_identifier']}")
            system = system or str(entry["system_identifier"])
        ended = datetime.fromisoformat(entry["finished"]) if "finished" in entry else ended
        stop = read_lsn(entry["stop_lsn"]) if stop is None and "stop_lsn" in entry else stop
    except (ValueError, TypeError, KeyError) as exc:
        wrong.append(f"{folder}: its entry in the catalogue cannot be read: {exc}")
    return Base(folder, Label(begun.timeline, begun.start, stop, ended, begun.of_primary), system, tuple(wrong))
