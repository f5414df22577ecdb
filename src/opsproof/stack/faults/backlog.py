"""A queue that grows: its worker lives and takes from its other queues, and real messages wait in this one."""

from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from opsproof.stack.faults.broker import NOBODYS_JOB, SECONDS, celery, client, waiting
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.seen import Seen
from opsproof.stack.stack import Stack
from opsproof.stack.state import edit_state


@dataclass(frozen=True)
class QueueBacklog(Fault):
    """
    A queue of one system is not worked off (Celery's `cancel_consumer`), and messages wait in it.

    Args:
        broker: The variable that has the broker's address.
        queue: Name of the queue and of its list.
        task: The task that the messages ask for.
        messages: How many.
        seen: Whether the system's numbers show it.
    """

    name: str
    title: str
    systems: frozenset[str]
    broker: str
    queue: str
    task: str
    messages: int
    seen: Seen
    group: str = "jobs"

    @override
    def inject(self, stack: Stack) -> None:
        with celery(stack.variables[self.broker]) as app:
            # Without `limit` all of the time passes, and with it the reading that the worker has under way.
            app.control.cancel_consumer(self.queue, reply=True, timeout=SECONDS)
            app.send_task(self.task, args=(NOBODYS_JOB, self.name), queue=self.queue)
        with client(stack.variables[self.broker]) as redis:
            message: Any = redis.rpop(self.queue)
            with edit_state(stack.directory) as state:
                state.faults[self.name].memory["message"] = message
            redis.lpush(self.queue, *[message] * self.messages)

    @override
    def in_force(self, stack: Stack) -> bool:
        enough = waiting(stack.variables[self.broker], self.queue) >= self.messages
        return enough and all(self.seen(stack, system) for system in self.systems)

    @override
    def gone(self, stack: Stack) -> bool:
        fewer = waiting(stack.variables[self.broker], self.queue) < self.messages
        return fewer and not any(self.seen(stack, system) for system in self.systems)

    @override
    def heal(self, stack: Stack) -> None:
        message = stack.state.faults[self.name].memory.get("message")
        if message is not None:
            with client(stack.variables[self.broker]) as redis:
                redis.lrem(self.queue, 0, message)
        with celery(stack.variables[self.broker]) as app:
            app.control.add_consumer(self.queue, reply=True, timeout=SECONDS, limit=1)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        url = stack.variables[self.broker]
        return f"valkey-cli -u {url} DEL {self.queue}; celery -b {url} control add_consumer {self.queue}"
