"""When a check must have ended."""

import time
from typing import NamedTuple

from opsproof.errors import TimedOut
from opsproof.evidence.recorder import Recorder


class Budget(NamedTuple):
    """Time that a check has for itself, outside of the run's: seconds, and where they come from."""

    seconds: float
    named: str


class Deadline:
    """
    The end of a check's time: its own limit, or what is left of the run's; begins when it is made.

    Args:
        check: Seconds for one check.
        run: Seconds for all checks of the profile together.
        run_ends: Time (monotonic) at which those are over.
        named: Where the limit of the check comes from.
    """

    def __init__(self, *, check: float, run: float, run_ends: float, named: str = "policy.check_deadline") -> None:
        now = time.monotonic()
        self.end = min(now + check, run_ends)
        self._limit = (
            f"the run's deadline of {run:.3g} s (policy.run_deadline) was over before the check had ended"
            if run_ends < now + check
            else f"the check did not end within its deadline of {check:.3g} s ({named})"
        )

    @property
    def left(self) -> float:
        """Seconds that are left; 0 when it is over."""
        return max(0.0, self.end - time.monotonic())

    def missed(self, recorder: Recorder) -> TimedOut:
        """The error of a check that has not ended in time."""
        last = recorder.observations[-1] if recorder.observations else None
        return TimedOut(
            self._limit,
            where=f"{last.question} was its last answered question" if last else "no question was answered",
            next_step="See what it waits for, and whether the target is slow; the limit is in the profile.",
            target=last.target if last else "",
        )
