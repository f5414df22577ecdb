"""The decision engine's own settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from opsproof.stack.services.common.services import Services
from opsproof.stack.services.common.settings import Variables

MODELS = {"gpt-4": 0.01, "gpt-4o-mini": 0.0004}
"""US dollars for one call of each model, as the stand-in counts them."""


@dataclass(frozen=True)
class FactoryOptions:
    """
    What runbook 001 (4.2) changes in an incident.

    Attributes:
        model: The language model that is asked.
        timeout_seconds: A call of it is given up after this long.
        retries: How often a failed call is repeated.
    """

    model: str
    timeout_seconds: int
    retries: int

    @classmethod
    def read(cls, variables: Variables) -> FactoryOptions:
        """Read and validate; raises SettingsError."""
        return cls(
            model=variables.choice("DEFAULT_LLM_MODEL", "gpt-4", tuple(MODELS)),
            timeout_seconds=variables.integer("LLM_TIMEOUT_SECONDS", 15, minimum=1),
            retries=variables.integer("LLM_RETRIES", 3, minimum=0),
        )


def options_of(services: Services) -> FactoryOptions:
    """The options of a running service."""
    return cast(FactoryOptions, services.options)
