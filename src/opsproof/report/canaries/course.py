"""How a criterion went over the watch: lines without what was not measured, and where nothing was."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from opsproof.canary.facts import CanaryFact, CriterionFact, LookFact
from opsproof.judge.canary.series import State
from opsproof.report.canaries.reading import bounds, estimates

_LATE = 1.5
"""Intervals between two looks above which a look is missing."""
_GOOD = (State.OK, State.VIOLATION)
_SETTLED = 0.25
"""Part of the looks whose numbers are too uncertain to say how far the scale must reach."""
_LIMITS_SHOWN = 1.8
_UPPER_SHOWN = 8.0


class Point(NamedTuple):
    """A number at a look. With `lower` and `upper`, what it surely lies between."""

    elapsed: float
    value: float
    lower: float | None = None
    upper: float | None = None


class Gap(NamedTuple):
    """
    A stretch of the watch without data of the canary.

    Attributes:
        start: Seconds from its begin.
        end: The same.
        state: Of the data; None for a hole in what is otherwise usable.
    """

    start: float
    end: float
    state: State | None


def canary_lines(fact: CanaryFact, criterion: CriterionFact) -> list[list[Point]]:
    """The canary over the watch, in pieces without a gap."""

    def point(look: LookFact) -> Point | None:
        value, _ = estimates(criterion, look)
        if value is None or look.canary.state not in _GOOD:
            return None
        lower, upper = bounds(criterion, look) or (None, None)
        return Point(look.elapsed, value, lower, upper)

    return _pieces(fact, criterion.looks, point)


def baseline_lines(fact: CanaryFact, criterion: CriterionFact) -> list[list[Point]]:
    """The baseline over the watch, in pieces without a gap."""

    def point(look: LookFact) -> Point | None:
        _, value = estimates(criterion, look)
        if value is None or (look.baseline is not None and look.baseline.state not in _GOOD):
            return None
        return Point(look.elapsed, value)

    return _pieces(fact, criterion.looks, point)


def gaps(fact: CanaryFact, criterion: CriterionFact) -> list[Gap]:
    """Where the canary has no usable data; neighbours of one kind are one."""
    found: list[Gap] = []
    for gap in _gaps(fact, criterion.looks):
        last = found[-1] if found else None
        if last and last.state is gap.state and gap.start <= last.end:
            found[-1] = Gap(last.start, gap.end, gap.state)
        else:
            found.append(gap)
    return found


def scale(criterion: CriterionFact, canary: Sequence[Sequence[Point]], baseline: Sequence[Sequence[Point]]) -> float:
    """
    How far the axis of the numbers must reach, from 0: the limit, all settled numbers, and the newest bounds.

    The first looks know little, and their bounds would press all else into a line.
    """
    ours = [point for piece in canary for point in piece]
    theirs = [point for piece in baseline for point in piece]
    settled = [*ours[int(len(ours) * _SETTLED) :], *theirs[int(len(theirs) * _SETTLED) :]]
    most = max((point.value for point in settled), default=0.0)
    wanted = [most, (criterion.share or 0.0) * _LIMITS_SHOWN]
    if ours:
        most = max(most, criterion.share or 0.0)
        wanted += [ours[-1].lower or 0.0, min(ours[-1].upper or 0.0, _UPPER_SHOWN * most)]
    return 1.08 * max(wanted) or (0.01 if criterion.form != "number" else 1.0)


def _pieces(
    fact: CanaryFact, looks: Sequence[LookFact], point: Callable[[LookFact], Point | None]
) -> list[list[Point]]:
    pieces: list[list[Point]] = [[]]
    before: LookFact | None = None
    for look in looks:
        here = point(look)
        if here is None or (before is not None and _torn(fact, before, look)):
            pieces.append([])
        if here is not None:
            pieces[-1].append(here)
        before = look
    return [piece for piece in pieces if piece]


def _torn(fact: CanaryFact, before: LookFact, look: LookFact) -> bool:
    return look.elapsed - before.elapsed > _LATE * fact.interval or look.canary.missing > before.canary.missing


def _gaps(fact: CanaryFact, looks: Sequence[LookFact]) -> Iterator[Gap]:
    for look in looks[:1]:
        if look.canary.state not in _GOOD:
            yield Gap(0.0, look.elapsed, look.canary.state)
    for before, look in pairwise(looks):
        if look.canary.state not in _GOOD:
            yield Gap(before.elapsed, look.elapsed, look.canary.state)
        elif (lost := look.canary.missing - before.canary.missing) > 0:
            yield Gap(max(0.0, look.elapsed - lost), look.elapsed, None)
        elif look.elapsed - before.elapsed > _LATE * fact.interval:
            yield Gap(before.elapsed, look.elapsed, None)
