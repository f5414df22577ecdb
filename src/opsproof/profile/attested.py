"""Attested checks: what the runbook wants confirmed and no probe can see, so that a person must be asked."""

from typing import Literal

from pydantic import Field, PrivateAttr

from opsproof.profile.indicators import MARKERS
from opsproof.profile.scalars import Duration, Severity
from opsproof.profile.targets import Section
from opsproof.profile.text import Text


class Attested(Section):
    """One thing that a person confirms; without an answer that counts its check is unknown."""

    title: Text
    ask: Text = Field(description="The question, so that yes means well.")
    runbook: tuple[str, ...] = Field(min_length=1, description="Ids of the runbook rows that it confirms.")
    markers: tuple[Literal[MARKERS], ...] = Field(min_length=1, description="When it is asked.")  # type: ignore[valid-type]
    severity: Severity = Field("SEV-2", description="How bad a no is, and how bad it is not to know.")
    next_step: Text = Field(description="What to do when the answer is no.")
    valid_for: Duration = Field(14400.0, description="An answer older than this does not count.")

    _id: str = PrivateAttr("")

    @property
    def id(self) -> str:
        """Its key in the profile."""
        return self._id


def attested_check(key: str) -> str:
    """Name of the check of an attested entry: `attested.alerts-resolved-confirmed`."""
    return f"attested.{key}"
