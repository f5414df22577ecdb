"""The canary: where it and the baseline are seen, how long it is watched, and what it must hold (runbook 001, 2.2)."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from opsproof.profile.numbers import PromQL, Selector
from opsproof.profile.scalars import Duration
from opsproof.profile.targets import Section
from opsproof.profile.text import Text
from opsproof.profile.thresholds import Limit, Threshold

_USUAL_MINUTES, _LEAST_LOOKS = 20.0, 4
BadState = Literal["empty", "nan", "inf", "stale", "query_error", "several_series"]
Share = Annotated[float, Field(ge=0.0001, le=0.9999)]


class FailedShare(Section):
    """The share of requests that failed, by counters: how many failed, and how many there were."""

    of: Selector = Field(description="The counter of what failed.")
    over: Selector = Field(description="The counter of all. It includes what `of` counts.")


class SlowShare(Section):
    """A quantile of a histogram; judged by the share of what was slower than the limit, which is a count."""

    of: Selector = Field(description="The histogram, without `_bucket`.")
    q: Share = Field(0.95, description="0.95: fewer than 5 % may be beyond the limit.")


class Number(Section):
    """Another number, by one expression for each track; sampled at every look."""

    canary: PromQL
    baseline: PromQL | None = None
    beyond: Share = Field(0.5, description="The share of samples that may be beyond the limit; 0.5 judges the median.")


class Worse(Section):
    """
    How much worse than the baseline the canary may be: exactly one of the two.

    Compared is what is judged: the share that failed, the share that was slower than the limit (not the quantiles), or
    the samples.
    """

    ratio: float | None = Field(None, ge=1, description="1.5: half as much again.")
    difference: float | None = Field(
        None, ge=0, description="0.002: 0.2 % of all requests more; of a `promql` in its unit."
    )

    @property
    def by(self) -> Literal["ratio", "difference"]:
        """What the tolerance is."""
        return "difference" if self.ratio is None else "ratio"

    @property
    def value(self) -> float:
        """How large the ratio or the difference may be."""
        return (self.difference if self.ratio is None else self.ratio) or 0.0

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.ratio is None) == (self.difference is None):
            raise ValueError("expected exactly one of `ratio` and `difference`")
        return self


class Criterion(Section):
    """
    What a canary must hold: a limit, a comparison with the baseline, or both.

    Exactly one of `ratio`, `quantile` and `promql` says what is looked at. The limit may be that of
    `canary_success_criteria` instead, by the criterion's name.
    """

    title: Text
    ratio: FailedShare | None = None
    quantile: SlowShare | None = None
    promql: Number | None = None
    unit: str = Field("", description="Of a `promql`: shown behind the number; % and s let limits have a unit.")
    limit: Limit | None = Field(None, description="What must hold: < 1 %, < 2.5 s; of a `promql` also >= 0.9.")
    worse: Worse | None = Field(None, description="Compare with the baseline; left out, it is not compared.")
    critical: bool = Field(True, description="A sure violation rolls back by itself.")
    weight: float = Field(0.5, gt=0, description="What a violation adds, if it is not critical.")
    min_samples: int = Field(0, ge=0, description="Requests, or samples, below which it never promotes.")
    on: dict[BadState, Literal["rollback", "inconclusive"]] = Field(
        {}, description="What it means that there is no usable number; left out, inconclusive. Never to promote."
    )
    runbook: tuple[str, ...] = Field(description="Ids of the runbook rows that it verifies.", min_length=1)
    next_step: Text = Field(description="What to do when it is violated.")

    _id: str = PrivateAttr("")

    @property
    def id(self) -> str:
        """Its key in the profile."""
        return self._id

    @property
    def severity(self) -> Literal["SEV-1", "SEV-3"]:
        """A violation of one that is not critical alone stops no release; the answer of all does."""
        return "SEV-1" if self.critical else "SEV-3"

    @property
    def kind(self) -> str:
        """What its limits are in: `%`, `s`, or its own unit."""
        return "%" if self.ratio else "s" if self.quantile else self.unit

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if sum(form is not None for form in (self.ratio, self.quantile, self.promql)) != 1:
            raise ValueError("expected exactly one of `ratio`, `quantile` and `promql`")
        return self

    @model_validator(mode="after")
    def _limit_can_be_judged(self) -> Self:
        if self.limit is None:
            return self
        if misfit := self.limit.misfit(self.kind):
            raise ValueError(f"`limit` {misfit}")
        known = ("<", "<=", ">", ">=") if self.promql else ("<", "<=")
        if self.limit.operator not in known:
            raise ValueError(f"`limit` ({self.limit.text}): expected one of {', '.join(known)} here")
        if self.ratio and not 0 < self.limit.bounds[0] < 1:
            raise ValueError(f"`limit` ({self.limit.text}): a share above 0 % and below 100 % can be judged, no other")
        return self

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        if self.ratio and self.ratio.of == self.ratio.over:
            raise ValueError("`of` and `over` are the same: the share would always be 100 %")
        if self.promql and self.promql.canary == self.promql.baseline:
            raise ValueError("`promql` has the same expression for both tracks: nothing would be compared")
        return self

    @model_validator(mode="after")
    def _baseline_is_known(self) -> Self:
        if self.promql and self.worse and self.promql.baseline is None:
            raise ValueError("`worse` compares with the baseline, and `promql` has none")
        return self


class Canary(Section):
    """
    A watch of the canary: labels of both tracks, times, and criteria.

    The answer is promote, roll back, or inconclusive (docs/canary.md).
    """

    target: str = Field("metrics", description="The Prometheus that is asked.")
    canary: dict[str, str] = Field({}, description="Labels of the canary's series alone: {track: canary}.")
    baseline: dict[str, str] = Field({}, description="Labels of the baseline's: {track: stable}.")
    scrape: dict[Literal["canary", "baseline"], tuple[str, ...]] = Field(
        {}, description="Without a Prometheus: targets of kind `scrape`, by track; each a replica."
    )
    duration: Duration | None = Field(
        None,
        gt=0,
        description="How long; left out, `duration_minutes` of canary_success_criteria, or 20m.",
    )
    interval: Duration = Field(30.0, ge=0.2, description="From one look to the next.")
    begin_within: Duration = Field(60.0, description="How long the questions may take to have first numbers.")
    failure_limit: int = Field(1, ge=1, description="Looks in a row that must be sure of a roll-back before it comes.")
    coverage: float = Field(0.8, gt=0, le=1, description="The part of the watch that must have samples, to promote.")
    restarts: int = Field(1, ge=0, description="How often the canary may begin again during the watch, to promote.")
    consecutive_errors: int = Field(5, ge=1, description="Looks in a row without any number that end the watch.")
    confidence: float = Field(0.95, ge=0.5, lt=1, description="Of the bound that promotes, one-sided.")
    false_rollback: float = Field(
        0.01, gt=0, le=0.2, description="How often a good canary may be rolled back, over all looks and criteria."
    )
    early_promotion: bool = Field(False, description="True: what surely holds may promote before the end.")
    rollback_weight: float = Field(1.0, gt=0, description="Weights of violated criteria that together roll back.")
    criteria: dict[str, Criterion] = Field(min_length=1)

    _limits: dict[str, Threshold] = PrivateAttr(default_factory=dict)
    _minutes: float = PrivateAttr(_USUAL_MINUTES)

    @property
    def lasts(self) -> float:
        """Seconds from the begin of the watch to its planned end."""
        return self.duration or 60 * self._minutes

    @property
    def has_baseline(self) -> bool:
        """Whether it says where the baseline is seen."""
        return bool(self.scrape.get("baseline") if self.scrape else self.baseline)

    def limit_of(self, criterion: Criterion) -> Threshold | None:
        """The limit of a criterion: its own, or that of `canary_success_criteria`; None if it is only compared."""
        return criterion.limit or self._limits.get(criterion.id)

    def take_success_criteria(self, block: dict[str, float]) -> None:
        """
        Take the runbook's block as it stands, and see that every criterion then demands something.

        Raises:
            ValueError: A key of it fits no criterion, a criterion demands nothing, or the times do not fit.
        """
        self._limits = success_limits(block, self.criteria)
        self._minutes = block.get("duration_minutes", _USUAL_MINUTES)
        for key, criterion in self.criteria.items():
            criterion._id = key
            if self.limit_of(criterion) is None and criterion.worse is None:
                raise ValueError(f"canary criterion {key} has neither a `limit` nor `worse`, so it demands nothing")
            if (limit := self.limit_of(criterion)) and not all(map(math.isfinite, limit.bounds)):
                raise ValueError(f"canary criterion {key}: its limit ({limit.text}) is no finite number")
            if limit and criterion.ratio and not 0 < limit.bounds[0] < 1:
                raise ValueError(
                    f"canary criterion {key}: a limit of {100 * limit.bounds[0]:g} % cannot be judged; a share is "
                    "above 0 and below 1: 1 % is 0.01"
                )
            if self.limit_of(criterion) is None and criterion.quantile:
                raise ValueError(f"canary criterion {key} looks at a quantile and has no `limit` to count beyond")
        if self.lasts < _LEAST_LOOKS * self.interval:
            raise ValueError(
                f"the canary's watch of {self.lasts:g} s is shorter than {_LEAST_LOOKS} looks of {self.interval:g} s; "
                "watch longer, or shorten `interval`"
            )

    @model_validator(mode="after")
    def _tracks_can_be_told_apart(self) -> Self:
        if self.scrape:
            if not self.scrape.get("canary"):
                raise ValueError("`scrape` has no targets of the canary")
            if number := next((key for key, one in self.criteria.items() if one.promql), None):
                raise ValueError(f"criterion {number}: only a Prometheus can answer `promql`, and there is `scrape`")
        elif empty := [name for name, value in {**self.canary, **self.baseline}.items() if not value]:
            raise ValueError(f"label {empty[0]} has an empty value, which every series without that label matches")
        elif not self.canary:
            raise ValueError("expected labels that only the canary's series have, `canary: {track: canary}`")
        elif self.canary == self.baseline:
            raise ValueError("`canary` and `baseline` have the same labels: nothing could be compared")
        compared = [key for key, one in self.criteria.items() if one.worse and not one.promql]
        if compared and not self.has_baseline:
            raise ValueError(f"criterion {compared[0]} is compared, and nothing says where the baseline is seen")
        return self


_SUFFIXES = {"_max_ms": (0.001, "s"), "_max_s": (1.0, "s"), "_max_percent": (0.01, "%"), "_max": (1.0, "")}


def success_limits(block: dict[str, float], criteria: dict[str, Criterion]) -> dict[str, Threshold]:
    """
    The limits of `canary_success_criteria`, by criterion: `error_rate_max: 0.01` is that of `error-rate`.

    Args:
        block: As the runbook writes it; `duration_minutes` is no limit.
        criteria: Those of the profile.

    Raises:
        ValueError: A key names no criterion, or one that has a limit of its own.
    """
    found: dict[str, Threshold] = {}
    for key, value in block.items():
        if key == "duration_minutes":
            continue
        suffix = next((one for one in _SUFFIXES if key.endswith(one)), "")
        name = key.removesuffix(suffix).replace("_", "-")
        if not suffix or name not in criteria:
            known = ", ".join(f"{one.replace('-', '_')}_max" for one in criteria)
            raise ValueError(f"`canary_success_criteria.{key}` names no criterion; known: duration_minutes, {known}")
        if criteria[name].limit is not None:
            raise ValueError(f"`canary_success_criteria.{key}`, and criterion {name} has a `limit` of its own")
        factor, unit = _SUFFIXES[suffix]
        kind = criteria[name].kind
        if (unit and unit != kind) or (not unit and kind == "s"):
            fits = {"s": "_max_ms or _max_s", "%": "_max or _max_percent"}.get(kind, "_max")
            raise ValueError(f"`canary_success_criteria.{key}` does not fit criterion {name}: write it with {fits}")
        found[name] = Threshold(f"< {value:g}", "<", (value * factor,), unit or (kind if kind in ("%", "s") else ""))
    return found
