"""verdict.json: the answer on a canary, for the deployer that acts on it."""

from typing import Literal

from pydantic import Field

from opsproof.canary.facts import CanaryFact, CriterionFact, Number
from opsproof.judge.canary.rules import EXIT_STATUS, Answer
from opsproof.judge.canary.series import State
from opsproof.judge.outcome import Fact
from opsproof.report.canaries.reading import amount
from opsproof.report.canaries.words import words
from opsproof.report.run import Run

_GRAVEST_FIRST = (Answer.ROLLBACK, Answer.INCONCLUSIVE, Answer.PROMOTE)


class Newest(Fact):
    """What the newest look at a criterion says."""

    name: str
    answer: Answer
    state: State | None = Field(description="Of the data; null if it was never looked at.")
    reason: dict[str, str] = Field(description="By language.")
    requests: float = Field(description="Requests of the canary that were judged, or samples.")
    estimate: Number | None
    lower: Number | None
    upper: Number | None
    value: Number | None = Field(description="Of a quantile or another number: what was seen, in its unit.")
    baseline_estimate: Number | None
    more_needed: int | None = Field(description="Requests without a failure until it could promote.")


class CriterionVerdict(CriterionFact, Newest):
    """A criterion: what the newest look says, what was demanded, and every look."""


class CanaryVerdict(CanaryFact):
    """A watched canary and the answer on it."""

    criteria: tuple[CriterionVerdict, ...]


class VerdictFile(Fact):
    """The file. Its answer is the gravest one of its canaries: roll back before inconclusive before promote."""

    schema_version: Literal[1] = 1
    answer: Answer
    exit_status: int = Field(description="0 promote, 1 roll back, 6 inconclusive.")
    reasons: tuple[dict[str, str], ...] = Field(description="By language, of the canaries with this answer.")
    run: str = Field(description="Id of the run; run.json beside this file has the rest.")
    replay_of: str | None = Field(None, description="Id of the run whose data were judged again.")
    opsproof: str = Field(description="Version of opsproof.")
    canaries: tuple[CanaryVerdict, ...]


def verdict_of(run: Run) -> VerdictFile:
    """
    The verdict of a run with at least one canary.

    Args:
        run: The run, redacted.
    """
    answer = next(one for one in _GRAVEST_FIRST if any(fact.answer is one for fact in run.canaries))
    return VerdictFile(
        answer=answer,
        exit_status=EXIT_STATUS[answer],
        reasons=tuple(reason for fact in run.canaries if fact.answer is answer for reason in fact.reasons),
        run=run.id,
        replay_of=run.replay_of,
        opsproof=run.opsproof,
        canaries=tuple(map(_canary, run.canaries)),
    )


def _canary(fact: CanaryFact) -> CanaryVerdict:
    facts = {name: getattr(fact, name) for name in CanaryFact.model_fields}
    return CanaryVerdict(**facts | {"criteria": tuple(map(_criterion, fact.criteria))})


def _criterion(fact: CriterionFact) -> CriterionVerdict:
    look = fact.last
    return CriterionVerdict(
        **{name: getattr(fact, name) for name in CriterionFact.model_fields},
        answer=look.answer if look else Answer.INCONCLUSIVE,
        state=look.state if look else None,
        reason=look.reason if look else {"en": words("en")["never_judged"], "ko": words("ko")["never_judged"]},
        requests=amount(fact, look.canary) if look else 0.0,
        estimate=look.estimate if look else None,
        lower=look.lower if look else None,
        upper=look.upper if look else None,
        value=look.value if look else None,
        baseline_estimate=look.baseline_estimate if look else None,
        more_needed=look.more_needed if look else None,
    )
