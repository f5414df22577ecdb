"""The timeline of a rehearsal as a picture: SVG for the page, text for Markdown and the terminal."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import NamedTuple

from opsproof.judge.limits import Lang
from opsproof.rehearsal.facts import Proof
from opsproof.report.axis import time_marks
from opsproof.report.rehearsals.course import Bar, Course
from opsproof.report.rehearsals.words import PROOFS, SIGNS, phase_name, took, words
from opsproof.report.text import one_line

_LABEL, _PLOT, _NOTE = 150, 480, 300
_WIDTH = _LABEL + _PLOT + _NOTE
_ROW, _TOP, _LEVEL = 28, 30, 15
_CLOSE = 34
"""Pixels between two moments below which their names do not fit beside each other."""
_LEVELS = 4
_NARROWEST = 3.0
_TEXT_PLOT = 44

_FILLS: Mapping[Proof, str] = {Proof.PROVEN: "#0072B2", Proof.FAILED: "#D55E00", Proof.NOT_PROVEN: "url(#unproven)"}
"""Of Okabe and Ito: told apart by the colour-blind, and by their lightness in a print without colour."""
_NO_BUDGET = "#C9D3DA"
_SIGNS: Mapping[Proof, str] = {Proof.PROVEN: "#", Proof.FAILED: "X", Proof.NOT_PROVEN: "?"}
_PATTERNS = (
    '<defs><pattern id="unproven" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" fill="#fff"/><circle cx="3" cy="3" r="1.2" fill="#555"/></pattern>'
    '<pattern id="unexplained" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#fff"/><rect width="2" height="6" fill="#777"/></pattern></defs>'
)


class _Row(NamedTuple):
    label: str
    note: str
    bar: Bar


def svg(course: Course, lang: Lang) -> str:
    """
    The waterfall of the phases, from T0 on, with their budgets and what no phase explains.

    Args:
        course: Of `course`.
        lang: Language of the words.

    Returns:
        An `<svg>` element that stands alone; "" if there is no time to draw.
    """
    if not course.length:
        return ""
    levels = _levels(course)
    top = _TOP + _LEVEL * (max(levels.values(), default=0) + 1)
    rows = [*_rows(course, lang)]
    bottom = top + _ROW * len(rows)
    parts = [_PATTERNS, *_moments(course, levels, top, bottom)]
    for number, row in enumerate(rows):
        parts += _drawn(row, course, top + _ROW * number)
    parts += [*_axis(course, bottom, lang), *_legend(bottom + 46, lang)]
    height = bottom + 70
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="100%" role="img" '
        f'font-family="sans-serif" font-size="12">{"".join(parts)}</svg>'
    )


def text_picture(course: Course, lang: Lang) -> list[str]:
    """The same as lines of at most 100 columns; none if there is no time to draw."""
    from wcwidth import ljust, wcswidth

    if not course.length:
        return []
    rows = [*_rows(course, lang)]
    width = max(wcswidth(row.label) for row in rows)
    lines = [f"{' ' * width} |{_moment_marks(course)}|"] if course.moments else []
    lines += [f"{ljust(row.label, width)} |{_marks(row.bar, course.length)}| {row.note}" for row in rows]
    said = words(lang)
    signs = [*((_SIGNS[proof], PROOFS[lang][proof]) for proof in Proof), ("=", said["no_budget"])]
    key = ", ".join(f"{sign} {word}" for sign, word in (*signs, (".", said["unexplained"])))
    return [*lines, "", f"0 .. {took(course.length, lang)} ({said['after_t0']})", f"  {key}"]


def _rows(course: Course, lang: Lang) -> Iterator[_Row]:
    said = words(lang)
    for bar in course.bars:
        name = one_line(phase_name(bar.name, lang)) if bar.name else said["unexplained"]
        sign = f"{SIGNS[bar.proof]} {PROOFS[lang][bar.proof]}"
        if bar.seconds is None:
            yield _Row(name, f"{sign}  ({said['not_gone_through']})", bar)
        elif bar.budget is not None:
            yield _Row(name, f"{sign}  {took(bar.seconds, lang)} / {said['limit']} {took(bar.budget, lang)}", bar)
        elif bar.name and not _is_loose(bar):
            yield _Row(name, f"{sign}  {took(bar.seconds, lang)}", bar)
        else:
            yield _Row(name, took(bar.seconds, lang) + (f", {said['no_budget']}" if bar.name else ""), bar)


def _is_loose(bar: Bar) -> bool:
    """True for a phase that was gone through and has no budget: there is nothing to prove."""
    return bar.budget is None and bar.seconds is not None and bar.proof is Proof.NOT_PROVEN


def _x(seconds: float, course: Course) -> float:
    return _LABEL + seconds / course.length * _PLOT


def _levels(course: Course) -> dict[str, int]:
    """On which line the name of each moment stands: those that are close stand above each other."""
    levels: dict[str, int] = {}
    last = [float("-inf")] * _LEVELS
    for name, seconds in sorted(course.moments.items(), key=lambda item: (item[1], item[0])):
        x = _x(max(0.0, seconds), course)
        level = next((n for n in range(_LEVELS) if x - last[n] >= _CLOSE), _LEVELS - 1)
        last[level] = x
        levels[name] = level
    return levels


def _moments(course: Course, levels: Mapping[str, int], top: int, bottom: int) -> Iterator[str]:
    for name, level in levels.items():
        x = _x(max(0.0, course.moments[name]), course)
        y = top - 6 - _LEVEL * level
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y + 2}" y2="{bottom}" stroke="#999" stroke-dasharray="3 3"/>'
        yield f'<text x="{x:.1f}" y="{y}" text-anchor="middle" font-weight="bold">{name}</text>'


def _drawn(row: _Row, course: Course, y: int) -> Iterator[str]:
    bar, middle = row.bar, y + _ROW / 2 + 4
    yield f'<text x="{_LABEL - 8}" y="{middle}" text-anchor="end">{escape(row.label)}</text>'
    yield f'<text x="{_LABEL + _PLOT + 10}" y="{middle}">{escape(row.note)}</text>'
    if bar.start is None or bar.seconds is None:
        yield (
            f'<line x1="{_LABEL}" x2="{_LABEL + _PLOT}" y1="{y + _ROW / 2}" y2="{y + _ROW / 2}" '
            'stroke="#999" stroke-dasharray="1 5"/>'
        )
        return
    fill = "url(#unexplained)" if not bar.name else _NO_BUDGET if _is_loose(bar) else _FILLS[bar.proof]
    x, width = _x(bar.start, course), max(_NARROWEST, bar.seconds / course.length * _PLOT)
    x = min(x, _LABEL + _PLOT - width)
    yield (
        f'<rect x="{x:.1f}" y="{y + 5}" width="{width:.1f}" height="{_ROW - 10}" fill="{fill}" '
        'stroke="#333" stroke-width="0.8"/>'
    )
    if bar.budget is not None and bar.start + bar.budget <= course.length:
        end = _x(bar.start + bar.budget, course)
        yield f'<line x1="{end:.1f}" x2="{end:.1f}" y1="{y + 1}" y2="{y + _ROW - 1}" stroke="#000" stroke-width="2.5"/>'


def _axis(course: Course, y: int, lang: Lang) -> Iterator[str]:
    yield f'<line x1="{_LABEL}" x2="{_LABEL + _PLOT}" y1="{y}" y2="{y}" stroke="#333"/>'
    for mark in time_marks(course.length):
        x = _x(mark, course)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 4}" stroke="#333"/>'
        label = escape(took(mark, lang))
        yield f'<text x="{x:.1f}" y="{y + 18}" text-anchor="middle" fill="#444">{label}</text>'
    yield f'<text x="{_LABEL + _PLOT + 40}" y="{y + 18}" fill="#444">{escape(words(lang)["after_t0"])}</text>'


def _legend(y: int, lang: Lang) -> Iterator[str]:
    said = words(lang)
    entries = [(_FILLS[proof], f"{SIGNS[proof]} {PROOFS[lang][proof]}") for proof in Proof]
    entries += [(_NO_BUDGET, said["no_budget"]), ("url(#unexplained)", said["unexplained"])]
    for number, (fill, label) in enumerate(entries):
        x = _LABEL + 120 * number
        yield f'<rect x="{x}" y="{y}" width="16" height="12" fill="{fill}" stroke="#333" stroke-width="0.8"/>'
        yield f'<text x="{x + 22}" y="{y + 10}">{escape(label)}</text>'
    x = _LABEL + 120 * len(entries) + 25
    yield f'<line x1="{x}" x2="{x}" y1="{y - 2}" y2="{y + 14}" stroke="#000" stroke-width="2.5"/>'
    yield f'<text x="{x + 8}" y="{y + 10}">{escape(said["limit"])}</text>'


def _marks(bar: Bar, length: float) -> str:
    if bar.start is None or bar.seconds is None:
        return " " * _TEXT_PLOT
    mark = "." if not bar.name else "=" if _is_loose(bar) else _SIGNS[bar.proof]
    first = min(_TEXT_PLOT - 1, int(bar.start / length * _TEXT_PLOT))
    last = max(first + 1, round((bar.start + bar.seconds) / length * _TEXT_PLOT))
    return (" " * first + mark * (min(last, _TEXT_PLOT) - first)).ljust(_TEXT_PLOT)


def _moment_marks(course: Course) -> str:
    """The number of each moment where it stands; where two stand at one place, the later one moves on."""
    line = [" "] * _TEXT_PLOT
    for name, seconds in sorted(course.moments.items(), key=lambda item: (item[1], item[0])):
        at = min(_TEXT_PLOT - 1, int(max(0.0, seconds) / course.length * _TEXT_PLOT))
        free = next((n for n in (*range(at, _TEXT_PLOT), *range(at, -1, -1)) if line[n] == " "), at)
        line[free] = name.removeprefix("T")
    return "".join(line)
