"""Scenarios: the incidents that a runbook knows, each with the signs by which it is recognised."""

from typing import Literal, Self

from pydantic import Field, model_validator

from opsproof.profile.targets import Section
from opsproof.profile.text import Text


class Sign(Section):
    """What one check must show for the scenario."""

    check: str = Field(description="Name of a check (health.ready), or of an indicator's (indicators.queue-depth).")
    shows: Literal["symptom", "trouble", "well"] = Field(
        "symptom",
        description="symptom: it failed, and by that alone the runbook knows the incident; trouble: it failed, as it "
        "does in other incidents, too; well: it passed, which tells this incident from its neighbours.",
    )
    weight: float = Field(1.0, gt=0, description="How much the sign says, beside the others.")


class Scenario(Section):
    """One incident of the runbook."""

    title: Text
    runbook: tuple[str, ...] = Field(min_length=1, description="Ids of the runbook rows that describe it.")
    signs: tuple[Sign, ...] = Field(min_length=1)
    next_steps: tuple[Text, ...] = Field(min_length=1, description="The runbook's steps, in order.")

    @model_validator(mode="after")
    def _has_a_symptom(self) -> Self:
        if all(sign.shows != "symptom" for sign in self.signs):
            raise ValueError("expected at least one sign that shows a symptom")
        return self
