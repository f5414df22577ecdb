"""The StoreBridge service's own settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from opsproof.stack.services.common.services import Services
from opsproof.stack.services.common.settings import Variables


@dataclass(frozen=True)
class StorebridgeOptions:
    """
    `domeggook_calls_a_day` and `naver_calls_a_second` are what the two markets let us ask (runbook 004, 17:00).

    `memory_limit` is how many bytes the process may have, and `cpu_limit` how many processors, as the limits of a
    container would say.
    """

    domeggook_calls_a_day: int
    naver_calls_a_second: int
    memory_limit: int
    cpu_limit: float

    @classmethod
    def read(cls, variables: Variables) -> StorebridgeOptions:
        """Read and validate; raises SettingsError."""
        return cls(
            domeggook_calls_a_day=variables.integer("DOMEGGOOK_CALLS_A_DAY", 15_000, minimum=1),
            naver_calls_a_second=variables.integer("NAVER_CALLS_A_SECOND", 2, minimum=1),
            memory_limit=variables.integer("MEMORY_LIMIT_MIB", 256, minimum=1) * 1024**2,
            cpu_limit=variables.integer("CPU_LIMIT_MILLICORES", 4000, minimum=1) / 1000,
        )


def options_of(services: Services) -> StorebridgeOptions:
    """The options of a running service."""
    return cast(StorebridgeOptions, services.options)
