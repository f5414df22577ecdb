"""What is normal for a number: not by a limit, but by what it was at an earlier time."""

from typing import Self

from pydantic import Field, model_validator

from opsproof.profile.scalars import Duration
from opsproof.profile.targets import Section


class Normal(Section):
    """
    How far a number may be from its reference: what it was in the run of `--baseline`, or an `offset` before.

    It is normal up to `at_most` times the reference, or up to `above`, whichever is more; and down to `at_least` times
    the reference. Without a reference only the indicator's limits decide.
    """

    at_most: float | None = Field(
        None, ge=1, allow_inf_nan=False, description="Normal up to so many times the reference: 1.5."
    )
    above: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="Only a number above this can be too high, however small the reference; as the source gives it, so "
        "with % a share from 0 to 1.",
    )
    at_least: float | None = Field(
        None, gt=0, le=1, allow_inf_nan=False, description="Normal down to so many times the reference: 0.5."
    )
    offset: Duration | None = Field(
        None,
        description="Without a baseline: ask Prometheus for the number so long before the incident's start, or before "
        "the run; 7d is the same hour of the same weekday.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.at_most is None and self.at_least is None:
            raise ValueError("expected `at_most` (1.5: normal up to 1.5 times the reference), `at_least`, or both")
        if self.above and self.at_most is None:
            raise ValueError("has `above`, which belongs to `at_most`; without it no number is too high")
        return self
