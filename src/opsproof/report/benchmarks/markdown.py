"""A benchmark in summary.md: the answer first, then why it is not believed, and its gates."""

from collections.abc import Iterator

from opsproof.benchmark.facts import BenchmarkFact, GateFact
from opsproof.judge.limits import Lang
from opsproof.judge.verdict import Word
from opsproof.report.benchmarks.block import headline
from opsproof.report.benchmarks.numbers import NOTHING, gate_bounds, gate_number
from opsproof.report.benchmarks.words import SIGNS, words
from opsproof.report.markdown import code, prose, table

_CLASSES = {Word.PASS: "proven", Word.FAIL: "failed", Word.INCONCLUSIVE: "not-proven"}
_SENTENCE = 1000


def benchmark_block(fact: BenchmarkFact, page: str, lang: Lang) -> Iterator[str]:
    """
    The paragraphs on a benchmark.

    Args:
        fact: The benchmark, redacted.
        page: The file of its page, beside the text; empty where it cannot be reached.
        lang: Language of the words.
    """
    said = words(lang)
    yield f"## {said['section']}: {SIGNS[fact.answer]} {prose(headline(fact, lang).text)}"
    if text := doubts_text(fact, lang):
        yield f"**{said['why_not']}**\n\n{text}"
    yield from gates_texts(fact, lang, html=False)
    if page:
        yield f"{said['page']}: [{page}]({page})"


def doubts_text(fact: BenchmarkFact, lang: Lang) -> str:
    """Why it is not believed, as a list; empty if nothing is against it."""
    return "\n".join(f"- {prose(doubt[lang], _SENTENCE)}" for doubt in fact.doubts)


def gates_texts(fact: BenchmarkFact, lang: Lang, *, html: bool) -> Iterator[str]:
    """
    The gates as a table, their sentences, and what they were compared with.

    Args:
        fact: The benchmark, redacted.
        lang: Language of the words.
        html: True if the text becomes a page, where answers have their colour.
    """
    said = words(lang)
    columns = ("gate", "answer", "measured", "Limit", "bounds", "requests", "missing")
    if fact.gates:
        yield table((said[key] for key in columns), (_cells(gate, lang, html=html) for gate in fact.gates))
        yield "\n".join(f"- {code(gate.name)}: {prose(gate.reason[lang], _SENTENCE)}" for gate in fact.gates)
    if fact.compared_with:
        yield f"{said['compared_with']}: {prose(fact.compared_with)}"


def answer_text(answer: Word, *, html: bool) -> str:
    """An answer with its sign, bold or in its colour."""
    text = f"{SIGNS[answer]} {answer}"
    return f'<span class="{_CLASSES[answer]}">{text}</span>' if html else f"**{text}**"


def _cells(gate: GateFact, lang: Lang, *, html: bool) -> tuple[str, ...]:
    said = words(lang)
    of = f"{gate.measure} {gate.request}" if gate.request else gate.measure
    return (
        f"{prose(gate.title.get(lang) or gate.name)} ({code(of)})",
        answer_text(gate.answer, html=html),
        gate_number(gate, gate.value),
        prose(gate.limit or said["only_compared"]),
        gate_bounds(gate),
        f"{gate.requests:,}",
        said["more"].format(n=f"{gate.more_needed:,}") if gate.more_needed else NOTHING,
    )
