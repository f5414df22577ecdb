"""Faults of Prometheus: what it scrapes, and what it has stored."""

import shutil
from dataclasses import dataclass

from typing_extensions import override

from opsproof.stack.control import end_part, start_part
from opsproof.stack.faults.fault import Fault
from opsproof.stack.names import job_of
from opsproof.stack.parts.prometheus import home_of, question, write_config
from opsproof.stack.stack import Stack


def target_health(stack: Stack, system: str) -> str:
    """What Prometheus says of a system's API: up, down, unknown; "" when it does not know it or does not answer."""
    targets = question(stack.plan, "targets?state=active").get("activeTargets", [])
    return next((str(one["health"]) for one in targets if one["labels"]["job"] == job_of(f"{system}-api")), "")


def target_is_down(stack: Stack, system: str) -> bool:
    """Prometheus has tried to scrape the system's API, and could not."""
    return target_health(stack, system) == "down"


@dataclass(frozen=True)
class StoreEmpty(Fault):
    """Prometheus answers, from an empty store, and scrapes nothing: as after a restart with a wrong configuration."""

    name: str
    title: str
    systems: frozenset[str]
    group: str = "metrics"
    part: str = "prometheus"

    @override
    def inject(self, stack: Stack) -> None:
        self._restart(stack, ())

    @override
    def in_force(self, stack: Stack) -> bool:
        known = question(stack.plan, "query?query=up").get("result")
        return known == [] and not any(target_health(stack, system) for system in stack.state.systems)

    @override
    def gone(self, stack: Stack) -> bool:
        return all(target_health(stack, system) for system in stack.state.systems)

    @override
    def heal(self, stack: Stack) -> None:
        self._restart(stack, stack.plan.systems)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f"opsproof stack down --name {stack.name}, then start it again"

    def _restart(self, stack: Stack, systems: tuple[str, ...]) -> None:
        """With a scrape job for each of these systems, and without what it has stored."""
        end_part(stack.directory, self.part)
        write_config(stack.plan, systems)
        shutil.rmtree(home_of(stack.plan) / "data", ignore_errors=True)
        start_part(stack.directory, self.part)
