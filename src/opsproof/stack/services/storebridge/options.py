"""The StoreBridge service's own settings."""

from __future__ import annotations

from dataclasses import dataclass

from opsproof.stack.services.common.settings import Variables


@dataclass(frozen=True)
class StorebridgeOptions:
    """`domeggook_calls_a_day` and `naver_calls_a_second` are what the two markets let us ask (runbook 004, 17:00)."""

    domeggook_calls_a_day: int
    naver_calls_a_second: int

    @classmethod
    def read(cls, variables: Variables) -> StorebridgeOptions:
        """Read and validate; raises SettingsError."""
        return cls(
            domeggook_calls_a_day=variables.integer("DOMEGGOOK_CALLS_A_DAY", 15_000, minimum=1),
            naver_calls_a_second=variables.integer("NAVER_CALLS_A_SECOND", 2, minimum=1),
        )
