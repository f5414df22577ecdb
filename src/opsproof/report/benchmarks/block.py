"""A benchmark in a few lines, for the terminal and summary.md."""

from collections.abc import Iterator

from opsproof.benchmark.facts import BenchmarkFact
from opsproof.judge.limits import Lang
from opsproof.judge.verdict import Word
from opsproof.report.benchmarks.words import words
from opsproof.report.block import Row
from opsproof.report.rehearsals.words import took
from opsproof.report.text import one_line

_COLOURS = {Word.PASS: "32", Word.FAIL: "31", Word.INCONCLUSIVE: "33"}


def headline(fact: BenchmarkFact, lang: Lang) -> Row[Word]:
    """The answer, for which profile, and how much load there was."""
    said = words(lang)
    begun = sum(worker.begun for worker in fact.workers)
    planned = sum(worker.planned for worker in fact.workers)
    load = said["load"].format(
        begun=f"{begun:,}",
        planned=f"{planned:,}",
        rate=f"{fact.plan.rate:g}",
        duration=took(fact.plan.duration, lang),
        warm_up=took(fact.plan.warm_up, lang),
    )
    ending = said[fact.ending]
    text = f"{fact.answer}: {fact.profile}, {load}{f', {ending}' if ending else ''}"
    return Row(said["head"], one_line(text), fact.answer)


def rows(fact: BenchmarkFact, lang: Lang) -> Iterator[Row[Word]]:
    """
    What an operator must know of a benchmark: each gate with its numbers, and why it is not believed.

    Args:
        fact: The benchmark.
        lang: Language of the words.
    """
    for doubt in fact.doubts:
        yield Row(words(lang)["doubt"], one_line(doubt[lang]), Word.INCONCLUSIVE)
    for gate in fact.gates:
        yield Row(gate.name, one_line(f"{gate.answer}: {gate.reason[lang]}"), gate.answer)


def text_block(fact: BenchmarkFact, lang: Lang, *, colour: bool) -> str:
    """The lines as a text for the terminal."""
    lines = [headline(fact, lang), *rows(fact, lang)]
    width = max(len(row.label) for row in lines)
    return "\n".join(
        f"\x1b[{_COLOURS[row.means]}m{row.label:<{width}}\x1b[0m  {row.text}"
        if colour
        else f"{row.label:<{width}}  {row.text}"
        for row in lines
    )
