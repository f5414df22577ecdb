"""Many gates, one answer: a failure first, then what cannot be known; a benchmark without a gate passes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from opsproof.judge.benchmark.gates import Judgement
from opsproof.judge.benchmark.trust import Doubt
from opsproof.judge.benchmark.words import Words
from opsproof.judge.verdict import EXIT_STATUS, Word


@dataclass(frozen=True, slots=True)
class Decision:
    """
    The one answer.

    Attributes:
        answer: PASS, FAIL or INCONCLUSIVE.
        exit_status: 0, 1 or 6.
        reasons: Why it is no PASS, by language.
    """

    answer: Word
    exit_status: int
    reasons: tuple[Words, ...]


def decide(judgements: Iterable[Judgement], doubts: Iterable[Doubt]) -> Decision:
    """
    Join all gates to one answer.

    Args:
        judgements: Of each gate, as far as it can be believed.
        doubts: What keeps the benchmark from being believed.
    """
    judged, doubted = tuple(judgements), tuple(doubts)
    failed = [one for one in judged if one.answer is Word.FAIL]
    unknown = [one for one in judged if one.answer is Word.INCONCLUSIVE]
    answer = Word.FAIL if failed else Word.INCONCLUSIVE if unknown or doubted or not judged else Word.PASS
    reasons = (*map(_named, failed), *(doubt.words for doubt in doubted), *map(_named, unknown))
    return Decision(answer, EXIT_STATUS[answer], reasons)


def _named(one: Judgement) -> Words:
    return {lang: f"{one.gate}: {text}" for lang, text in one.reason.items()}
