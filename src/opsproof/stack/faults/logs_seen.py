"""What tells that a service's log says something."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsproof.stack.faults.seen import Seen, answer_of
from opsproof.stack.names import prefix_of
from opsproof.stack.stack import Stack

WINDOW = timedelta(seconds=11)
"""A little more than the embedded profiles look back."""

_TAIL_BYTES = 400_000


def logged(text: str) -> Seen:
    """Whether lines with this text were written lately; the service is asked once, so that it has reason to write."""

    def seen(stack: Stack, system: str) -> bool:
        answer_of(stack, system, "/version")
        log = Path(stack.variables[f"{prefix_of(system)}_LOG_FILE"])
        since = datetime.fromtimestamp(time.time(), UTC) - WINDOW
        return any(_is_new(line, since) for line in _tail(log) if text in line)

    return seen


def _tail(log: Path) -> list[str]:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        return file.read().decode(errors="replace").splitlines()


def _is_new(line: str, since: datetime) -> bool:
    try:
        return datetime.fromisoformat(json.loads(line)["ts"]) >= since
    except (ValueError, KeyError, TypeError):
        return False
