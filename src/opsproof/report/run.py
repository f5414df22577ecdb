"""The run as data: everything that a report tells comes from here (design, section 10)."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from opsproof.judge.diagnosis import Diagnosis
from opsproof.judge.outcome import Fact, Outcome
from opsproof.judge.root_causes import RootCause, TargetFact
from opsproof.judge.verdict import Verdict
from opsproof.profile.scalars import Severity


class ReleaseFact(Fact):
    """Which version answered, and which was expected."""

    expected: str | None = None
    seen: dict[str, int] = Field(description="Answers by version.")


class ProfileFact(Fact):
    """A profile as the run used it, without secrets."""

    title: dict[str, str] = Field(description="By language.")
    system: str
    environment: str
    fail_on: Severity
    targets: dict[str, TargetFact]
    release: ReleaseFact | None = None
    not_carried: dict[str, dict[str, Severity]] = Field(
        {}, description="Selected checks that the profile cannot carry, with their severity, by the key that it lacks."
    )


class Run(Fact):
    """One run: what was asked of it, what became of every check, and the verdict."""

    schema_version: Literal[1] = 1
    id: str
    started: datetime
    finished: datetime
    opsproof: str = Field(description="Version of opsproof.")
    selection: str = Field(description="The markers and keywords that selected the checks.")
    replay_of: str | None = Field(None, description="Id of the run whose evidence was judged again.")
    profiles: dict[str, ProfileFact]
    outcomes: tuple[Outcome, ...]
    root_causes: tuple[RootCause, ...]
    diagnoses: tuple[Diagnosis, ...] = Field((), description="Of a run that asked for it: one for each profile.")
    notes: tuple[str, ...] = Field((), description="What an operator should know beside the verdict.")
    verdict: Verdict
