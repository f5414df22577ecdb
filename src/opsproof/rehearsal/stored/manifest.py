"""backup_manifest: what PostgreSQL noted of a base backup. It lies beside the files, and alone it proves nothing."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Manifest:
    """
    What a manifest says.

    Attributes:
        problem: Why it cannot be read; "" if it can.
        system: The system identifier; "" before PostgreSQL 17.
        ranges: Timeline, start and end of the WAL that makes the backup consistent.
        paths: How many files it lists.
        checksums: Whether it has a checksum of each of them.
    """

    problem: str = ""
    system: str = ""
    ranges: list[tuple[int, str, str]] = field(default_factory=list)
    paths: int = 0
    checksums: bool = False


def read_manifest(path: Path) -> Manifest:
    """Read a manifest."""
    if not path.is_file():
        return Manifest("backup_manifest is missing")
    try:
        whole: dict[str, Any] = json.loads(path.read_bytes())
        ranges = [(int(one["Timeline"]), str(one["Start-LSN"]), str(one["End-LSN"])) for one in whole["WAL-Ranges"]]
        files = whole["Files"]
        checksums = all("Checksum" in one for one in files if one.get("Size"))
        return Manifest("", str(whole.get("System-Identifier", "")), ranges, len(files), checksums)
    except (ValueError, KeyError, TypeError) as exc:
        return Manifest(f"backup_manifest cannot be parsed ({type(exc).__name__})")
