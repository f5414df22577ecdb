"""Indicators: a number read by one query and judged by thresholds with priorities (design, section 6)."""

from itertools import combinations
from typing import Literal, Self, get_args

from pydantic import Field, PrivateAttr, model_validator

from opsproof.profile.hosts import HostNumber
from opsproof.profile.normal import Normal
from opsproof.profile.numbers import (
    TARGET_OF_SOURCE,
    AlertCount,
    HttpNumber,
    Increase,
    LogCount,
    MetricForm,
    ObjectsNumber,
    PromQL,
    Quantile,
    Rate,
    Ratio,
    RedisNumber,
    SourceKind,
)
from opsproof.profile.scalars import Duration, Severity
from opsproof.profile.targets import Section
from opsproof.profile.text import Text
from opsproof.profile.thresholds import Limit, Threshold

Priority = Literal["P0", "P1", "P2"]
"""How soon somebody must act: at once, within 30 minutes, within working hours (runbook 004, 알림 우선순위)."""

PRIORITIES: tuple[Priority, ...] = get_args(Priority)
SEVERITY_OF: dict[Priority, Severity] = {"P0": "SEV-1", "P1": "SEV-2", "P2": "SEV-3"}
MARKERS = (
    "smoke",
    "recovery",
    "dr",
    "canary_criteria",
    "payload_guard",
    "diagnosis",
    "release",
    "alert",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
)


SQL_WINDOW = "%(window)s"


class Indicator(Section):
    """
    One number of the environment and its limits.

    Exactly one of the sources says where it comes from. The number is well where `ok` holds, and bad where a priority's
    limit holds. Between the two (bad above 20 %, well below 10 %) it keeps the state that it had: a warning in a round,
    not yet recovered in a recovery.
    """

    title: Text
    promql: PromQL | None = None
    ratio: Ratio | None = None
    rate: Rate | None = None
    increase: Increase | None = None
    quantile: Quantile | None = None
    sql: str | None = Field(None, description="A SELECT that gives one row of one column.")
    over: Duration | None = Field(
        None,
        description="With `sql` that names %(window)s: the seconds that it looks back. In a window, and after an "
        "incident, it looks back as far as that goes.",
    )
    redis: RedisNumber | None = None
    http: HttpNumber | None = None
    logs: LogCount | None = None
    alerts: AlertCount | None = None
    host: HostNumber | None = None
    objects: ObjectsNumber | None = None
    target: str | None = Field(None, description="Target to ask; left out, the usual one for the source.")
    unit: str = Field(
        "",
        description="Unit shown behind the number, which is not converted: with % it is a share from 0 to 1, with s "
        "seconds, with bytes bytes. Only these take limits with a unit (5 %, 400 ms, 80 GB).",
    )
    ok: Limit | None = Field(None, description="Well: < 1000, 10 .. 20.")
    p0: Limit | None = Field(None, description="Act at once.")
    p1: Limit | None = Field(None, description="Act within 30 minutes.")
    p2: Limit | None = Field(None, description="Act within working hours.")
    normal: Normal | None = Field(
        None, description="Normal is also what is near to an earlier number: {at_most: 1.5, above: 0.01, offset: 7d}."
    )
    empty: float | None = Field(
        None,
        allow_inf_nan=False,
        description="What it means that there is nothing; left out, it is no answer. With ratio, rate, increase and "
        "quantile it is about labels that no series has; a metric that is not there is never an answer.",
    )
    max_age: Duration = Field(120.0, description="A sample older than this is no answer.")
    runbook: tuple[str, ...] = Field((), description="Ids of the runbook rows that it verifies.")
    markers: tuple[Literal[MARKERS], ...] = Field((), description="When it is looked at.")  # type: ignore[valid-type]
    next_step: Text = Field(description="What to do when it is not well.")
    proven_by: tuple[str, ...] = Field((), description="Faults of the embedded stack that turn it red.")

    _id: str = PrivateAttr("")

    @property
    def id(self) -> str:
        """Its key in the profile."""
        return self._id

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [kind for kind in TARGET_OF_SOURCE if getattr(self, kind) is not None]
        if len(given) != 1:
            names = ", ".join(f"`{kind}`" for kind in TARGET_OF_SOURCE)
            raise ValueError(f"expected exactly one source of the number: {names}")
        return self

    @model_validator(mode="after")
    def _history_is_kept(self) -> Self:
        if self.normal and self.normal.offset and self.promql is None and self.form is None:
            raise ValueError(
                "`normal` has an `offset`, and only Prometheus knows an earlier number; with "
                f"`{self.source}` leave it out, and give --baseline RUN"
            )
        return self

    @model_validator(mode="after")
    def _sql_looks_back(self) -> Self:
        if (self.over is not None) is not (self.sql is not None and SQL_WINDOW in self.sql):
            raise ValueError(f"expected `over` exactly with `sql` that names {SQL_WINDOW}")
        return self

    @model_validator(mode="after")
    def _limits_fit_the_unit(self) -> Self:
        named = {"ok": self.ok, **{priority.lower(): limit for priority, limit in self.limits.items()}}
        for name, limit in named.items():
            if limit is not None and (words := limit.misfit(self.unit)):
                raise ValueError(f"`{name}` {words}")
        return self

    @model_validator(mode="after")
    def _limits_agree(self) -> Self:
        for priority, limit in self.limits.items():
            if self.ok is not None and self.ok.overlaps(limit):
                raise ValueError(
                    f"expected `ok` ({self.ok.text}) and `{priority.lower()}` ({limit.text}) to exclude each other"
                )
        for (worse, one), (less, other) in combinations(self.limits.items(), 2):
            if other.lies_in(one):
                raise ValueError(
                    f"`{worse.lower()}` ({one.text}) holds wherever `{less.lower()}` ({other.text}) does, and is more "
                    f"urgent; `{less.lower()}` could never hold"
                )
        return self

    @property
    def source(self) -> SourceKind:
        """Which kind of question gives the number."""
        return next(kind for kind in TARGET_OF_SOURCE if getattr(self, kind) is not None)

    @property
    def form(self) -> MetricForm | None:
        """The structured question to a metrics target, if it is one."""
        return self.ratio or self.rate or self.increase or self.quantile

    @property
    def window(self) -> float | None:
        """Seconds that it looks back, for a number over a stretch; None for one of this moment."""
        stretch = self.form or self.logs
        return stretch.window if stretch else self.over

    @property
    def asks(self) -> str:
        """Name of the target that is asked."""
        return self.target or TARGET_OF_SOURCE[self.source]

    @property
    def limits(self) -> dict[Priority, Threshold]:
        """The limits that it has, the most urgent first."""
        found = {priority: getattr(self, priority.lower()) for priority in PRIORITIES}
        return {priority: limit for priority, limit in found.items() if limit is not None}

    @property
    def severity(self) -> Severity:
        """How bad it can become; also how bad it is not to know it."""
        return SEVERITY_OF[next(iter(self.limits), "P1")]
