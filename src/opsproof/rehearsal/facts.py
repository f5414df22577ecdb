"""What came of a rehearsal, as run.json keeps it."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Proof(StrEnum):
    """What a rehearsal says of an objective; what was not measured is never proven."""

    PROVEN = "proven"
    FAILED = "failed"
    NOT_PROVEN = "not proven"


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Moments(_Fact):
    """
    The points of the clock (one recorder, UTC); None for what did not happen or was not seen.

    Attributes:
        t0: The failure.
        t1: It was detected.
        t2: The disaster was declared.
        t3: The first write was committed on the recovered database, and read back.
        t4: The service can be used again, through its public name.
        t5: It is protected again: a standby streams, the archive takes WAL, a backup is there.
        t6: The home site serves again.
    """

    t0: datetime | None = None
    t1: datetime | None = None
    t2: datetime | None = None
    t3: datetime | None = None
    t4: datetime | None = None
    t5: datetime | None = None
    t6: datetime | None = None


class PhaseFact(_Fact):
    """A phase: its budget, and what it took. Seconds are None where it was not gone through: never 0."""

    name: str
    budget: float | None
    seconds: float | None
    proof: Proof


class StepFact(_Fact):
    """
    A step, which is a check of its own.

    Attributes:
        check: Id of the check.
        title: What must be true after it, by language.
        phase: Its phase.
        status: Of the outcome; "not executed" for one that did not come to run.
        seconds: What it took; None if it was not executed.
        by: Who acted: `opsproof`, `command`, `operator`; "" where nothing is done but looked.
        words: What it found.
    """

    check: str
    title: dict[str, str]
    phase: str
    status: str
    seconds: float | None
    by: str
    words: str


class ObjectiveFact(_Fact):
    """
    An objective against what was measured.

    Attributes:
        name: RTO or RPO.
        limit: Seconds.
        lower: The least that it can have been, in seconds; None if not measured.
        upper: The most that it can have been; this is judged.
        resolution: Of the measurement, in seconds.
        why: What the proof rests on, or what is missing.
    """

    name: str
    limit: float
    lower: float | None
    upper: float | None
    resolution: float | None
    proof: Proof
    why: str


class LedgerFact(_Fact):
    """
    Every write of the outside writer, by what became of it.

    Attributes:
        sent: All of them.
        ok: Acknowledged and there.
        lost: Acknowledged and gone.
        to_replay: Of these, the ones sent after a pollution: recovery gives them up on purpose, to be made again.
        indeterminate_present: Without an answer, and there.
        indeterminate_absent: Without an answer, and not there.
        unexpected: There, and never sent.
        conflicting: There with two values, or on both sides of a split.
        resolution: Seconds between two writes.
        first_lost: Ids of the first lost ones, at most ten.
        sha256: Of the ledger's file.
    """

    sent: int
    ok: int
    lost: int
    to_replay: int = 0
    indeterminate_present: int
    indeterminate_absent: int
    unexpected: int
    conflicting: int
    resolution: float
    first_lost: tuple[int, ...]
    sha256: str


class CopyFact(_Fact):
    """
    A copy of the data (standby, archive, dump, base), and how much would be lost with nothing but it.

    Attributes:
        name: What it is.
        newest: Time of the newest write of the outside writer, or heartbeat, that can be recovered; None if none can.
        exposure: Seconds from there to the look, just before the failure at the latest; the worst that was seen.
        why: Where it comes from, or why it is not known.
    """

    name: str
    newest: datetime | None
    exposure: float | None
    why: str


class SeededFact(_Fact):
    """
    A fault that was put into a copy before the rehearsal, and what caught it.

    Attributes:
        name: Of the fault.
        usual: What the usual check says of it.
        caught_by: Checks that went red; none is a finding.
    """

    name: str
    usual: str
    caught_by: tuple[str, ...]


class FindingFact(_Fact):
    """What somebody must mend, by when."""

    what: str
    owner: str
    due: datetime | None


class RehearsalFact(_Fact):
    """
    One scenario that was rehearsed.

    Attributes:
        scenario: `region-loss`.
        plan: SHA-256 of its plan: a changed plan has not been rehearsed.
        embedded: True if it ran on clusters of its own, and says nothing of an environment's times.
        declared: Seconds added for detection and declaration that were not measured.
        declared_by: Who declared the disaster; "" where opsproof or a command did.
        moments: The clock's points.
        objectives: RTO and RPO.
        projected: What the times come to at the full size, in words; "" if the copy is of full size.
        seeded: Faults that were seeded, and which check caught each.
        not_executed: Steps that did not run, each with the reason.
        clean_up: What was seen to be gone, or is still there.
        aborted: Why the rehearsal was given up; "" if it came to its end.
        last_within: Seconds after which this rehearsal has expired; None if the profile does not say.
    """

    profile: str
    scenario: str
    title: dict[str, str]
    plan: str
    embedded: bool
    started: datetime
    finished: datetime
    declared: float
    declared_by: str = ""
    moments: Moments
    phases: tuple[PhaseFact, ...]
    steps: tuple[StepFact, ...]
    objectives: tuple[ObjectiveFact, ...]
    ledger: LedgerFact | None
    copies: tuple[CopyFact, ...]
    projected: str
    seeded: tuple[SeededFact, ...]
    findings: tuple[FindingFact, ...]
    not_executed: tuple[str, ...]
    clean_up: tuple[str, ...]
    aborted: str
    system_identifier: str
    versions: dict[str, str]
    last_within: float | None = None
