"""Judge samples as they come: which checks have been healthy, unbroken, since when (design, section 1: window)."""

from collections.abc import Iterable
from typing import NamedTuple

from opsproof.judge.windows import Span, State, Timeline

MOST_SPANS = 200


class Sample(NamedTuple):
    """
    One reading of one check. Times are seconds from the window's begin.

    Attributes:
        check: Its id.
        start: When it was asked for.
        end: When it had its answer.
        state: Healthy, failed or unknown; None if it cannot be told yet, which changes nothing.
        message: What it says, if it is not healthy.
        since: For a number that is read over a stretch: when that stretch begins.
    """

    check: str
    start: float
    end: float
    state: State | None
    message: str = ""
    since: float | None = None


class _Line:
    """What was seen of one check. Of a long window the first and the newest spans are kept."""

    def __init__(self, check: str) -> None:
        self.check = check
        self.spans: list[Span] = []
        self.flaps = 0
        self.last_start: float | None = None
        self.last_end: float | None = None
        self.looked_until: float | None = None

    @property
    def now(self) -> Span | None:
        return self.spans[-1] if self.spans else None

    @property
    def healthy_since(self) -> float | None:
        return self.now.start if self.now and self.now.state is State.HEALTHY else None

    def take(self, state: State, start: float, end: float, *, samples: int, message: str) -> bool:
        """Add to the timeline; True if the state has changed."""
        if self.now and self.now.state is state:
            self.spans[-1] = self.now.model_copy(
                update={"end": max(self.now.end, end), "samples": self.now.samples + samples}
            )
            return False
        if state is State.FAILED and self._was_healthy():
            self.flaps += 1
        self.spans.append(Span(state=state, start=start, end=end, samples=samples, message=message))
        if len(self.spans) > MOST_SPANS:
            del self.spans[MOST_SPANS // 2]
        return True

    def _was_healthy(self) -> bool:
        """True if what came before, gaps and what is not known left out, was healthy."""
        told = (span.state for span in reversed(self.spans) if span.state in (State.HEALTHY, State.FAILED))
        return next(told, None) is State.HEALTHY


class Watch:
    """
    All checks of a window, sample by sample.

    A stretch is unbroken while every check is healthy in sample after sample. A sample that failed or could not be
    taken breaks it, and so does a gap: what nobody looked at is not known to have been healthy.

    Args:
        checks: Ids of the checks.
        stable_for: How long the stretch must be, in seconds; 0 if all must be healthy at once, no longer.
        longest_pause: Seconds from the end of one sample of a check to the begin of its next, beyond which the time
            between counts as a gap.
    """

    def __init__(self, checks: Iterable[str], *, stable_for: float, longest_pause: float) -> None:
        self.stable_for = stable_for
        self.longest_pause = longest_pause
        self.samples = self.flaps = self.gaps = 0
        self.first_healthy: float | None = None
        self.longest = 0.0
        self._lines = {check: _Line(check) for check in checks}
        self._excused: dict[str, _Line] = {}

    def take(self, sample: Sample) -> bool:
        """Take a sample; returns True if it changed the state of its check."""
        if sample.check in self._excused:
            self._lines[sample.check] = self._excused.pop(sample.check)
        line = self._lines[sample.check]
        together = self.together
        self.samples += 1
        if line.looked_until is not None and sample.start - line.looked_until > self.longest_pause:
            self._gap(line, line.looked_until, sample.start)
        line.looked_until = sample.end
        if sample.state is None:
            return False
        line.last_start, line.last_end = sample.start, sample.end
        start = sample.start
        if sample.state is State.HEALTHY and sample.since is not None:
            start = min(start, max(sample.since, self._not_before(line)))
        changed = line.take(sample.state, start, sample.end, samples=1, message=sample.message)
        if together and sample.state is State.FAILED:
            self.flaps += 1
        if changed and sample.state is State.GAP:
            self.gaps += 1
        self._note_stretch()
        return changed

    def miss(self, start: float, end: float, why: str) -> None:
        """Nobody looked for so long, at any check: the machine was suspended, or had no time."""
        self.gaps += 1
        for line in self._lines.values():
            line.take(State.GAP, start, end, samples=0, message=why)
            line.looked_until = end

    def excuse(self, check: str) -> None:
        """Leave a check out that does not apply; its next sample brings it back."""
        if check in self._lines:
            self._excused[check] = self._lines.pop(check)

    @property
    def healthy_since(self) -> float | None:
        """Since when all checks have been healthy, unbroken; None if one of them is not, or none is left."""
        return self.healthy_since_beside(())

    def healthy_since_beside(self, others: Iterable[str]) -> float | None:
        """The same for all checks but some: a number over a stretch takes the stretch from those that are not."""
        left_out = set(others)
        since = [line.healthy_since for line in self._lines.values() if line.check not in left_out]
        known = [one for one in since if one is not None]
        return max(known) if known and len(known) == len(since) else None

    def not_healthy_until(self, check: str) -> float:
        """When a check was last seen not to be healthy, or a gap ended; 0 if never."""
        return self._not_before(self._lines[check])

    @property
    def together(self) -> bool:
        """True if all checks are healthy, and each was still seen so when the last of them became it."""
        since = self.healthy_since
        return since is not None and all((line.last_end or 0.0) >= since for line in self._lines.values())

    @property
    def held(self) -> float:
        """For how long all checks have been healthy: until the newest sample that each of them has begun."""
        since = self.healthy_since
        begun = [line.last_start for line in self._lines.values() if line.last_start is not None]
        return max(0.0, min(begun) - since) if since is not None and begun else 0.0

    @property
    def stable(self) -> bool:
        """True once all checks have been healthy for the whole stretch."""
        return self.together and self.held >= self.stable_for

    def state(self, check: str) -> Span | None:
        """How a check stands; None if it has no sample yet, or does not apply."""
        return self._lines[check].now if check in self._lines else None

    def trouble(self, check: str) -> Span | None:
        """The last part of a check's timeline that was not healthy; None if it always was."""
        return next((s for s in reversed(self._lines[check].spans) if s.state is not State.HEALTHY), None)

    def held_by(self, check: str) -> float:
        """For how long one check has been healthy, unbroken."""
        line = self._lines[check]
        since = line.healthy_since
        return max(0.0, (line.last_start or 0.0) - since) if since is not None else 0.0

    def flaps_of(self, check: str) -> int:
        """How often a check was healthy and then failed."""
        return self._lines[check].flaps

    @property
    def checks(self) -> list[str]:
        """Ids of the checks that are watched."""
        return list(self._lines)

    @property
    def timelines(self) -> tuple[Timeline, ...]:
        """All that was seen, check by check."""
        return tuple(
            Timeline(check=line.check, spans=tuple(map(_rounded, line.spans)), flaps=line.flaps)
            for line in self._lines.values()
        )

    def _gap(self, line: _Line, start: float, end: float) -> None:
        self.gaps += 1
        line.take(State.GAP, start, end, samples=0, message=f"no sample for {end - start:.1f} s")

    def _not_before(self, line: _Line) -> float:
        return next((span.end for span in reversed(line.spans) if span.state is not State.HEALTHY), 0.0)

    def _note_stretch(self) -> None:
        if self.together and self.first_healthy is None:
            self.first_healthy = self.healthy_since
        self.longest = max(self.longest, self.held)


def _rounded(span: Span) -> Span:
    return span.model_copy(update={"start": round(span.start, 3), "end": round(span.end, 3)})
