"""Faults of live Celery workers: one takes from no queue, stands still in the middle of a task, or falls behind."""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from opsproof.stack.control import freeze_part, restart_part, spawn_helper, thaw_part
from opsproof.stack.faults.broker import (
    NOBODYS_JOB,
    SECONDS,
    answers,
    broker_of,
    celery,
    client,
    oldest_held,
    waiting,
)
from opsproof.stack.faults.defects import set_defects
from opsproof.stack.faults.fault import Fault
from opsproof.stack.parts.service import DEFECTS_FILE
from opsproof.stack.process import end, wait_for
from opsproof.stack.services.common.celery_names import CeleryNames
from opsproof.stack.stack import Stack

_SECONDS_TO_BE_TAKEN = 15.0
_PAUSE = 0.05
_HELD_SECONDS = 9.0
_BLINK_SECONDS = 4.0
_BROKER = "valkey"


@dataclass(frozen=True)
class WorkerFault(Fault):
    """
    A fault of the workers of some systems.

    Args:
        names: By system, what its API and worker share.
    """

    name: str
    title: str
    systems: frozenset[str]
    names: Mapping[str, CeleryNames]
    group: str = "jobs"

    def present(self, stack: Stack) -> list[CeleryNames]:
        """Of the systems that the stack runs."""
        return [self.names[system] for system in sorted(self.systems.intersection(stack.state.systems))]


@dataclass(frozen=True)
class NotConsuming(WorkerFault):
    """Workers live, answer, and take from no queue any more (Celery's `cancel_consumer`)."""

    @override
    def inject(self, stack: Stack) -> None:
        self._tell_all(stack, "cancel_consumer")

    @override
    def in_force(self, stack: Stack) -> bool:
        return all(taken == [] for taken in self._taken(stack))

    @override
    def gone(self, stack: Stack) -> bool:
        wanted = [sorted(names.queues) for names in self.present(stack)]
        return [sorted(taken or []) for taken in self._taken(stack)] == wanted

    @override
    def heal(self, stack: Stack) -> None:
        self._tell_all(stack, "add_consumer")

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return "; ".join(
            f"celery -b {broker_of(stack, names)} control add_consumer {queue}"
            for names in self.present(stack)
            for queue in names.queues
        )

    def _tell_all(self, stack: Stack, command: str) -> None:
        for names in self.present(stack):
            with celery(broker_of(stack, names)) as app:
                for queue in names.queues:
                    getattr(app.control, command)(queue, reply=True, timeout=SECONDS, limit=1)

    def _taken(self, stack: Stack) -> list[list[str] | None]:
        """Of each system, the queues that its worker takes from; None if it does not answer."""
        found: list[list[str] | None] = []
        for names in self.present(stack):
            with celery(broker_of(stack, names)) as app:
                replies: Any = app.control.inspect(timeout=SECONDS, limit=1).active_queues() or {}
            found.append(next(([queue["name"] for queue in queues or []] for queues in replies.values()), None))
        return found


@dataclass(frozen=True)
class FrozenAtWork(WorkerFault):
    """Workers stand still (SIGSTOP) in the middle of a task: what they took comes back from nobody."""

    @override
    def inject(self, stack: Stack) -> None:
        set_defects(stack, self.name, {"job_seconds": {names.system: _BLINK_SECONDS for names in self.present(stack)}})
        for names in self.present(stack):
            with celery(broker_of(stack, names)) as app:
                app.send_task(names.task, args=(NOBODYS_JOB, self.name), queue=names.queues[0])
            wait_for(lambda names=names: oldest_held(broker_of(stack, names)) > 0, _SECONDS_TO_BE_TAKEN, _PAUSE)  # type: ignore[misc]
            freeze_part(stack.directory, f"{names.system}-worker")
        set_defects(stack, self.name, {})

    @override
    def in_force(self, stack: Stack) -> bool:
        return all(
            stack.state.parts[f"{names.system}-worker"].process.state() == "T"
            and oldest_held(broker_of(stack, names)) > _HELD_SECONDS
            for names in self.present(stack)
        )

    @override
    def gone(self, stack: Stack) -> bool:
        return all(
            stack.state.parts[f"{names.system}-worker"].process.state() != "T"
            and not oldest_held(broker_of(stack, names))
            for names in self.present(stack)
        )

    @override
    def heal(self, stack: Stack) -> None:
        set_defects(stack, self.name, {})
        for names in self.present(stack):
            thaw_part(stack.directory, f"{names.system}-worker")

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        parts = stack.state.parts
        return (
            f"kill -CONT {' '.join(str(parts[f'{names.system}-worker'].process.pid) for names in self.present(stack))}"
        )


@dataclass(frozen=True)
class Flood:
    """
    What one system's worker cannot keep up with.

    Args:
        per_second: Messages that come.
        seconds: How long each keeps the worker.
        least: So many wait before it counts.
    """

    per_second: float
    seconds: float
    least: int


@dataclass(frozen=True)
class FallsBehind(WorkerFault):
    """
    The broker was restarted and the workers are back, answer and work: more comes than they do.

    Args:
        floods: By system.
    """

    floods: Mapping[str, Flood] = field(default_factory=dict)

    @override
    def inject(self, stack: Stack) -> None:
        restart_part(stack.directory, _BROKER)
        present = self.present(stack)
        set_defects(stack, self.name, {"job_seconds": {one.system: self.floods[one.system].seconds for one in present}})
        feeds = [
            {
                "broker": broker_of(stack, names),
                "task": names.task,
                "queue": names.queues[0],
                "args": [NOBODYS_JOB, self.name],
                "per_second": self.floods[names.system].per_second,
            }
            for names in present
        ]
        argv = [sys.executable, "-m", "opsproof.stack.faults.feeder"]
        spawn_helper(stack.directory, self.name, argv, {"FEED": json.dumps(feeds)})

    @override
    def in_force(self, stack: Stack) -> bool:
        if not all(answers(broker_of(stack, names)) for names in self.present(stack)):
            return False
        first = [waiting(broker_of(stack, names), names.queues[0]) for names in self.present(stack)]
        time.sleep(1.0)
        second = [waiting(broker_of(stack, names), names.queues[0]) for names in self.present(stack)]
        enough = [self.floods[names.system].least for names in self.present(stack)]
        return all(least <= before < after for least, before, after in zip(enough, first, second, strict=True))

    @override
    def gone(self, stack: Stack) -> bool:
        return not any(
            waiting(broker_of(stack, names), names.queues[0]) or oldest_held(broker_of(stack, names))
            for names in self.present(stack)
        )

    @override
    def heal(self, stack: Stack) -> None:
        end((helper, 15) for helper in stack.state.faults[self.name].helpers)
        set_defects(stack, self.name, {})
        for names in self.present(stack):
            with client(broker_of(stack, names)) as redis:
                messages: Any = redis.lrange(names.queues[0], 0, -1)
                for message in messages:
                    if self.name in json.loads(message)["headers"]["argsrepr"]:
                        redis.lrem(names.queues[0], 1, message)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        pids = " ".join(str(helper.pid) for helper in stack.state.faults[self.name].helpers)
        empty = "; ".join(f"valkey-cli -u {broker_of(stack, one)} DEL {one.queues[0]}" for one in self.present(stack))
        return f"kill -KILL {pids}; rm {stack.directory / DEFECTS_FILE}; {empty}"
