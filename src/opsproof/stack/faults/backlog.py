"""A queue that grows: its worker lives and takes from its other queues, and real messages wait in this one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.seen import Seen
from opsproof.stack.stack import Stack
from opsproof.stack.state import edit_state

if TYPE_CHECKING:
    from celery import Celery
    from redis import Redis

_SECONDS = 1.0
_NOBODYS_JOB = "00000000-0000-4000-8000-000000000000"


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
        with _celery(stack.variables[self.broker]) as app:
            app.control.cancel_consumer(self.queue, reply=True, timeout=_SECONDS)
            app.send_task(self.task, args=(_NOBODYS_JOB, self.name), queue=self.queue)
        with self._client(stack) as client:
            message: Any = client.rpop(self.queue)
            with edit_state(stack.directory) as state:
                state.faults[self.name].memory["message"] = message
            client.lpush(self.queue, *[message] * self.messages)

    @override
    def in_force(self, stack: Stack) -> bool:
        with self._client(stack) as client:
            waiting = int(str(client.llen(self.queue)))
        return waiting >= self.messages and all(self.seen(stack, system) for system in self.systems)

    @override
    def gone(self, stack: Stack) -> bool:
        with self._client(stack) as client:
            waiting = int(str(client.llen(self.queue)))
        return waiting < self.messages and not any(self.seen(stack, system) for system in self.systems)

    @override
    def heal(self, stack: Stack) -> None:
        message = stack.state.faults[self.name].memory.get("message")
        if message is not None:
            with self._client(stack) as client:
                client.lrem(self.queue, 0, message)
        with _celery(stack.variables[self.broker]) as app:
            app.control.add_consumer(self.queue, reply=True, timeout=_SECONDS)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        url = stack.variables[self.broker]
        return f"valkey-cli -u {url} DEL {self.queue}; celery -b {url} control add_consumer {self.queue}"

    def _client(self, stack: Stack) -> "Redis":
        from redis import Redis

        return Redis.from_url(stack.variables[self.broker], socket_timeout=5, decode_responses=True)


def _celery(broker: str) -> "Celery":
    from celery import Celery

    app = Celery("opsproof-stack", broker=broker, set_as_current=False)
    app.conf.broker_transport_options = {"socket_connect_timeout": _SECONDS, "socket_timeout": 2 * _SECONDS}
    return app
