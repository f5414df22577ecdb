"""A watched canary, as run.json and verdict.json keep it: enough to judge it again."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from opsproof.judge.canary.rules import Answer
from opsproof.judge.canary.series import State

Form = Literal["share", "quantile", "number"]
Number = Annotated[float, WithJsonSchema({"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]})]
"""A number that need not be finite; JSON has no other word for such a one than a text."""


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, ser_json_inf_nan="strings")


class CanaryEnding(StrEnum):
    """Why a watch ended."""

    WATCHED = "watched"
    EARLY = "early"
    ERRORS = "errors"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"


class Data(_Fact):
    """
    What was known of one track at a look, pooled from the begin of the watch.

    Of a share `failed` and `total`; of a quantile `edges` and `counts`; of another number `samples`.
    """

    state: State = State.OK
    failed: Number = Field(0.0, description="Requests that failed.")
    total: Number = Field(0.0, description="All requests.")
    edges: tuple[Number, ...] = Field((), description="Upper edges of the buckets, rising; the last one is infinite.")
    counts: tuple[Number, ...] = Field((), description="Requests up to each edge.")
    samples: tuple[Number, ...] = Field(
        (), description="The number at each time at which it shared nothing with before."
    )
    births: int = Field(0, description="Series that were born in the window.")
    restarts: int = Field(0, description="How often a process began again, at least.")
    missing: float = Field(0.0, description="Seconds without samples, of the series that lacks most.")
    why: str = Field("", description="What is wrong with it.")


class ComparedFact(_Fact):
    """The canary against the baseline. All numbers are shares or medians, as the criterion has it; None if unknown."""

    canary: Number | None
    baseline: Number | None
    effect: Number | None
    lower: Number | None
    upper: Number | None
    p_worse: Number | None
    standing: str


class LookFact(_Fact):
    """
    One look at one criterion.

    Bounds are of the share of requests that failed, or were too slow, or of samples beyond the limit: rolled back where
    `lower` is above the criterion's `share`, promoted where `upper` is below it.
    """

    at: datetime
    elapsed: float = Field(description="Seconds from the begin of the watch.")
    final: bool = Field(description="True at the planned end.")
    canary: Data
    baseline: Data | None = None
    answer: Answer
    state: State
    reason: dict[str, str]
    estimate: Number | None = None
    lower: Number | None = None
    upper: Number | None = None
    value: Number | None = Field(None, description="Of a quantile or another number: what was seen, in its unit.")
    baseline_estimate: Number | None = None
    baseline_value: Number | None = None
    compared: ComparedFact | None = None
    more_needed: int | None = Field(None, description="Requests without a failure until it could promote.")


class CriterionFact(_Fact):
    """A criterion, and every look at it."""

    name: str
    title: dict[str, str]
    form: Form
    unit: str = ""
    limit: float | None = Field(None, description="As the profile says it, in `unit`; a share without one.")
    share: float | None = Field(None, description="The share that must not be exceeded: of a p95, 0.05.")
    floor: bool = Field(False, description="True if less than the limit is worse.")
    tolerance: str = Field("", description="How much worse than the baseline it may be, in words; empty: not compared.")
    critical: bool
    weight: float
    min_samples: int
    questions: dict[str, str] = Field(description="What is asked, by what it gives: failed, all, baseline failed, ...")
    looks: tuple[LookFact, ...]

    @property
    def last(self) -> LookFact | None:
        """The newest look; None if there was none."""
        return self.looks[-1] if self.looks else None


class CanaryFact(_Fact):
    """A watched canary and the one answer. Durations are seconds."""

    profile: str
    started: datetime
    ended: datetime
    duration: float = Field(description="As planned.")
    interval: float
    looks: int = Field(description="As planned, the last one included.")
    tracks: dict[str, str] = Field(description="Where canary and baseline are seen.")
    versions: dict[str, str] = Field({}, description="By track, where labels of the profile say it.")
    ending: CanaryEnding
    answer: Answer
    exit_status: int
    reasons: tuple[dict[str, str], ...]
    weight: float = Field(0.0, description="Weights of the violated criteria.")
    rollback_weight: float
    confidence: float
    false_rollback: float
    early_promotion: bool
    refused: tuple[str, ...] = Field((), description="What its questions cannot tell, with the fix, before the watch.")
    notes: tuple[str, ...] = ()
    criteria: tuple[CriterionFact, ...]

    def criterion(self, name: str) -> CriterionFact:
        """
        The criterion of a name.

        Raises:
            KeyError: There is none.
        """
        return {one.name: one for one in self.criteria}[name]
