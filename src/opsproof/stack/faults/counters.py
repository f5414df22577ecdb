"""Counters in Valkey that say something else than what happened."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from typing_extensions import override

from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.seen import Seen
from opsproof.stack.stack import Stack
from opsproof.stack.state import edit_state

if TYPE_CHECKING:
    from redis import Redis


@dataclass(frozen=True)
class CountersSet(Fault):
    """
    Keys of a system's cache have other values; what they were is kept in the fault's note.

    Args:
        cache: The variable that has the cache's address.
        values: The keys and what they are set to, made when the fault is injected.
        seen: Whether the system's numbers show it.
    """

    name: str
    title: str
    systems: frozenset[str]
    cache: str
    values: Callable[[], Mapping[str, int]]
    seen: Seen
    group: str = "cache"

    @override
    def inject(self, stack: Stack) -> None:
        wanted = dict(self.values())
        with self._client(stack) as client:
            before = dict(zip(wanted, client.mget(list(wanted)), strict=True))
            with edit_state(stack.directory) as state:
                state.faults[self.name].memory["before"] = before
            client.mset(wanted)

    @override
    def in_force(self, stack: Stack) -> bool:
        return all(self.seen(stack, system) for system in self.systems)

    @override
    def heal(self, stack: Stack) -> None:
        before: dict[str, str | None] = stack.state.faults[self.name].memory.get("before", {})
        with self._client(stack) as client:
            for key, value in before.items():
                if value is None:
                    client.delete(key)
                else:
                    client.set(key, value, keepttl=True)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        keys = " ".join(list(stack.state.faults[self.name].memory.get("before", {}))[:3])
        return f"valkey-cli -u {stack.variables[self.cache]} DEL {keys} ..."

    def _client(self, stack: Stack) -> "Redis":
        from redis import Redis

        return Redis.from_url(stack.variables[self.cache], socket_timeout=5, decode_responses=True)


def today(key: str, value: int, timezone: str) -> Callable[[], Mapping[str, int]]:
    """One key with today's date behind it."""
    return lambda: {f"{key}{datetime.now(ZoneInfo(timezone)):%Y-%m-%d}": value}


def each_second(key: str, value: int, *, before: int, after: int) -> Callable[[], Mapping[str, int]]:
    """One key for each second from `before` seconds ago to `after` seconds from now."""

    def values() -> Mapping[str, int]:
        now = int(time.time())
        return {f"{key}{second}": value for second in range(now - before, now + after)}

    return values
