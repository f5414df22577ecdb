"""What the pictures of a benchmark share: axes, of which the one of times is logarithmic, lines, and a legend."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from opsproof.judge.limits import Lang
from opsproof.report.axis import log_marks
from opsproof.report.rehearsals.words import took
from opsproof.report.text import one_line

WIDTH = 520
LEFT, RIGHT = 58.0, 12.0
PLOT = WIDTH - LEFT - RIGHT
LIMIT = "#B34700"
_INK = "#444"
_LEAST = 1e-6
"""Seconds: the resolution of a histogram, and the bottom of every scale."""
_NARROWEST = 4.0
"""The least ratio of top and bottom of a scale."""
PATTERNS = (
    '<defs><pattern id="waiting" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#fff"/><rect width="1.6" height="6" fill="#bbb"/></pattern></defs>'
)


@dataclass(frozen=True)
class Frame:
    """
    Where numbers are drawn.

    Attributes:
        left: Number at the left edge.
        right: Number at the right edge.
        bottom: Seconds at the bottom, on a logarithmic scale.
        top: Seconds at the top.
        y0: Pixels of the top edge.
        height: Pixels.
    """

    left: float
    right: float
    bottom: float
    top: float
    y0: float
    height: float

    def x(self, number: float) -> float:
        """Pixels from the left; never beyond the edges."""
        return LEFT + min(max((number - self.left) / (self.right - self.left), 0.0), 1.0) * PLOT

    def y(self, seconds: float) -> float:
        """Pixels from the top."""
        share = math.log(self.top / max(seconds, _LEAST)) / math.log(self.top / self.bottom)
        return self.y0 + min(max(share, 0.0), 1.0) * self.height


def frame(left: float, right: float, times: Iterable[float], y0: float, height: float) -> Frame:
    """A frame in which all these times, in seconds, have their place with some room around."""
    known = [max(seconds, _LEAST) for seconds in times]
    bottom, top = min(known) / 1.25, max(known) * 1.25
    if top / bottom < _NARROWEST:
        middle = math.sqrt(top * bottom)
        bottom, top = middle / math.sqrt(_NARROWEST), middle * math.sqrt(_NARROWEST)
    return Frame(left, right, bottom, top, y0, height)


def time_axis(of: Frame, lang: Lang) -> Iterator[str]:
    """The logarithmic axis at the left, with lines across."""
    for mark in log_marks(of.bottom, of.top):
        y = of.y(mark)
        yield f'<line x1="{LEFT}" x2="{LEFT + PLOT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e4e4"/>'
        yield label(LEFT - 6, y + 4, took(mark, lang), anchor="end")
    yield box(of)


def box(of: Frame) -> str:
    """The left and the bottom edge."""
    return f'<path d="M{LEFT} {of.y0}V{of.y0 + of.height}H{LEFT + PLOT}" fill="none" stroke="#333"/>'


def label(x: float, y: float, text: str, *, anchor: str = "start", colour: str = _INK, bold: bool = False) -> str:
    """A small text; a bold one can be read where lines cross it."""
    weight = ' font-weight="bold" stroke="#fff" stroke-width="3" paint-order="stroke"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(one_line(text))}</text>'
    )


def line(points: Sequence[tuple[float, float]], colour: str, kind: str, style: str) -> Iterator[str]:
    """
    A line through places in pixels, with dots where these are few.

    Args:
        points: The places; of one alone there is only its dot.
        colour: Of line and dots.
        kind: Class of the elements.
        style: More attributes of the line.
    """
    if len(points) > 1:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline class="{kind}" points="{path}" fill="none" stroke="{colour}"{style}/>'
    else:
        yield from (f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="2.4" fill="{colour}"/>' for x, y in points)


def legend(entries: Iterable[tuple[str, str]], y: float) -> tuple[list[str], float]:
    """
    What the lines are.

    Args:
        entries: Words, and an element of 22 pixels around y = 0.
        y: Where it begins.

    Returns:
        Elements, and where the legend ends.
    """
    from wcwidth import wcswidth

    parts, x = [], LEFT
    for word, drawing in entries:
        width = 28 + wcswidth(word) * 6.6 + 16
        if x > LEFT and x + width > WIDTH:
            x, y = LEFT, y + 18
        parts.append(f'<g transform="translate({x:.0f} {y:.0f})">{drawing}{label(28, 4, word)}</g>')
        x += width
    return parts, y + 18


def picture(parts: Iterable[str], height: float, title: str) -> str:
    """The whole SVG element."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="100%" role="img" '
        f"font-family=\"'Noto Sans CJK KR', 'Noto Sans KR', 'Malgun Gothic', sans-serif\" font-size=\"12\">"
        f"<title>{escape(one_line(title))}</title>{PATTERNS}{''.join(parts)}</svg>"
    )
