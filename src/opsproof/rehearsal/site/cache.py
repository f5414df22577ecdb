"""The cache at the DR site: what was planted before the failure, what was cleared, and what must have survived."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, TypeVar

from opsproof.errors import PreconditionMissing
from opsproof.profile.recovered import Cache
from opsproof.profile.targets import address
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.site.cache_client import BATCH, CacheClient, cache_client

T = TypeVar("T")

_SAMPLE = 200
_NEIGHBOUR = "opsproof:neighbour:"
_PLANT_SECONDS = 7 * 86400


@dataclass(frozen=True)
class Planted:
    """
    What was noted of the cache before the failure.

    Attributes:
        key: The planted key, under the prefix.
        neighbour: A planted key outside of the prefix, which must survive.
        clearings: FLUSHALL, FLUSHDB and SWAPDB that the server has seen in its life.
        server: Its run id; another one is another server, or a restarted one.
        others: Keys in every other database of the server, by its number.
        sample: Names of keys outside of the prefix that have no end of life.
    """

    key: str
    neighbour: str
    clearings: int
    server: str
    others: dict[str, int]
    sample: tuple[str, ...]


@dataclass(frozen=True)
class Cleared:
    """How many keys under the prefix were removed, in how many seconds."""

    keys: int
    seconds: float


class CacheKeeper:
    """
    Plants, clears and looks.

    Args:
        cache: The cache as the profile describes it.
        asking: Keeps the answers.
        token: Of this rehearsal; part of the planted keys.
    """

    def __init__(self, cache: Cache, asking: Asking, token: str) -> None:
        self._cache = cache
        self._asking = asking
        self._token = token

    async def plant(self) -> Planted:
        """Before the failure: put one key under the prefix and one outside of it, and note the rest of the server."""
        key, neighbour = f"{self._cache.prefix}opsproof-{self._token}", f"{_NEIGHBOUR}{self._token}"

        def call() -> dict[str, Any]:
            with cache_client(self._cache.url) as client:
                for one in (key, neighbour):
                    client.ask("SET", one, self._token, "EX", _PLANT_SECONDS)
                return self._noted(client, key, neighbour)

        return _planted(await self._ask("plant a key under the prefix, and one outside of it", "SET KEY VALUE", call))

    async def noted_again(self, planted: Planted | None) -> Planted:
        """Right before clearing: note the rest of the server again, for queues are worked off in the meantime."""
        before = self._must(planted)

        def call() -> dict[str, Any]:
            with cache_client(self._cache.url) as client:
                return self._noted(client, before.key, before.neighbour)

        return _planted(await self._ask("note what is outside of the prefix", "INFO keyspace", call))

    def _noted(self, client: CacheClient, key: str, neighbour: str) -> dict[str, Any]:
        sample = tuple(islice(self._outside(client), _SAMPLE))
        return asdict(Planted(key, neighbour, client.clearings(), client.run_id(), client.others(), sample))

    async def clear(self) -> Cleared:
        """Remove every key under the prefix, by SCAN and UNLINK in batches; and no other."""

        def call() -> dict[str, Any]:
            begun, removed = time.monotonic(), 0
            with cache_client(self._cache.url) as client:
                names = client.keys(self._cache.prefix)
                while batch := list(islice(names, BATCH)):
                    removed += int(client.ask("UNLINK", *batch))
            return asdict(Cleared(removed, round(time.monotonic() - begun, 3)))

        command = "UNLINK by SCAN, in batches"
        return Cleared(**await self._ask(f"remove the keys {self._cache.prefix}*", command, call))

    async def remembered(self, planted: Planted | None) -> list[str]:
        """Why the cache may still hold what it held before the failure."""
        before = self._must(planted)

        def call() -> dict[str, Any]:
            with cache_client(self._cache.url) as client:
                return {"planted": client.has(before.key), "keys": len(set(client.keys(self._cache.prefix)))}

        told = await self._ask(f"whether {before.key} is gone", f"EXISTS {before.key}", call)
        found = []
        if told["planted"]:
            found.append(f"the key that was planted before the failure is still there: {before.key} in {self.where}")
        if told["keys"]:
            found.append(f"{told['keys']} keys are under {self._cache.prefix} in {self.where}, before any request")
        return found

    async def gone_besides(self, planted: Planted | None) -> list[str]:
        """What was lost outside of the prefix: queues, sessions, locks, other systems' databases."""
        before = self._must(planted)

        def call() -> dict[str, Any]:
            with cache_client(self._cache.url) as client:
                return {
                    "neighbour": client.has(before.neighbour),
                    "lost": [key for key in before.sample if not client.has(key)],
                    "clearings": client.clearings(),
                    "server": client.run_id(),
                    "others": client.others(),
                }

        told = await self._ask("what is there outside of the prefix", "INFO keyspace", call)
        found = []
        if not told["neighbour"]:
            found.append(f"a key outside of the prefix is gone: {before.neighbour} in {self.where}")
        if told["lost"]:
            some = ", ".join(told["lost"][:5])
            found.append(f"{len(told['lost'])} of {len(before.sample)} keys outside of the prefix are gone: {some}")
        if told["server"] != before.server and not told["neighbour"]:
            found.append(f"{self.where} is another server than before, or was restarted: keys in memory are lost")
        if told["server"] == before.server and told["clearings"] > before.clearings:
            times = told["clearings"] - before.clearings
            found.append(f"{self.where} has seen {times} FLUSHALL, FLUSHDB or SWAPDB since: not by prefix")
        for number, keys in before.others.items():
            if keys > 0 and told["others"].get(number, 0) <= 0:
                found.append(f"database {number} of the same server had {keys} keys that last, and none now")
        return found

    async def filled(self) -> int:
        """How many keys are under the prefix."""

        def call() -> int:
            with cache_client(self._cache.url) as client:
                return len(set(client.keys(self._cache.prefix)))

        return await self._ask(f"keys under {self._cache.prefix}", f"--scan --pattern '{self._cache.prefix}*'", call)

    async def ids(self, pattern: str) -> list[str]:
        """What stands for the * in every key of a pattern."""
        head, _, tail = pattern.partition("*")

        def call() -> list[str]:
            with cache_client(self._cache.url) as client:
                return sorted({key[len(head) : len(key) - len(tail)] for key in client.keys(head, tail)})

        return await self._ask(f"keys {pattern}", f"--scan --pattern '{pattern}'", call)

    async def queued(self, key: str) -> list[str]:
        """The elements of a list, in batches."""

        def call() -> list[str]:
            found: list[str] = []
            with cache_client(self._cache.url) as client:
                while batch := client.ask("LRANGE", key, len(found), len(found) + BATCH - 1):
                    found += batch
            return found

        return await self._ask(f"elements of {key}", f"LRANGE {key} 0 {BATCH - 1}", call)

    async def _ask(self, text: str, command: str, call: Callable[[], T]) -> T:
        by_hand = f"redis-cli -u {self.where} {command}"
        return await self._asking.ask(f"cache: {text} ({self.where})", by_hand, call)

    @property
    def where(self) -> str:
        """The cache's address, as sentences name it."""
        return address(self._cache.url)

    def _must(self, planted: Planted | None) -> Planted:
        if planted is not None:
            return planted
        raise PreconditionMissing(
            "no key was planted before the failure, so that nothing tells whether the cache was cleared",
            where=self.where,
            next_step="Plant one in the next rehearsal, before its failure.",
        )

    def _outside(self, client: CacheClient) -> Iterator[str]:
        """Keys outside of the prefix that no end of life takes away."""
        for key in islice(client.keys(""), 20 * _SAMPLE):
            if not key.startswith((self._cache.prefix, _NEIGHBOUR)) and client.lasts(key):
                yield key


def _planted(told: dict[str, Any]) -> Planted:
    return Planted(**{**told, "sample": tuple(told["sample"])})
