"""The fault of a process that is started again and again, as a pod in a crash loop is."""

from dataclasses import dataclass

from typing_extensions import override

from opsproof.stack.control import restart_part
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.metrics import target_health
from opsproof.stack.faults.metrics_seen import started
from opsproof.stack.process import wait_for
from opsproof.stack.stack import Stack

_SECONDS_TO_BE_SCRAPED = 10.0
_PAUSE = 0.1


@dataclass(frozen=True)
class ApiRestarting(Fault):
    """
    The API of a system was started several times; Prometheus has seen each start.

    Args:
        times: How often.
        window: How long back is looked, as PromQL writes it; the fault is gone once none of them is that young.
    """

    name: str
    title: str
    systems: frozenset[str]
    times: int
    window: str
    group: str = "processes"
    part: str = "prometheus"

    @override
    def inject(self, stack: Stack) -> None:
        for _ in range(self.times):
            for system in self._present(stack):
                before = started(stack, system)
                restart_part(stack.directory, f"{system}-api")
                wait_for(lambda: self._is_scraped(stack, system, before), _SECONDS_TO_BE_SCRAPED, _PAUSE)  # noqa: B023

    @override
    def in_force(self, stack: Stack) -> bool:
        return all(started(stack, system, changes=self.window) >= self.times for system in self._present(stack))

    @override
    def gone(self, stack: Stack) -> bool:
        return all(started(stack, system, changes=self.window) == 0 for system in self._present(stack))

    @override
    def heal(self, stack: Stack) -> None:
        """Nothing has to be mended: the last start is the one that stays."""

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f"wait {self.window}"

    def _present(self, stack: Stack) -> list[str]:
        return sorted(self.systems.intersection(stack.state.systems))

    def _is_scraped(self, stack: Stack, system: str, before: float) -> bool:
        return target_health(stack, system) == "up" and started(stack, system) != before
