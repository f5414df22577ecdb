"""A canary in summary.md: the answer first, then its criteria, and what to do."""

from collections.abc import Iterable, Iterator

from opsproof.canary.facts import CanaryFact, CriterionFact
from opsproof.judge.canary.rules import Answer
from opsproof.judge.limits import Lang
from opsproof.report.canaries.block import headline, remarks
from opsproof.report.canaries.reading import (
    amount,
    bounds_text,
    demand_text,
    estimates,
    missing_text,
    name_of,
    number_text,
    value_text,
)
from opsproof.report.canaries.words import ANSWERS, SIGNS, words
from opsproof.report.markdown import code, prose, table

_NOTHING = "–"


def canary_block(fact: CanaryFact, picture: str, lang: Lang) -> Iterator[str]:
    """
    The paragraphs on a canary.

    Args:
        fact: The canary, redacted.
        picture: The file of its picture, beside the text; empty where none can be shown.
        lang: Language of the words.
    """
    said, head = words(lang), headline(fact, lang)
    yield f"## {said['section']}: {SIGNS[fact.answer]} {prose(head.text)}"
    if tracks := dict.fromkeys((*fact.tracks, *fact.versions)):
        seen = ((track, [f.get(track, "") for f in (fact.versions, fact.tracks)]) for track in tracks)
        yield "\n".join(f"- {prose(said.get(track, track))}: {_listed(texts)}" for track, texts in seen)
    if lines := [f"- **{prose(row.label)}**: {prose(row.text, 1000)}" for row in remarks(fact, lang)]:
        yield "\n".join(lines)
    columns = ("criterion", "canary", "bounds", "limit", "baseline", "requests", "answer", "missing")
    if fact.criteria:
        yield table(
            (said[key][:1].upper() + said[key][1:] for key in columns),
            (_cells(criterion, lang) for criterion in fact.criteria),
        )
        reasons = (
            f"- {code(one.name)}: {prose(one.last.reason.get(lang) or one.last.reason.get('en', ''))}"
            for one in fact.criteria
            if one.last
        )
        if text := "\n".join(reasons):
            yield text
    if picture:
        yield f"![{prose(head.text)}]({picture})"


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(prose, filter(None, texts)))


def _cells(criterion: CriterionFact, lang: Lang) -> tuple[str, ...]:
    look = criterion.last
    answer = look.answer if look else Answer.INCONCLUSIVE
    name = f"{prose(name_of(criterion, lang))} ({code(criterion.name)})"
    word = f"**{SIGNS[answer]} {ANSWERS[lang][answer]}**"
    if look is None:
        missing = words(lang)["never_judged"]
        return name, _NOTHING, _NOTHING, prose(demand_text(criterion, lang)), _NOTHING, _NOTHING, word, missing
    canary, baseline = estimates(criterion, look)
    seen = number_text(criterion, canary) if canary is not None else _NOTHING
    value = value_text(criterion, look, lang)
    return (
        name,
        prose(f"{seen}; {value}" if value else seen),
        bounds_text(criterion, look) or _NOTHING,
        prose(demand_text(criterion, lang)),
        prose(number_text(criterion, baseline)) if baseline is not None else _NOTHING,
        f"{amount(criterion, look.canary):,.0f}",
        word,
        prose(missing_text(criterion, look, lang)) if missing_text(criterion, look, lang) else _NOTHING,
    )
