"""The run as data: everything that a report tells comes from here (design, section 10)."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from opsproof.benchmark.facts import BenchmarkFact
from opsproof.canary.facts import CanaryFact
from opsproof.judge.baseline import BaselineFact
from opsproof.judge.diagnosis import Diagnosis
from opsproof.judge.outcome import Fact, Outcome
from opsproof.judge.root_causes import RootCause, TargetFact
from opsproof.judge.verdict import Verdict
from opsproof.judge.windows import WindowFact
from opsproof.profile.scalars import Severity
from opsproof.rehearsal.facts import RehearsalFact


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


class Impact(Fact):
    """A number as it was during the incident, from its start until the checks were healthy, or until the run began."""

    check: str
    title: dict[str, str] = Field(description="By language.")
    value: float
    unit: str = Field(description="With % the value is a share from 0 to 1.")
    since: datetime
    until: datetime
    note: str = ""


class IncidentFact(Fact):
    """The incident that a run looks back at."""

    started: datetime = Field(description="When it began, as the operator said, with its zone.")
    timezone: str = Field(description="Zone of the people who handle it: Asia/Seoul.")
    impact: tuple[Impact, ...] = ()


class Run(Fact):
    """One run: what was asked of it, what became of every check, and the verdict."""

    schema_version: Literal[1] = 1
    id: str
    started: datetime
    finished: datetime
    opsproof: str = Field(description="Version of opsproof.")
    selection: str = Field(description="The markers and keywords that selected the checks.")
    lang: Literal["en", "ko"] = Field("en", description="Language of the messages: the operator's.")
    replay_of: str | None = Field(None, description="Id of the run whose evidence was judged again.")
    baseline: BaselineFact | None = Field(None, description="What this run was held against, if anything was.")
    resume_of: str | None = Field(None, description="Id of the run from which fresh outcomes were taken over.")
    incident: IncidentFact | None = None
    window: WindowFact | None = Field(
        None, description="The window in which the checks were sampled, if there was one."
    )
    profiles: dict[str, ProfileFact]
    outcomes: tuple[Outcome, ...]
    root_causes: tuple[RootCause, ...]
    diagnoses: tuple[Diagnosis, ...] = Field((), description="Of a run that asked for it: one for each profile.")
    rehearsals: tuple[RehearsalFact, ...] = Field((), description="Scenarios of a disaster that were rehearsed.")
    canaries: tuple[CanaryFact, ...] = Field((), description="Canaries that were watched.")
    benchmarks: tuple[BenchmarkFact, ...] = Field((), description="Benchmarks that were run.")
    notes: tuple[str, ...] = Field((), description="What an operator should know beside the verdict.")
    verdict: Verdict
