"""bench.json: all that is known of a benchmark, enough to judge it again and to compare it with another one."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from opsproof.judge.verdict import Word

Number = Annotated[float, WithJsonSchema({"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]})]
"""A number that need not be finite; JSON has no other word for such a one than a text."""
NEVER_BEGUN = "(never begun)"
"""Stands for the requests of arrivals that no user was free to begin."""
Ending = Literal["done", "sure", "down", "most_requests", "interrupted"]


class Histogram(str):
    """
    HdrHistogram V2 of microseconds, deflated, base64; empty: no request.

    Of our own making: no text of a target is in it, and redaction leaves it as it is.
    """

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> CoreSchema:
        """A text of base64, for pydantic."""
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema(pattern=r"^[A-Za-z0-9+/]*=*$"))


class Fact(BaseModel):
    """A part of what a file of ours says: it does not change, and has no other keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, ser_json_inf_nan="strings")


class RequestFact(Fact):
    """
    Requests of one name that were due after the warm-up.

    Response times are from the moment at which a request was due; service times from that at which it was sent. A
    histogram is HdrHistogram V2 of microseconds, deflated, base64; empty: no request.
    """

    name: str = Field(description="Method and name, as Locust shows them: GET /api/v1/items.")
    good: Histogram = Field(Histogram(), description="Response times of requests that did not fail.")
    bad: Histogram = Field(Histogram(), description="Response times of those that failed; a time-out at its limit.")
    service: Histogram = Field(Histogram(), description="Service times of both.")
    ended: int = Field(0, description="Requests that ended.")
    failed: int = Field(0, description="Of these.")
    unanswered: int = Field(0, description="Of the failed ones: no answer came, in time or at all.")
    ages: tuple[float, ...] = Field((), description="Seconds since they were due, of requests that never ended.")
    errors: dict[str, int] = Field({}, description="How often, by what was wrong.")


class SecondFact(Fact):
    """
    One second of a benchmark. A request belongs to the second in which it ended.

    What was due in the warm-up and ended after it belongs to none: no second after the warm-up has what is not judged.
    """

    second: int = Field(description="From the begin of the arrivals.")
    planned: int = Field(0, description="Arrivals that were due in it.")
    begun: int = Field(0, description="Arrivals that were begun in it.")
    in_flight: int = Field(0, description="Requests that had not ended at its end.")
    times: dict[str, Histogram] = Field(
        {}, description="Response times of those that ended, by the name that a gate is of; empty name: all."
    )
    failed: dict[str, int] = Field({}, description="Of these, by the same names.")


class WorkerFact(Fact):
    """
    How one generator did: the ledger of its arrivals, and of its own time.

    Attributes are counts of arrivals unless they say otherwise.
    """

    name: str
    planned: int = Field(0, description="That were due.")
    begun: int = 0
    begun_in_time: int = Field(0, description="Begun before arrivals ended.")
    begun_judged: int = Field(0, description="Begun that were due after the warm-up.")
    late: int = Field(0, description="Of these, sent late by the generator itself, though a user was free.")
    busy: int = Field(0, description="Of these, found all users busy.")
    finished: int = Field(0, description="Whose task came to its end.")
    requests: int = Field(0, description="Requests that were sent, warm-up and set-up included.")
    requests_finished: int = Field(0, description="Requests of the finished arrivals.")
    largest_arrival: int = Field(0, description="Requests of the arrival that had the most so far.")
    thinking: float = Field(0.0, description="Seconds in tasks and not in requests, of all finished arrivals.")
    looks: int = Field(0, description="At its event loop, after the warm-up.")
    held_up: int = Field(0, description="Looks that came late.")
    longest_lag: float = Field(0.0, description="Seconds.")
    cpu: float = Field(0.0, description="The largest part of a core over five seconds.")
    ran: float = Field(0.0, description="Seconds of arrivals.")
    user_errors: dict[str, int] = Field({}, description="Errors outside of a request, by text.")
    idle: dict[str, int] = Field({}, description="Judged arrivals whose task did not do what it is for, by why.")
    gone: int = Field(0, description="Users that ended while arrivals still came.")
    told_its_end: bool = Field(False, description="False: it was lost, and this is the last that it told.")


class PlanFact(Fact):
    """What was planned. Durations are seconds."""

    rate: float
    duration: float
    warm_up: float
    users: int
    timeout: float
    workers: int
    writes: bool = Field(description="Whether tasks that write took part.")
    selected: str = Field("", description="Options by which an operator left tasks out; empty: all took part.")


class BoundsFact(Fact):
    """A comparison with an earlier benchmark: ratio or difference, at least, at most."""

    ours: Number
    theirs: Number
    by: Literal["ratio", "difference"]
    effect: Number
    lower: Number
    upper: Number


class GateFact(Fact):
    """What a gate says."""

    name: str
    title: dict[str, str]
    measure: str
    request: str
    limit: str = Field(description="As the profile writes it; empty: it is only compared.")
    answer: Word
    reason: dict[str, str] = Field(description="By language.")
    value: Number | None
    lower: Number | None
    upper: Number | None
    requests: int
    more_needed: int | None
    compared: BoundsFact | None = None


class BenchmarkFact(Fact):
    """A benchmark and the one answer."""

    schema_version: Literal[1] = 1
    profile: str
    answer: Word
    exit_status: int = Field(description="0 PASS, 1 FAIL, 6 INCONCLUSIVE.")
    reasons: tuple[dict[str, str], ...] = Field(description="Why it is no PASS, by language.")
    doubts: tuple[dict[str, str], ...] = Field((), description="Of these, why it cannot be believed.")
    gates: tuple[GateFact, ...]
    started: datetime
    ended: datetime
    ending: Ending
    plan: PlanFact
    host: str = Field(description="Where the requests went, without secrets.")
    environment: dict[str, str] = Field(description="Of the generator: versions, cores, system.")
    opsproof: str
    workers: tuple[WorkerFact, ...]
    missing_workers: int = Field(0, description="Workers that were asked for and never came.")
    requests: tuple[RequestFact, ...]
    seconds: tuple[SecondFact, ...]
    compared_with: str = Field("", description="Which earlier benchmark it was compared with.")
