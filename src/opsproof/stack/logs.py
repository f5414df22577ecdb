"""Log files of the parts: only the owner may read them; their last lines explain a failure."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

_LINES = 8


def open_log(path: Path) -> BinaryIO:
    """Open a log to append to; made readable for its owner only (0600)."""
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def log_tail(log: Path, hide: Mapping[str, str]) -> str:
    """The last lines of a log, indented, without the values of `hide` (the stack's credentials)."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    for value in hide.values():
        text = text.replace(value, "***")
    return "".join(f"\n    | {line}" for line in text.splitlines()[-_LINES:])
