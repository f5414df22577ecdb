"""Faults of Valkey's settings: it runs, and refuses."""

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from opsproof.stack.faults.fault import Fault
from opsproof.stack.ports import HOST
from opsproof.stack.stack import Stack
from opsproof.stack.state import edit_state

if TYPE_CHECKING:
    from redis import Redis


_NOBODY = 1
"""A port of this machine where nobody listens."""


@dataclass(frozen=True)
class PasswordRequired(Fault):
    """Valkey wants a password that nobody has; connections of before are closed."""

    name: str
    title: str
    systems: frozenset[str]
    group: str = "cache"

    @override
    def inject(self, stack: Stack) -> None:
        password = secrets.token_urlsafe(24)
        with edit_state(stack.directory) as state:
            state.faults[self.name].memory["password"] = password
        with _client(stack) as client:
            client.config_set("requirepass", password)
        with _client(stack, password) as client:
            for kind in ("normal", "pubsub"):
                client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")

    @override
    def in_force(self, stack: Stack) -> bool:
        from redis.exceptions import AuthenticationError, RedisError

        with _client(stack) as client:
            try:
                client.ping()
            except AuthenticationError:
                return True
            except RedisError:
                return False
        return False

    @override
    def heal(self, stack: Stack) -> None:
        from redis.exceptions import AuthenticationError

        password = stack.state.faults[self.name].memory.get("password")
        try:
            with _client(stack, password) as client:
                client.config_set("requirepass", "")
        except AuthenticationError:  # it was restarted meanwhile and wants none: healed already
            return

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        port = stack.plan.ports["valkey"]
        return (
            f'valkey-cli -p {port} -a PASSWORD CONFIG SET requirepass ""'
            f" (PASSWORD: faults.{self.name}.memory in {stack.directory}/stack.json)"
        )


@dataclass(frozen=True)
class MemoryFull(Fault):
    """Valkey has no memory left and evicts nothing: reads work, writes fail with OOM."""

    name: str
    title: str
    systems: frozenset[str]
    group: str = "cache"

    @override
    def inject(self, stack: Stack) -> None:
        with _client(stack) as client:
            before = {name: client.config_get(name)[name] for name in ("maxmemory-policy", "maxmemory")}
            with edit_state(stack.directory) as state:
                state.faults[self.name].memory["settings"] = before
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "1")

    @override
    def in_force(self, stack: Stack) -> bool:
        from redis.exceptions import OutOfMemoryError, RedisError

        with _client(stack) as client:
            try:
                client.set("opsproof:fault:probe", "1", px=1)
            except OutOfMemoryError:
                return True
            except RedisError:
                return False
        return False

    @override
    def heal(self, stack: Stack) -> None:
        with _client(stack) as client:
            for name, value in stack.state.faults[self.name].memory.get("settings", {}).items():
                client.config_set(name, value)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f"valkey-cli -p {stack.plan.ports['valkey']} CONFIG SET maxmemory 0"


@dataclass(frozen=True)
class Replica(Fault):
    """Valkey follows a master that is not there, as after a failover that went wrong: reads work, writes fail."""

    name: str
    title: str
    systems: frozenset[str]
    group: str = "cache"

    @override
    def inject(self, stack: Stack) -> None:
        with _client(stack) as client:
            client.replicaof(HOST, str(_NOBODY))

    @override
    def in_force(self, stack: Stack) -> bool:
        from redis.exceptions import ReadOnlyError, RedisError

        with _client(stack) as client:
            try:
                client.set("opsproof:fault:probe", "1", px=1)
            except ReadOnlyError:
                return True
            except RedisError:
                return False
        return False

    @override
    def heal(self, stack: Stack) -> None:
        with _client(stack) as client:
            client.replicaof("NO", "ONE")

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f"valkey-cli -p {stack.plan.ports['valkey']} REPLICAOF NO ONE"


def _client(stack: Stack, password: str | None = None) -> "Redis":
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    host, _, port = stack.plan.address("valkey").rpartition(":")
    return Redis(
        host=host,
        port=int(port),
        password=password,
        socket_timeout=2,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 0),
    )
