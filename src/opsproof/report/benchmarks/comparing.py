"""Two benchmarks beside each other, for the terminal."""

import math
from collections.abc import Iterator

from opsproof.benchmark.compared import ComparedAnswer, ComparisonFact, NumberFact, SideFact
from opsproof.judge.benchmark.comparing import Standing
from opsproof.judge.benchmark.words import number_words
from opsproof.judge.limits import Lang
from opsproof.report.benchmarks.words import words
from opsproof.report.text import one_line

_COLOURS = {
    ComparedAnswer.WORSE: "31",
    ComparedAnswer.NOT_WORSE: "32",
    ComparedAnswer.CANNOT_TELL: "33",
    Standing.WORSE: "31",
    Standing.BETTER: "32",
}


def comparison_text(fact: ComparisonFact, lang: Lang, *, colour: bool) -> str:
    """
    What is better, worse, or cannot be told, with intervals.

    Args:
        fact: The comparison.
        lang: Language of the words.
        colour: True for a terminal.
    """
    return "\n".join(_lines(fact, lang, colour=colour))


def _lines(fact: ComparisonFact, lang: Lang, *, colour: bool) -> Iterator[str]:
    said = words(lang)
    sides = said["sides"].format(newer=_side(fact.newer), earlier=_side(fact.earlier))
    word = said[fact.answer].upper()
    yield f"{said['compared']}  {_coloured(word, fact.answer, colour=colour)}: {one_line(sides)}"
    for reason in fact.refused:
        yield f"  {said['refusal']}: {one_line(reason[lang])}"
    for warning in fact.warnings:
        yield f"  {said['warning']}: {one_line(warning[lang])}"
    if fact.numbers:
        yield from _table(fact, lang, colour=colour)
    if fact.answer is ComparedAnswer.NOT_WORSE:
        yield f"  {said['at_most']}"


def _side(side: SideFact) -> str:
    return f"{side.profile} {side.started:%Y-%m-%d %H:%M:%S %Z} ({side.answer})"


def _table(fact: ComparisonFact, lang: Lang, *, colour: bool) -> Iterator[str]:
    from wcwidth import ljust, wcswidth

    said = words(lang)
    rows = [("", "", said["then"], said["now"], said["change"], said["between"], "")]
    rows += [_cells(one, lang) for one in fact.numbers]
    widths = [max(wcswidth(cell) for cell in column) for column in zip(*rows, strict=True)]
    standings: list[Standing | None] = [None, *(one.standing for one in fact.numbers)]
    for cells, standing in zip(rows, standings, strict=True):
        *first, last = (ljust(cell, width) for cell, width in zip(cells, widths, strict=True))
        yield f"  {'  '.join(first)}  {_coloured(last.rstrip(), standing, colour=colour)}".rstrip()


def _cells(one: NumberFact, lang: Lang) -> tuple[str, str, str, str, str, str, str]:
    said, bounds = words(lang), one.bounds
    unit = "%" if bounds.by == "difference" else "s"

    def effect(value: float) -> str:
        if bounds.by == "ratio":
            return "?" if math.isnan(value) else "∞" if math.isinf(value) else f"x{value:.3g}"
        return f"{100 * value:+.3g} {said['points']}" if math.isfinite(value) else "?"

    return (
        one_line(one.request) or said["all_requests"],
        one.measure,
        number_words(bounds.theirs, unit),
        number_words(bounds.ours, unit),
        effect(bounds.effect),
        f"{effect(bounds.lower)} .. {effect(bounds.upper)}",
        said[one.standing],
    )


def _coloured(text: str, means: ComparedAnswer | Standing | None, *, colour: bool) -> str:
    code = _COLOURS.get(means) if means else None
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code else text
