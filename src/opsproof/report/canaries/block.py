"""A canary in a few lines, for the terminal and summary.md."""

import re
from collections.abc import Iterator

from opsproof.canary.facts import CanaryEnding, CanaryFact, CriterionFact
from opsproof.judge.canary.rules import Answer
from opsproof.judge.canary.words import words as judge_words
from opsproof.judge.limits import Lang
from opsproof.report.block import Row
from opsproof.report.canaries.reading import (
    bounds_text,
    estimates,
    limit_text,
    missing_text,
    number_text,
    trouble_text,
    value_text,
)
from opsproof.report.canaries.words import ANSWERS, ENDINGS, SIGNS, words
from opsproof.report.rehearsals.words import took
from opsproof.report.text import one_line


def headline(fact: CanaryFact, lang: Lang) -> Row[Answer]:
    """The answer, for which profile, and how much of the watch there was."""
    text = f"{ANSWERS[lang][fact.answer]}: {fact.profile}, {watched(fact, lang)}"
    return Row(words(lang)["head"], one_line(text), fact.answer)


def watched(fact: CanaryFact, lang: Lang) -> str:
    """How long it was watched: `watched 60 s of 60 s, 12 looks`."""
    said, ending = words(lang), ENDINGS[lang][fact.ending]
    if fact.ending is CanaryEnding.REFUSED:
        return ending
    last = [criterion.last for criterion in fact.criteria if criterion.last]
    seconds = max((look.elapsed for look in last), default=(fact.ended - fact.started).total_seconds())
    looks = max((len(criterion.looks) for criterion in fact.criteria), default=0)
    parts = (
        said["watched"].format(seen=_whole(seconds, lang), planned=took(fact.duration, lang)),
        said["looks" if looks == fact.looks else "looks_of"].format(n=looks, planned=fact.looks),
        *((ending,) if ending else ()),
    )
    return ", ".join(parts)


def rows(fact: CanaryFact, lang: Lang) -> Iterator[Row[Answer]]:
    """
    What an operator must know of a canary: each criterion with its numbers, and what is beside them.

    Args:
        fact: The canary.
        lang: Language of the words.
    """
    for criterion in fact.criteria:
        look = criterion.last
        answer = look.answer if look else Answer.INCONCLUSIVE
        text = f"{SIGNS[answer]} {ANSWERS[lang][answer]}: {said_of(criterion, lang)}"
        yield Row(one_line(criterion.name), one_line(text), answer)
    yield from remarks(fact, lang)


def remarks(fact: CanaryFact, lang: Lang) -> Iterator[Row[Answer]]:
    """What is to be said beside the criteria: refusals with their fix, other reasons, weights, notes."""
    said = words(lang)
    for refusal in fact.refused:
        yield Row(said["refused"], one_line(refusal), Answer.INCONCLUSIVE)
    of_criteria = {
        f"{one.name}: {one.last.reason.get(lang)}" if one.last else judge_words("not_judged", criterion=one.name)[lang]
        for one in fact.criteria
    }
    for reason in fact.reasons:
        text = reason.get(lang) or reason.get("en", "")
        if text and text not in of_criteria and text not in fact.refused:
            yield Row(said["why"], one_line(text), fact.answer)
    if any(one.last and one.last.answer is Answer.ROLLBACK and not one.critical for one in fact.criteria):
        text = said["weighs"].format(weight=f"{fact.weight:g}", needed=f"{fact.rollback_weight:g}")
        yield Row(said["weight"], text, fact.answer)
    for note in fact.notes:
        yield Row(said["note"], one_line(note), Answer.INCONCLUSIVE)


def said_of(criterion: CriterionFact, lang: Lang) -> str:
    """The judge's sentence on a criterion, and beside it the numbers that it does not name."""
    said, look = words(lang), criterion.last
    if look is None:
        return said["never_judged"]
    reason = look.reason.get(lang) or look.reason.get("en", "")
    _, baseline = estimates(criterion, look)
    both = bounds_text(criterion, look)
    limit = limit_text(criterion, lang)
    missing = missing_text(criterion, look, lang)
    trouble = trouble_text(look, lang)
    more = f"{look.more_needed:,}" if look.more_needed else ""
    seen = number_text(criterion, baseline) if baseline is not None else ""
    beside = (
        f"{said['bounds']} {both}" if both and not _names(reason, *both.split(" .. ")) else "",
        f"{said['limit']} {limit}" if limit and said["limit"] not in reason else "",
        f"{said['baseline']} {seen}" if seen and not _names(reason, seen) else "",
        value_text(criterion, look, lang),
        trouble,
        f"{said['missing']}: {missing}"
        if missing and missing != trouble and not (more and _names(reason, more))
        else "",
    )
    told = "; ".join(part for part in beside if part)
    return f"{reason} [{told}]" if told else reason


def _names(sentence: str, *numbers: str) -> bool:
    return all(re.search(rf"(?<![\d.,]){re.escape(number)}(?![\d.,]*\d)", sentence) for number in numbers)


def _whole(seconds: float, lang: Lang) -> str:
    """Seconds without their fractions, which say nothing in a watch of that length."""
    return took(round(seconds) if seconds >= 10 else seconds, lang)
