"""The outcome of a check, with a typed cause for everything that is not a pass."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opsproof.profile.indicators import Priority
from opsproof.profile.scalars import Severity


class Status(StrEnum):
    """What became of a check (design, section 1)."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    WAIVED = "waived"


class Cause(StrEnum):
    """Why an outcome is not a pass; what an operator does next depends on it."""

    TARGET_WRONG = "target wrong"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed out"
    BAD_ANSWER = "bad answer"
    PRECONDITION_MISSING = "precondition missing"
    NO_DATA = "no data"
    NOT_ATTESTED = "not attested"
    CHECK_BROKEN = "check broken"
    INTERRUPTED = "interrupted"
    DOES_NOT_APPLY = "does not apply"
    NOT_ALLOWED = "not allowed"


class Fact(BaseModel):
    """Base of what a run writes down: frozen, no unknown keys. Its schema is built when first used, once."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class WaiverUse(Fact):
    """The waiver that applies to an outcome."""

    owner: str
    reason: str
    until: datetime
    expired: bool


class Comparison(Fact):
    """How a number that has a `normal` compares with what it was when all was well."""

    reference: float | None = Field(None, description="What it was; None if nobody knows: then only its limits decide.")
    at: datetime | None = Field(None, description="When it was that.")
    run: str = Field("", description='Id of the baseline that says so; "" if the metrics server did.')
    low: float | None = Field(None, description="The least that is normal.")
    high: float | None = Field(None, description="The most that is normal.")
    normal: bool | None = Field(None, description="None if there was nothing to compare with.")
    words: str = Field(description="What it was and when, or why there is nothing to compare with.")


class AttestedFact(Fact):
    """What a person confirmed or denied."""

    by: str
    at: datetime = Field(description="When they looked, with their zone.")
    note: str = ""


class Outcome(Fact):
    """What became of one check on one profile."""

    check: str = Field(description="Id with profile and parameters, unique in the run.")
    name: str = Field(description="Id of the check alone: SUBJECT.NAME.")
    profile: str
    title: str = Field(description="What the check promises.")
    severity: Severity
    priority: Priority | None = Field(None, description="How soon somebody must act; of an indicator's number.")
    channels: tuple[str, ...] = Field((), description="Where a finding of this priority is told.")
    value: float | None = Field(None, description="The number that an indicator showed.")
    unit: str = Field("", description="Its unit; with % the value is a share from 0 to 1.")
    over: float | None = Field(
        None, description="Seconds that the number looked back, where not as far as its indicator says."
    )
    between: bool = Field(False, description="True if the number is neither well nor bad, or well and not normal.")
    normal: Comparison | None = Field(None, description="Of an indicator with `normal`: what its number was earlier.")
    runbook: tuple[str, ...] = Field(description="Ids of the runbook rows that the check verifies.")
    markers: tuple[str, ...] = ()
    status: Status
    cause: Cause | None = Field(None, description="None exactly for a pass.")
    before: bool | None = Field(
        None,
        description="Of a check that failed or is unknown, against a baseline: True if it was bad there for the same "
        "cause, False if that is new, None if the baseline does not know.",
    )
    message: str = Field("", description="What is wrong or missing, or why the check was skipped.")
    where: str = Field("", description="Target and question, or file and line.")
    next_step: str = ""
    target: str = Field("", description="The target to blame, where one is.")
    observations: tuple[str, ...] = Field((), description="Ids in evidence.jsonl, in the order of asking.")
    telling: str = Field("", description="Id of the observation that shows what is wrong, if one does.")
    answered: tuple[str, ...] = Field((), description="Targets that answered this check.")
    statuses: tuple[int, ...] = Field((), description="Statuses of the HTTP answers, each once.")
    unwell: tuple[str, ...] = Field(
        (), description="Targets that gave this check no answer, or that a health page did not call healthy."
    )
    started: datetime
    duration: float = Field(description="Seconds.")
    output: str = Field("", description="What the check printed and logged.")
    details: str = Field("", description="Assertion and traceback.")
    waiver: WaiverUse | None = None
    attested: AttestedFact | None = Field(None, description="Whose word it is, if a person answered and it counts.")
    taken_over: str = Field("", description="Id of the earlier run that checked it, if it was not checked again.")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, as they travel on pytest's reports."""
        return self.model_dump(mode="json")
