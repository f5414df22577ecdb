"""The one recorder of a rehearsal: the moments T0 to T6, and the phases between them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from opsproof.errors import OpsproofError
from opsproof.rehearsal.clock.anchor import Anchor
from opsproof.rehearsal.facts import Moments

Moment = Literal["t0", "t1", "t2", "t3", "t4", "t5", "t6"]
UNEXPLAINED = "unexplained"
"""Name of the time that no phase accounts for."""

_MOMENTS: tuple[str, ...] = get_args(Moment)
_SCHEMA = 1


@dataclass(frozen=True)
class Span:
    """A stretch of a phase; `end` is None while it goes on."""

    phase: str
    begin: datetime
    end: datetime | None


class Stopwatch:
    """
    Notes each moment once, in order, and the stretches of the phases, which never overlap.

    Times are those of an anchor and not of the wall clock, so that setting the clock changes no duration. A rehearsal
    that is resumed on the same machine counts on by the same ticks; after a restart of the machine, or on another one,
    only the wall clocks connect the two, and `uncertainty` says what that may be worth.

    Args:
        path: Where it is kept, anew with each moment and phase, so that `resume` can go on; None for nowhere.
        anchor: Its scale; None for one of this moment.
    """

    def __init__(self, path: Path | None = None, anchor: Anchor | None = None) -> None:
        self.anchor = anchor or Anchor.here()
        self._path = path
        self.uncertainty = ""
        self._noted: dict[str, datetime] = {}
        self._spans: list[Span] = []

    def note(self, moment: Moment, at: datetime | None = None) -> datetime:
        """
        Note a moment.

        Args:
            moment: `t0` to `t6`; those between may be left out, and are never made up.
            at: When it was, with its zone; None for now. A failure that began before the rehearsal has such a time.

        Returns:
            The time that stands.

        Raises:
            OpsproofError: It was noted before, a later one was, or it would lie before an earlier one.
        """
        time = at or self.anchor.now()
        if time.tzinfo is None:
            raise _wrong(
                f"the time of {moment} has no zone: {time.isoformat()}", "Say it as 2026-11-21T03:00:00+09:00."
            )
        for name, noted in self._noted.items():
            if name == moment:
                raise _wrong(f"{moment} was noted already, at {noted.isoformat()}", "Note each moment once.")
            if _MOMENTS.index(name) > _MOMENTS.index(moment):
                raise _wrong(f"{moment} cannot be noted after {name}", "Note the moments in their order, T0 to T6.")
            if noted > time:
                what = f"{moment} at {time.isoformat()} would be before {name} at {noted.isoformat()}"
                raise _wrong(what, "See which of the two times is wrong.")
        self._noted[moment] = time
        self.save()
        return time

    @property
    def moments(self) -> Moments:
        """What was noted; None for the rest."""
        return Moments(**self._noted)

    def begin(self, phase: str) -> None:
        """Begin a phase, or go on with one. Raises OpsproofError while another one goes on."""
        if self.open:
            raise _wrong(f"phase {phase} cannot begin while {self.open} goes on", "End a phase before the next one.")
        if phase == UNEXPLAINED:
            raise _wrong(f"a phase cannot be named {UNEXPLAINED}", "Give it another name.")
        self._spans.append(Span(phase, self.anchor.now(), None))
        self.save()

    def end(self, phase: str) -> None:
        """End a phase. Raises OpsproofError if it does not go on."""
        if self.open != phase:
            raise _wrong(
                f"phase {phase} cannot end: it was not begun", f"The one that goes on is {self.open or 'none'}."
            )
        self._spans[-1] = Span(phase, self._spans[-1].begin, self.anchor.now())
        self.save()

    @property
    def open(self) -> str:
        """The phase that goes on; "" if none does."""
        return self._spans[-1].phase if self._spans and self._spans[-1].end is None else ""

    def durations(self) -> dict[str, float]:
        """
        Seconds from the failure on by phase, in the order in which they began, and of `unexplained` as the last one.

        Together they are the whole: from T0 to the last moment, or to the end of the last phase if that is later. A
        phase before the failure, and one that was not gone through, is not among them. Empty without T0.
        """
        zero = self._noted.get("t0")
        if zero is None:
            return {}
        now = self.anchor.now()
        taken: dict[str, float] = {}
        for span in self._spans:
            seconds = ((span.end or now) - max(span.begin, zero)).total_seconds()
            if seconds > 0 or span.begin >= zero:
                taken[span.phase] = taken.get(span.phase, 0.0) + max(seconds, 0.0)
        ends = [span.end or now for span in self._spans]
        whole = (max([*self._noted.values(), *ends]) - zero).total_seconds()
        return {**taken, UNEXPLAINED: max(whole - sum(taken.values()), 0.0)}

    def save(self) -> None:
        """
        Keep it, whole or not at all, whatever ends the process. To be called after each step of a phase: a phase that
        is interrupted is known up to there.
        """
        path = self._path
        if path is None:
            return
        kept = {
            "schema": _SCHEMA,
            "anchor": self.anchor.to_json(),
            "saved": self.anchor.now().isoformat(),
            "uncertainty": self.uncertainty,
            "moments": {name: at.isoformat() for name, at in self._noted.items()},
            "spans": [[one.phase, one.begin.isoformat(), one.end and one.end.isoformat()] for one in self._spans],
        }
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with beside.open("w", encoding="utf-8") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)

    @classmethod
    def resume(cls, path: Path) -> Stopwatch:
        """
        Go on with one that was saved. A phase that went on then ends at the last `save`: what it did after that nobody
        saw, and it counts as unexplained; the clock itself never stood still.

        Raises:
            OpsproofError: The file is not there, or holds something else.
        """
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            return cls._from(path, kept)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            what = f"the stopwatch's file cannot be read: {type(exc).__name__}"
            raise OpsproofError(what, where=str(path), next_step="Begin the rehearsal anew.") from exc

    @classmethod
    def _from(cls, path: Path, kept: Mapping[str, Any]) -> Stopwatch:
        if kept["schema"] != _SCHEMA:
            raise ValueError("another schema")
        anchor, saved = Anchor.from_json(kept["anchor"]), datetime.fromisoformat(kept["saved"])
        watch = cls(path, anchor if anchor.alive else None)
        watch.uncertainty = kept["uncertainty"]
        if not anchor.alive:
            watch.uncertainty = (
                "the machine was restarted, or is another one: times before and after "
                f"{watch.anchor.wall.isoformat(timespec='seconds')} are joined by wall clocks alone"
            )
        watch._noted = {name: datetime.fromisoformat(at) for name, at in kept["moments"].items()}
        watch._spans = [
            Span(phase, datetime.fromisoformat(begin), datetime.fromisoformat(end) if end else saved)
            for phase, begin, end in kept["spans"]
        ]
        return watch


def _wrong(what: str, next_step: str) -> OpsproofError:
    return OpsproofError(what, where="the rehearsal's stopwatch", next_step=next_step)
