"""Percentiles over time, with the arrivals and the failures below them."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from opsproof.benchmark.facts import BenchmarkFact, GateFact
from opsproof.judge.limits import Lang
from opsproof.report.axis import round_marks, time_marks
from opsproof.report.benchmarks.course import Moment, course
from opsproof.report.benchmarks.numbers import time_limits
from opsproof.report.benchmarks.plot import (
    LEFT,
    LIMIT,
    PLOT,
    Frame,
    box,
    frame,
    label,
    legend,
    line,
    picture,
    time_axis,
)
from opsproof.report.benchmarks.words import words
from opsproof.report.rehearsals.words import took

_STYLES = (
    ("p50", "#56B4E9", ' stroke-width="1.6"'),
    ("p95", "#0072B2", ' stroke-width="2.4"'),
    ("p99", "#666666", ' stroke-width="1.4" stroke-dasharray="5 2"'),
)
"""Of the quantiles, in their order; also their width and dashes tell them apart."""
_TIMES, _BELOW, _SPACE, _LETTERS = 190.0, 52.0, 28.0, 13.0
_BEGUN, _FAILED = "#0072B2", "#D55E00"


def timeline(fact: BenchmarkFact, request: str, lang: Lang) -> str:
    """
    Draw how it went.

    Args:
        fact: The benchmark.
        request: Name of the requests; "" for all.
        lang: Language of the words.

    Returns:
        An `<svg>` element; "" if no request ended.
    """
    moments = course(fact, request)
    seen = [time for moment in moments for time in moment.times]
    if not seen:
        return ""
    said, limits = words(lang), [*time_limits(fact, request)]
    parts, y = legend(_entries(lang, waiting=any(moment.waiting for moment in moments)), 12)
    end = max(fact.plan.duration, moments[-1].end)
    times = frame(0, end, [*seen, *(limit for _, limit in limits)], y + 14, _TIMES)
    load = Frame(0, end, 1, 10, times.y0 + _TIMES + _SPACE, _BELOW)
    failed = Frame(0, end, 1, 10, load.y0 + _BELOW + _SPACE, _BELOW * 0.7)
    bottom = failed.y0 + failed.height
    parts += [
        *_stretches(fact, moments, times, bottom, lang),
        *time_axis(times, lang),
        *_percentiles(moments, times),
        *_limits(limits, times),
        *_arrivals(moments, load, said["arrivals_per_second"]),
        *_failures(moments, failed, said),
        *_seconds(end, bottom, lang),
    ]
    return picture(parts, bottom + 40, f"{said['over_time']}: {request or said['all_requests']}")


def _entries(lang: Lang, *, waiting: bool) -> Iterator[tuple[str, str]]:
    said = words(lang)
    for name, colour, style in _STYLES:
        yield name, f'<line x2="22" stroke="{colour}"{style}/>'
    yield said["limit"], f'<line x2="22" stroke="{LIMIT}" stroke-width="2" stroke-dasharray="2 2"/>'
    if waiting:
        yield said["none_ended"], '<rect y="-6" width="22" height="12" fill="url(#waiting)" stroke="#999"/>'


def _stretches(fact: BenchmarkFact, moments: Iterable[Moment], of: Frame, bottom: float, lang: Lang) -> Iterator[str]:
    """The warm-up, where requests waited and none ended, and the planned end."""
    said = words(lang)
    if fact.plan.warm_up:
        width = of.x(fact.plan.warm_up) - LEFT
        yield f'<rect x="{LEFT}" y="{of.y0}" width="{width:.1f}" height="{bottom - of.y0:.1f}" fill="#f0f0f0"/>'
        yield label(LEFT, of.y0 - 5, said["warm_up"])
    for moment in moments:
        if moment.waiting:
            x = of.x(moment.begin)
            yield (
                f'<rect class="waiting" x="{x:.1f}" y="{of.y0}" width="{of.x(moment.end) - x:.1f}" '
                f'height="{of.height}" fill="url(#waiting)"/>'
            )
    if of.right > fact.plan.duration * 1.02:
        x = of.x(fact.plan.duration)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{of.y0}" y2="{bottom}" stroke="#333" stroke-dasharray="2 4"/>'
        yield label(x, of.y0 - 5, said["planned_end"], anchor="end")


def _percentiles(moments: Sequence[Moment], of: Frame) -> Iterator[str]:
    """A second in which no request ended is a gap."""
    for number, (name, colour, style) in reversed([*enumerate(_STYLES)]):
        for piece in _pieces(moments):
            places = [(of.x((one.begin + one.end) / 2), of.y(one.times[number])) for one in piece]
            yield from line(places, colour, name, style)


def _pieces(moments: Sequence[Moment]) -> Iterator[list[Moment]]:
    piece: list[Moment] = []
    for moment in moments:
        if piece and (not moment.times or moment.begin > piece[-1].end):
            yield piece
            piece = []
        if moment.times:
            piece.append(moment)
    if piece:
        yield piece


def _limits(limits: Iterable[tuple[GateFact, float]], of: Frame) -> Iterator[str]:
    below = -math.inf
    for gate, limit in sorted(limits, key=lambda pair: -pair[1]):
        y = of.y(limit)
        below = max(y - 4, below + _LETTERS)
        yield (
            f'<line class="limit" x1="{LEFT}" x2="{LEFT + PLOT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{LIMIT}" '
            'stroke-width="2" stroke-dasharray="2 2"/>'
        )
        yield label(LEFT + PLOT - 2, below, f"{gate.measure} {gate.limit}", anchor="end", colour=LIMIT, bold=True)


def _arrivals(moments: Sequence[Moment], of: Frame, title: str) -> Iterator[str]:
    most = max(1.0, *(max(moment.planned, moment.begun) for moment in moments))
    yield label(LEFT, of.y0 - 6, title)
    yield from _scale(of, most)
    for moment in moments:
        x, height = of.x(moment.begin), moment.begun / most * of.height
        yield (
            f'<rect class="begun" x="{x:.1f}" y="{of.y0 + of.height - height:.1f}" '
            f'width="{of.x(moment.end) - x:.1f}" height="{height:.1f}" fill="{_BEGUN}" fill-opacity="0.35"/>'
        )
    path = "".join(
        f"M{of.x(one.begin):.1f} {of.y0 + of.height * (1 - one.planned / most):.1f}H{of.x(one.end):.1f}"
        for one in moments
    )
    yield f'<path class="planned" d="{path}" stroke="#111" stroke-width="1.6" fill="none"/>'


def _failures(moments: Sequence[Moment], of: Frame, said: Mapping[str, str]) -> Iterator[str]:
    most = max(moment.failed for moment in moments)
    yield label(LEFT, of.y0 - 6, said["failed_per_second"] if most else said["none_failed"])
    yield from _scale(of, most or 1.0)
    for moment in moments:
        if moment.failed:
            x, height = of.x(moment.begin), moment.failed / most * of.height
            yield (
                f'<rect class="failed" x="{x:.1f}" y="{of.y0 + of.height - height:.1f}" '
                f'width="{of.x(moment.end) - x:.1f}" height="{height:.1f}" fill="{_FAILED}"/>'
            )


def _scale(of: Frame, most: float) -> Iterator[str]:
    marks = [mark for mark in round_marks(0, most) if mark]
    yield box(of)
    yield label(LEFT - 6, of.y0 + of.height + 4, "0", anchor="end")
    yield label(LEFT - 6, of.y0 + of.height * (1 - marks[-1] / most) + 4, f"{marks[-1]:,g}", anchor="end")


def _seconds(end: float, y: float, lang: Lang) -> Iterator[str]:
    of = Frame(0, end, 1, 10, 0, 1)
    for mark in time_marks(end):
        x = of.x(mark)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 4}" stroke="#333"/>'
        yield label(x, y + 17, took(mark, lang) if mark else "0", anchor="end" if x > LEFT + PLOT - 12 else "middle")
    yield label(LEFT + PLOT, y + 33, words(lang)["since_begin"], anchor="end")
