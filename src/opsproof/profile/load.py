"""A benchmark: how much traffic, for how long, and the gates that its numbers must pass."""

import math
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from opsproof.profile.canary import Worse
from opsproof.profile.scalars import Duration, DurationOrNone
from opsproof.profile.targets import Section
from opsproof.profile.text import Text
from opsproof.profile.thresholds import Limit, Threshold

Unit = Literal["s", "%"]
_FEWEST_USERS, _MOST_USERS = 10, 2000
_SPARE = 2.0
_REQUESTS_OF_AN_ARRIVAL = 10
_ROUNDING = 1e-9
LEAST_REST = 3.0
"""Seconds after the warm-up without which nothing is said of how seconds differ."""
MEAN_SECONDS = 5
"""Seconds that a mean needs for its bounds."""


class Gate(Section):
    """
    One number of a benchmark and what it must hold.

    Times are response times: from the moment at which the request was due, not from the moment at which a generator
    that was held up came to send it.
    """

    title: Text
    measure: str = Field(
        pattern=r"^(p[1-9]\d?(\.\d{1,2})?|mean|errors|rate)$",
        description="p50, p95, p99, p99.9; mean; errors: the share that failed; rate: the share of the plan that was "
        "begun in time.",
    )
    request: str = Field("", description='The requests of one name ("GET /api/v1/items"); left out, all together.')
    limit: Limit | None = Field(None, description="What must hold: <= 400 ms, < 1 %; of `rate` >= 95 %.")
    worse: Worse | None = Field(
        None,
        description="Against an earlier benchmark (--baseline): {ratio: 1.1} allows 10 % more. A share or seconds.",
    )
    runbook: tuple[str, ...] = Field(description="Ids of the runbook rows that it verifies.", min_length=1)
    next_step: Text = Field(description="What to do when it does not hold.")

    _id: str = PrivateAttr("")

    @property
    def id(self) -> str:
        """Its key in the profile."""
        return self._id

    @property
    def severity(self) -> Literal["SEV-2"]:
        """A gate that does not hold stops the release."""
        return "SEV-2"

    @property
    def unit(self) -> Unit:
        """What its number is in."""
        return "%" if self.measure in ("errors", "rate") else "s"

    @property
    def q(self) -> float | None:
        """The quantile that it looks at, 0.95 of a p95; None for another number."""
        return float(Decimal(self.measure[1:]) / 100) if self.measure[0] == "p" else None

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        if self.limit is None and self.worse is None:
            raise ValueError("has neither a `limit` nor `worse`, so it demands nothing")
        if self.measure == "rate" and (self.request or self.worse or self.limit is None):
            raise ValueError("`rate` is of all requests together, and has a `limit` alone: >= 95 %")
        if self.limit is not None:
            self._limit_fits(self.limit)
        return self

    def _limit_fits(self, limit: Threshold) -> None:
        if misfit := limit.misfit(self.unit):
            raise ValueError(f"`limit` {misfit}")
        if self.unit == "s" and limit.unit != "s":
            raise ValueError(f"`limit` ({limit.text}) has no unit; write 400 ms or 2.5 s")
        known = (">", ">=") if self.measure == "rate" else ("<", "<=")
        if limit.operator not in known:
            raise ValueError(f"`limit` ({limit.text}): expected {' or '.join(known)} for `{self.measure}`")
        most = 1.0 if self.unit == "%" else math.inf
        if not 0 < limit.bounds[0] <= most or (self.measure == "errors" and limit.bounds[0] == most):
            raise ValueError(f"`limit` ({limit.text}) cannot be judged: it always holds, or never")


class Load(Section):
    """
    A benchmark by Locust (docs/load.md): arrivals at a steady rate, whatever the target does, and gates.

    Every bound here is one that no option of Locust, and no click in its web page, gets past.
    """

    target: str = Field("api", description="The HTTP target that the requests go to.")
    rate: float = Field(gt=0, le=20_000, description="Arrivals a second, over all workers; each is one task of a user.")
    duration: Duration = Field(gt=0, description="How long arrivals come, warm-up included.")
    warm_up: DurationOrNone = Field(0.0, description="What is due before this is not judged: caches fill, pools open.")
    timeout: Duration = Field(10.0, gt=0, description="Limit of one request. Who waited so long has waited so long.")
    users: int | None = Field(
        None, ge=1, le=_MOST_USERS, description="Requests in flight at most; left out, twice what rate and limits need."
    )
    most_requests: int | None = Field(
        None, ge=1, description="Requests at which it ends, whatever is planned; left out, ten for each arrival."
    )
    allowed: bool | None = Field(None, description="production must say `true`; elsewhere left out is allowed.")
    confidence: float = Field(0.95, ge=0.5, lt=1, description="Of every bound, one-sided.")
    most_cpu: float = Field(
        0.9, gt=0, le=1, description="The part of a core that a generator may use over five seconds."
    )
    gates: dict[str, Gate] = Field(min_length=1)

    @property
    def shortest_limit(self) -> float:
        """Seconds of the strictest limit on a time; the time-out if there is none."""
        return min((gate.limit.bounds[0] for gate in self.gates.values() if _of_time(gate)), default=self.timeout)  # type: ignore[union-attr]

    @property
    def longest_limit(self) -> float:
        """Seconds of the mildest limit on a time; the time-out if there is none."""
        return max((gate.limit.bounds[0] for gate in self.gates.values() if _of_time(gate)), default=self.timeout)  # type: ignore[union-attr]

    @property
    def users_needed(self) -> int:
        """Users without which a target that just holds its limits would keep arrivals waiting (Little's law)."""
        return math.ceil(self.rate * self.longest_limit)

    @property
    def users_at_once(self) -> int:
        """How many users there are, over all workers."""
        return self.users or min(_MOST_USERS, max(_FEWEST_USERS, math.ceil(_SPARE * self.users_needed)))

    @property
    def requests_at_most(self) -> int:
        """Requests at which the benchmark ends."""
        return self.most_requests or math.ceil(_REQUESTS_OF_AN_ARRIVAL * self.rate * self.duration)

    @property
    def judges_failures(self) -> bool:
        """True if a gate looks at all requests that fail."""
        return any(gate.measure == "errors" and not gate.request for gate in self.gates.values())

    @property
    def compares(self) -> bool:
        """True if a gate is held against an earlier benchmark."""
        return any(gate.worse for gate in self.gates.values())

    def refused(self, environment: str) -> str:
        """Why there may be no load here; "" if there may."""
        if self.allowed is False:
            return "the profile has `load.allowed: false`"
        if environment == "production" and not self.allowed:
            return "production is not put under load unless its profile says `load.allowed: true`"
        return ""

    @model_validator(mode="after")
    def _gates_know_their_id(self) -> Self:
        for key, gate in self.gates.items():
            gate._id = key
        return self

    @model_validator(mode="after")
    def _limits_are_below_the_timeout(self) -> Self:
        for key, gate in self.gates.items():
            if _of_time(gate) and gate.limit.bounds[0] >= self.timeout:  # type: ignore[union-attr]
                raise ValueError(
                    f"gate {key} can hardly fail: `limit` ({gate.limit.text}) is not below the `timeout` of "  # type: ignore[union-attr]
                    f"{self.timeout:g} s, at which a request is given up"
                )
        return self

    @model_validator(mode="after")
    def _can_be_decided(self) -> Self:
        rest = self.duration - self.warm_up
        if rest < LEAST_REST:
            raise ValueError(
                f"{max(0, rest):g} s are left of {self.duration:g} s after a warm_up of {self.warm_up:g} s, and "
                f"{LEAST_REST:g} s are needed to tell one bad second from a bad target; raise `duration`"
            )
        judged = rest * self.rate
        for key, gate in self.gates.items():
            needed = requests_needed(gate, self.confidence)
            if judged < needed:
                raise ValueError(
                    f"gate {key} cannot be passed: {judged:.0f} requests after the warm-up, and {gate.measure} needs "
                    f"at least {needed}; raise `duration` or `rate`"
                )
        seconds = math.ceil(self.duration) - math.ceil(self.warm_up)
        if seconds < MEAN_SECONDS and (means := [key for key, gate in self.gates.items() if gate.measure == "mean"]):
            raise ValueError(
                f"gate {means[0]} cannot be passed: a mean needs {MEAN_SECONDS} seconds after the warm-up for its "
                f"bounds, and there are {max(0, seconds)}; raise `duration`"
            )
        if self.users is not None and self.users < self.users_needed:
            raise ValueError(
                f"`users: {self.users}` cannot hold {self.rate:g} arrivals a second at {self.longest_limit:g} s each; "
                f"at least {self.users_needed}, better twice that"
            )
        return self


def requests_needed(gate: Gate, confidence: float) -> int:
    """
    Requests below which a gate cannot be passed, even if all of them are good.

    Args:
        gate: The gate.
        confidence: Of the bound, one-sided: a p95 needs 59 at 95 %, "< 1 %" of errors 299.
    """
    if gate.measure == "errors" and gate.limit is not None:
        share = gate.limit.bounds[0]
    elif gate.q is not None:
        share = 1 - gate.q
    else:
        return 2
    return math.floor(math.log(1 - confidence) / math.log1p(-share) + _ROUNDING) + 1


def _of_time(gate: Gate) -> bool:
    return gate.unit == "s" and gate.limit is not None
