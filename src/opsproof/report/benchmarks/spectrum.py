"""The spectrum of percentiles: from the moment a request was due, and beside it from the moment it was sent."""

import math
from collections.abc import Iterator, Sequence

from opsproof.benchmark.facts import BenchmarkFact
from opsproof.benchmark.selecting import everything_of
from opsproof.judge.benchmark.times import Times
from opsproof.judge.limits import Lang
from opsproof.report.benchmarks.numbers import longest, quantile, service_of, time_limits
from opsproof.report.benchmarks.plot import LEFT, LIMIT, PLOT, Frame, frame, label, legend, line, picture, time_axis
from opsproof.report.benchmarks.words import words

_RESPONSE, _SERVICE = ("response", "#0072B2", ' stroke-width="2.4"'), ("service", "#666", ' stroke-dasharray="6 3"')
_HEIGHT = 250.0
_STEPS = 120
_TOLD = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999)


def told_quantiles(requests: int) -> list[float]:
    """Quantiles that so many requests have: at least one is beyond."""
    return [q for q in _TOLD if requests * (1 - q) >= 1 - 1e-9]


def spectrum(fact: BenchmarkFact, lang: Lang) -> str:
    """
    Draw it.

    Args:
        fact: The benchmark.
        lang: Language of the words.

    Returns:
        An `<svg>` element; "" if no request ended.
    """
    said, response, service = words(lang), everything_of(fact.requests), service_of(fact)
    both = [(_RESPONSE, _points(response)), (_SERVICE, _points(service))]
    seen = [time for _, points in both for _, time in points]
    if not seen:
        return ""
    limits = [(gate.measure, gate.limit, limit) for gate, limit in time_limits(fact, "") if gate.measure[0] == "p"]
    entries = [(said[name], f'<line x2="22" stroke="{colour}"{style}/>') for (name, colour, style), _ in both]
    if len(response.ages):
        never = said["never_ended"].format(n=f"{len(response.ages):,}")
        entries.append((never, '<rect y="-6" width="22" height="12" fill="url(#waiting)" stroke="#999"/>'))
    parts, y = legend(entries, 12)
    right = max(_place(0.999), math.log10(max(2, response.total)))
    of = frame(0, right, [*seen, *(limit for *_, limit in limits)], y + 8, _HEIGHT)
    if len(response.ages):
        x = of.x(math.log10(response.total / len(response.ages)))
        parts.append(
            f'<rect class="never" x="{x:.1f}" y="{of.y0}" width="{LEFT + PLOT - x:.1f}" height="{_HEIGHT}" '
            'fill="url(#waiting)"/>'
        )
    parts += [*time_axis(of, lang), *_percentages(of, said["slower_than"])]
    for (name, colour, style), points in reversed(both):
        parts += line([(of.x(x), of.y(time)) for x, time in points], colour, name, style)
    parts += _limits(limits, of)
    return picture(parts, of.y0 + _HEIGHT + 40, said["spectrum"])


def _place(q: float) -> float:
    """Where a quantile stands: p90 at 1, p99 at 2, p99.9 at 3."""
    return -math.log10(1 - q)


def _points(times: Times) -> list[tuple[float, float]]:
    """Place and seconds, up to the longest time; what never ended has none."""
    if not times.total:
        return []
    end = math.log10(times.total)
    places = [end * (step + 0.5) / _STEPS for step in range(_STEPS)]
    points = [(place, quantile(times, 1 - 10**-place)) for place in places if place]
    return [point for point in (*points, (end, longest(times))) if math.isfinite(point[1])]


def _percentages(of: Frame, title: str) -> Iterator[str]:
    y = of.y0 + of.height
    for q in (0.0, *_TOLD):
        place = _place(q)
        if place <= of.right + 1e-9 and q not in (0.75, 0.95):
            x = of.x(place)
            yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{of.y0}" y2="{y + 4}" stroke="#e4e4e4"/>'
            yield label(x, y + 17, f"p{100 * q:.6g}", anchor="end" if x > LEFT + PLOT - 14 else "middle")
    yield label(LEFT + PLOT, y + 33, title, anchor="end")


def _limits(limits: Sequence[tuple[str, str, float]], of: Frame) -> Iterator[str]:
    """A bar under which the line must pass, at the place of its percentile."""
    for measure, text, limit in limits:
        x, y = of.x(_place(float(measure[1:]) / 100)), of.y(limit)
        bar = f"M{x - 16:.1f} {y:.1f}H{x:.1f}v-8"
        yield f'<path class="limit" d="{bar}" stroke="{LIMIT}" stroke-width="2.4" fill="none"/>'
        yield label(x - 18, y - 5, f"{measure} {text}", anchor="end", colour=LIMIT, bold=True)
