"""One criterion over the watch, drawn."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from opsproof.canary.facts import CanaryFact, CriterionFact, LookFact
from opsproof.judge.canary.words import share_text
from opsproof.judge.limits import Lang
from opsproof.report.axis import round_marks, time_marks
from opsproof.report.canaries.course import Point, baseline_lines, canary_lines, gaps, scale
from opsproof.report.canaries.reading import meaning, number_text, trouble_text
from opsproof.report.canaries.words import STATES, words
from opsproof.report.rehearsals.words import took
from opsproof.report.text import one_line

WIDTH = 640
CANARY, BASELINE, LIMIT = "#0072B2", "#444", "#D55E00"
_LEFT, _RIGHT, _TOP, _HEIGHT = 58.0, 126.0, 40.0, 132.0
_PLOT = WIDTH - _LEFT - _RIGHT
_LINE = 14.0
_MOST_DOTS = 45
_GAPS_TOLD = 3


class _Note(NamedTuple):
    """A word at the right edge, beside what it names."""

    y: float
    text: str
    colour: str


@dataclass(frozen=True)
class _Frame:
    """Where a moment and a number are drawn."""

    length: float
    top: float
    bottom: float

    def x(self, elapsed: float) -> float:
        return _LEFT + min(max(elapsed / self.length, 0.0), 1.0) * _PLOT

    def y(self, number: float) -> float:
        return _TOP + (self.top - number) / (self.top - self.bottom) * _HEIGHT


def chart(fact: CanaryFact, criterion: CriterionFact, number: int, lang: Lang) -> tuple[str, float]:
    """
    Draw a criterion that was looked at.

    Args:
        fact: The canary.
        criterion: One of its criteria, with at least one look.
        number: Of the chart in its picture.
        lang: Language of the words.

    Returns:
        SVG elements from 0,0 on, and their height.
    """
    ours, theirs = canary_lines(fact, criterion), baseline_lines(fact, criterion)
    lowest = min((point.value for piece in (*ours, *theirs) for point in piece), default=0.0)
    end = criterion.looks[-1].elapsed
    frame = _Frame(max(fact.duration, end), scale(criterion, ours, theirs), min(0.0, 1.1 * lowest))
    clip = f"plot-{number}"
    parts = [
        f'<clipPath id="{clip}"><rect x="{_LEFT}" y="{_TOP - 3}" width="{_PLOT + 4}" height="{_HEIGHT + 7}"/>'
        "</clipPath>",
        f'<text x="{_LEFT}" y="{_TOP - 24}" fill="#444" font-size="11">{escape(one_line(meaning(criterion, lang)))}'
        "</text>",
        *_axes(criterion, frame, lang),
        *_empty(fact, criterion, frame),
        f'<g clip-path="url(#{clip})">',
        *(_band(piece, frame) for piece in ours),
        *_limit(criterion, frame),
        *(part for piece in theirs for part in _line(piece, frame, BASELINE, ' stroke-dasharray="6 3"')),
        *(part for piece in ours for part in _line(piece, frame, CANARY, ' stroke-width="2.2"')),
        "</g>",
        *_end(fact, frame, end, lang),
        *_off_scale(criterion, ours, frame, lang),
        *_notes(criterion, ours, theirs, frame, lang),
    ]
    return "".join(parts), _TOP + _HEIGHT + 24


def gap_texts(fact: CanaryFact, criterion: CriterionFact, lang: Lang) -> Iterator[str]:
    """Where there were no data, in words, and what is wrong with the baseline's."""
    said, found = words(lang), gaps(fact, criterion)
    if found:
        told = [
            f"{took(round(gap.start, 1), lang)} – {took(round(gap.end, 1), lang)} "
            f"{said['hole'] if gap.state is None else STATES[lang][gap.state]}"
            for gap in found[:_GAPS_TOLD]
        ]
        if len(found) > _GAPS_TOLD:
            told.append(said["others"].format(n=len(found) - _GAPS_TOLD))
        yield "▨ " + ", ".join(told)
    sick = [look for look in criterion.looks if _only_baseline(look)]
    if sick:
        yield f"▨ {trouble_text(sick[-1], lang)} ({len(sick)}/{len(criterion.looks)})"


def _only_baseline(look: LookFact) -> bool:
    good = ("ok", "violation")
    return look.canary.state in good and look.baseline is not None and look.baseline.state not in good


def _axes(criterion: CriterionFact, frame: _Frame, lang: Lang) -> Iterator[str]:
    for mark in round_marks(frame.bottom, frame.top):
        y = frame.y(mark)
        yield f'<line x1="{_LEFT}" x2="{_LEFT + _PLOT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e4e4"/>'
        label = escape(number_text(criterion, mark))
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#444" font-size="11">{label}</text>'
    bottom = _TOP + _HEIGHT
    yield f'<path d="M{_LEFT} {_TOP}V{bottom}H{_LEFT + _PLOT}" fill="none" stroke="#333"/>'
    for mark in time_marks(frame.length):
        x = frame.x(mark)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}" stroke="#333"/>'
        label = escape(took(mark, lang)) if mark else "0"
        yield f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="middle" fill="#444" font-size="11">{label}</text>'


def _empty(fact: CanaryFact, criterion: CriterionFact, frame: _Frame) -> Iterator[str]:
    for gap in gaps(fact, criterion):
        x, end = frame.x(gap.start), frame.x(gap.end)
        yield (
            f'<rect class="gap" x="{x:.1f}" y="{_TOP}" width="{max(end - x, 2.0):.1f}" height="{_HEIGHT}" '
            'fill="url(#gap)" stroke="#777" stroke-width="0.6"/>'
        )


def _band(piece: Sequence[Point], frame: _Frame) -> str:
    known = [(point.elapsed, point.lower, point.upper) for point in piece]
    both = [(at, low, high) for at, low, high in known if low is not None and high is not None]
    if not both:
        return ""
    if len(both) == 1:
        at, low, high = both[0]
        return (
            f'<rect class="bounds" x="{frame.x(at) - 3:.1f}" y="{frame.y(high):.1f}" width="6" '
            f'height="{frame.y(low) - frame.y(high):.1f}" fill="{CANARY}" fill-opacity="0.2" stroke="{CANARY}" '
            'stroke-width="0.6"/>'
        )
    points = [
        *(f"{frame.x(at):.1f},{frame.y(high):.1f}" for at, _, high in both),
        *(f"{frame.x(at):.1f},{frame.y(low):.1f}" for at, low, _ in reversed(both)),
    ]
    return (
        f'<polygon class="bounds" points="{" ".join(points)}" fill="{CANARY}" fill-opacity="0.2" stroke="{CANARY}" '
        'stroke-width="0.6"/>'
    )


def _end(fact: CanaryFact, frame: _Frame, end: float, lang: Lang) -> Iterator[str]:
    """The planned end, and the real one if it came earlier."""
    said = words(lang)
    moments = [(fact.duration, said["planned_end"], "end")]
    if end < fact.duration * 0.98:
        anchor = "end" if frame.x(end) > _LEFT + _PLOT * 0.3 else "start"
        moments.append((end, f"{said['ended']} {took(round(end, 1), lang)}", anchor))
    for at, word, anchor in moments:
        x = frame.x(at)
        dashes = "2 4" if at == fact.duration else "none"
        yield (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{_TOP + _HEIGHT}" stroke="#333" '
            f'stroke-dasharray="{dashes}"/>'
        )
        if at == fact.duration or fact.duration - at > 0.3 * frame.length:
            yield f'<text x="{x:.1f}" y="{_TOP - 8}" text-anchor="{anchor}" font-size="11">{escape(word)}</text>'


def _limit(criterion: CriterionFact, frame: _Frame) -> Iterator[str]:
    if criterion.share is not None:
        y = frame.y(criterion.share)
        yield (
            f'<line class="limit" x1="{_LEFT}" x2="{_LEFT + _PLOT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{LIMIT}" '
            'stroke-width="2.4"/>'
        )


def _line(piece: Sequence[Point], frame: _Frame, colour: str, style: str) -> Iterator[str]:
    kind = "canary" if colour == CANARY else "baseline"
    places = [(frame.x(point.elapsed), frame.y(point.value)) for point in piece]
    if len(places) > 1:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline class="{kind}" points="{path}" fill="none" stroke="{colour}"{style}/>'
    if len(places) <= _MOST_DOTS or len(places) == 1:
        for x, y in places:
            if kind == "canary":
                yield f'<circle class="canary" cx="{x:.1f}" cy="{y:.1f}" r="2.8" fill="{colour}"/>'
            else:
                yield (
                    f'<rect class="baseline" x="{x - 2.2:.1f}" y="{y - 2.2:.1f}" width="4.4" height="4.4" fill="#fff" '
                    f'stroke="{colour}"/>'
                )


def _off_scale(criterion: CriterionFact, pieces: Iterable[Sequence[Point]], frame: _Frame, lang: Lang) -> Iterator[str]:
    """A number above the scale is not drawn as if it were at its top."""
    high = [point for piece in pieces for point in piece if point.value > frame.top]
    for point in high:
        x = frame.x(point.elapsed)
        yield f'<path d="M{x - 4:.1f} {_TOP + 9}l4 -8l4 8z" fill="{CANARY}"/>'
    if high:
        most = number_text(criterion, max(point.value for point in high))
        text = escape(f"{words(lang)['above_scale']}: {most}")
        x = frame.x(high[-1].elapsed) + 8
        yield f'<text x="{x:.1f}" y="{_TOP + 11}" font-size="11" fill="{CANARY}">{text}</text>'


def _notes(
    criterion: CriterionFact,
    ours: Sequence[Sequence[Point]],
    theirs: Sequence[Sequence[Point]],
    frame: _Frame,
    lang: Lang,
) -> Iterator[str]:
    """Words at the right edge, as near to their lines as they can stand without touching."""
    said = words(lang)
    notes = []
    if criterion.share is not None:
        notes.append(_Note(frame.y(criterion.share), f"{said['limit']} {share_text(criterion.share)}", "#A34500"))
    for pieces, word, colour in ((ours, said["canary"], CANARY), (theirs, said["baseline"], BASELINE)):
        if pieces and pieces[-1][-1].elapsed == criterion.looks[-1].elapsed:
            last = pieces[-1][-1].value
            notes.append(_Note(max(_TOP, frame.y(last)), f"{word} {number_text(criterion, last)}", colour))
    if ours and (upper := ours[-1][-1].upper) is not None and upper > frame.top:
        notes.append(_Note(_TOP, f"↑ {said['bounds_to'].format(upper=share_text(upper))}", CANARY))
    notes.sort(key=lambda note: note.y)
    floor = _TOP + _HEIGHT - _LINE * (len(notes) - 1)
    y = -math.inf
    for number, note in enumerate(notes):
        y = max(y + _LINE, min(note.y, floor + _LINE * number))
        x = _LEFT + _PLOT + 8
        yield (
            f'<text x="{x}" y="{y + 4:.1f}" font-size="11.5" font-weight="bold" fill="{note.colour}">'
            f"{escape(one_line(note.text))}</text>"
        )
