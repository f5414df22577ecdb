"""The journal of a rehearsal: what was done is on disk before the next step begins, whatever kills it."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opsproof.errors import OpsproofError


@dataclass(frozen=True)
class Entry:
    """
    What a journal says of one step.

    Attributes:
        step: Name of the check.
        status: Of its outcome.
        at: When it ended.
        state: What the rehearsal knew then: the clock, the ledger, what later steps need.
    """

    step: str
    status: str
    at: datetime
    state: dict[str, Any]


class Journal:
    """
    One file of JSON lines; the first one says which plan it is of.

    Args:
        path: Where it is.
        plan: SHA-256 of the plan.
    """

    def __init__(self, path: Path, plan: str) -> None:
        self.path = path
        self._plan = plan

    def begin(self, run: str) -> None:
        """Begin anew; what an earlier rehearsal left is kept beside it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self.path.replace(self.path.with_suffix(f".{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.jsonl"))
        self._append({"plan": self._plan, "run": run, "at": datetime.now(UTC).isoformat()})

    def note(self, entry: Entry) -> None:
        """Keep what came of a step; on disk when this returns."""
        self._append({"step": entry.step, "status": entry.status, "at": entry.at.isoformat(), "state": entry.state})

    def read(self) -> list[Entry]:
        """
        What an interrupted rehearsal has done; a last line that was cut is no step.

        Raises:
            OpsproofError: There is none, it is damaged, or it is of another plan.
        """
        try:
            lines = self.path.read_text(encoding="utf-8").split("\n")
        except OSError as exc:
            raise self._error(f"there is no journal of a rehearsal: {exc.strerror}") from exc
        entries = []
        for number, line in enumerate(lines[:-1]):
            try:
                kept = json.loads(line)
                if number == 0:
                    plan = kept["plan"]
                    continue
                at = datetime.fromisoformat(kept["at"])
                entries.append(Entry(kept["step"], kept["status"], at, kept["state"]))
            except (ValueError, KeyError, TypeError) as exc:
                raise self._error(f"line {number + 1} is damaged") from exc
        if len(lines) < 2 or plan != self._plan:
            raise self._error("the plan has changed since: nothing of it can be taken over")
        return entries

    def _append(self, content: dict[str, Any]) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with open(descriptor, "a", encoding="utf-8") as file:
            file.write(json.dumps(content, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _error(self, what: str) -> OpsproofError:
        return OpsproofError(what, where=str(self.path), next_step="Rehearse anew, without --resume.")
