"""
The cache at the DR site: cleared by prefix, and rebuilt.

A rehearsal writes to it by a client of its own that knows few commands (`SET`, `UNLINK` and five that read); the probe
`redis` of checks stays read-only, and nothing here can clear a whole server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from opsproof.errors import NoData, PreconditionMissing, Refused, Unreachable
from opsproof.probes.exposition import NotExposition, total
from opsproof.profile.recovered import Cache
from opsproof.profile.targets import address
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.site.door import Door, Reply

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

_ALLOWED = ("SCAN", "EXISTS", "TTL", "LRANGE", "INFO", "SET", "UNLINK")
_BATCH = 500
_SECONDS = 5.0
_SAMPLE = 200
_NEIGHBOUR = "opsproof:neighbour:"
_PLANT_SECONDS = 7 * 86400
_MISS = ("miss", "false", "0")
_HIT = ("hit", "true", "1")
_CLEARING = ("flushall", "flushdb", "swapdb")


@dataclass(frozen=True)
class Planted:
    """
    What was noted of the cache before the failure. Plain JSON by `asdict`, so that a rehearsal can be resumed.

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


@dataclass(frozen=True)
class Refilled:
    """
    How the cache became warm again.

    Attributes:
        misses: Requests that were not found in it; by the service's counters.
        hits: Requests that were.
        seconds: From the first request to the last.
        wrong: What is not as it must be.
    """

    misses: float
    hits: float
    seconds: float
    wrong: tuple[str, ...]


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

        def call() -> dict[str, Any]:
            with self._client() as ask:
                key, neighbour = f"{self._cache.prefix}opsproof-{self._token}", f"{_NEIGHBOUR}{self._token}"
                for one in (key, neighbour):
                    ask("SET", one, self._token, "EX", _PLANT_SECONDS)
                sample = tuple(islice(self._outside(ask), _SAMPLE))
                return asdict(Planted(key, neighbour, _clearings(ask), _run_id(ask), self._others(ask), sample))

        told = await self._ask("plant a key under the prefix, and one outside of it", "SET KEY VALUE", call)
        return Planted(**{**told, "sample": tuple(told["sample"])})

    async def clear(self) -> Cleared:
        """Remove every key under the prefix, by SCAN and UNLINK in batches; and no other."""

        def call() -> dict[str, Any]:
            begun, removed = time.monotonic(), 0
            with self._client() as ask:
                names = self._keys(ask, f"{_literally(self._cache.prefix)}*")
                while batch := list(islice(names, _BATCH)):
                    removed += int(ask("UNLINK", *batch))
            return asdict(Cleared(removed, round(time.monotonic() - begun, 3)))

        command = "UNLINK by SCAN, in batches"
        return Cleared(**await self._ask(f"remove the keys {self._cache.prefix}*", command, call))

    async def remembered(self, planted: Planted | None) -> list[str]:
        """Why the cache may still hold what it held before the failure."""
        before = self._must(planted)

        def call() -> dict[str, Any]:
            with self._client() as ask:
                there = int(ask("EXISTS", before.key))
                return {"planted": there, "keys": sum(1 for _ in self._keys(ask, f"{_literally(self._cache.prefix)}*"))}

        told = await self._ask(f"whether {before.key} is gone", f"EXISTS {before.key}", call)
        found = []
        if told["planted"]:
            found.append(f"the key that was planted before the failure is still there: {before.key} in {self._where()}")
        if told["keys"]:
            found.append(f"{told['keys']} keys are under {self._cache.prefix} in {self._where()}, before any request")
        return found

    async def gone_besides(self, planted: Planted | None) -> list[str]:
        """What was lost outside of the prefix: queues, sessions, locks, other systems' databases."""
        before = self._must(planted)

        def call() -> dict[str, Any]:
            with self._client() as ask:
                return {
                    "neighbour": int(ask("EXISTS", before.neighbour)),
                    "lost": [key for key in before.sample if not int(ask("EXISTS", key))],
                    "clearings": _clearings(ask),
                    "server": _run_id(ask),
                    "others": self._others(ask),
                }

        told = await self._ask("what is there outside of the prefix", "INFO keyspace", call)
        found = []
        if not told["neighbour"]:
            found.append(f"a key outside of the prefix is gone: {before.neighbour} in {self._where()}")
        if told["lost"]:
            some = ", ".join(told["lost"][:5])
            found.append(f"{len(told['lost'])} of {len(before.sample)} keys outside of the prefix are gone: {some}")
        if told["server"] != before.server:
            found.append(f"{self._where()} is another server than before, or was restarted: keys in memory are lost")
        elif told["clearings"] > before.clearings:
            times = told["clearings"] - before.clearings
            found.append(f"{self._where()} has seen {times} FLUSHALL, FLUSHDB or SWAPDB since: not by prefix")
        for number, keys in before.others.items():
            if keys > 0 and told["others"].get(number, 0) <= 0:
                found.append(f"database {number} of the same server had {keys} keys that last, and none now")
        return found

    async def refill(self, door: Door) -> Refilled:
        """
        Let the service fill its cache, by requests of a client: the first a miss, the second a hit, then warm.

        What is sent is taken back again (`delete` of the profile's request).
        """
        begun = time.monotonic()
        wrong: list[str] = []
        misses = hits = 0.0
        seen: list[str] = []
        for number in range(self._cache.requests):
            missed, hit, lines = await self._send(door)
            wrong += lines
            misses, hits = misses + missed, hits + hit
            seen.append("miss" if missed > 0 else "hit" if hit > 0 else "nothing")
            if time.monotonic() - begun > self._cache.within:
                wrong.append(f"not warm after {number + 1} requests and {self._cache.within:g} s")
                break
        seconds = round(time.monotonic() - begun, 3)
        wrong += _judged(seen, misses, hits, self._cache)
        if not await self._filled():
            wrong.append(f"no key under {self._cache.prefix} in {self._where()} after {len(seen)} requests")
        return Refilled(misses, hits, seconds, tuple(dict.fromkeys(wrong)))

    async def deceived(self, door: Door, primary: Node) -> list[str]:
        """What a cached answer, a fresh one and the database say differently of the same thing."""
        fill = self._cache.fill
        if not self._cache.same or not self._cache.passing:
            raise PreconditionMissing(
                "the profile does not say what a cached answer and a fresh one share",
                where="rehearsals.recovered.cache",
                next_step="Give `same`, and `passing` with the keys that pass the cache by.",
            )
        found: list[str] = []
        cached = await door.post(fill.submit, fill.body)
        fresh = await door.post(fill.submit, {**fill.body, **self._cache.passing})
        for reply in (cached, fresh):
            if not reply.ok:
                found.append(f"{reply.question}: status {reply.status}: {reply.text[:120]}")
        if found:
            return found
        for name in self._cache.same:
            one, other = cached.field(name), fresh.field(name)
            if one is None or one != other:
                found.append(f"{name} is {one!r} from the cache and {other!r} without it: {cached.question}")
        for reply in (cached, fresh):
            found += await self._stored(reply, primary)
            await self._take_back(door, reply)
        return found

    async def _stored(self, reply: Reply, primary: Node) -> list[str]:
        if not self._cache.value:
            return []
        found = reply.field(self._cache.fill.id_field)
        rows = await primary.rows(self._cache.value, id=found)
        if len(rows) != 1:
            return [f"{len(rows)} rows with the id {found} in the database: {reply.question} was answered by a cache"]
        return [
            f"{name} is {reply.field(name)!r} in the answer and {rows[0].get(name)!r} in the database (id {found})"
            for name in self._cache.same
            if str(rows[0].get(name)) != str(reply.field(name))
        ]

    async def _send(self, door: Door) -> tuple[float, float, list[str]]:
        """One request: misses and hits that it was, by what the answer says or else by the service's counters."""
        shown = self._cache.shown
        before = (0.0, 0.0) if shown else await self._counted(door)
        reply = await door.post(self._cache.fill.submit, self._cache.fill.body)
        if not reply.ok:
            return 0.0, 0.0, [f"{reply.question}: status {reply.status}: {reply.text[:120]}"]
        await self._take_back(door, reply)
        if not shown:
            after = await self._counted(door)
            return after[0] - before[0], after[1] - before[1], []
        told = reply.headers.get(shown.lower())
        said = str(reply.field(shown) if told is None else told).lower()
        if said.startswith(_MISS):
            return 1.0, 0.0, []
        return 0.0, float(said.startswith(_HIT)), []

    async def _take_back(self, door: Door, reply: Reply) -> None:
        fill = self._cache.fill
        if fill.delete and fill.id_field and (found := reply.field(fill.id_field)) is not None:
            await door.delete(fill.delete.replace("{id}", str(found)))

    async def _counted(self, door: Door) -> tuple[float, float]:
        """Misses and hits that all addresses of the service have counted."""
        misses = hits = 0.0
        for at in await door.addresses():
            reply = await door.get(self._cache.exposition, address=at)
            try:
                told = [total(reply.text, name) for name in (self._cache.misses, self._cache.hits)]
            except NotExposition:
                told = [None, None]
            if not reply.ok or told == [None, None]:
                raise NoData(
                    f"status {reply.status}, and neither {self._cache.misses} nor {self._cache.hits}",
                    where=reply.question,
                    next_step="Correct `exposition`, `misses` and `hits` of rehearsals.recovered.cache.",
                )
            misses, hits = misses + (told[0] or 0), hits + (told[1] or 0)
        return misses, hits

    async def _filled(self) -> int:
        def call() -> int:
            with self._client() as ask:
                return sum(1 for _ in self._keys(ask, f"{_literally(self._cache.prefix)}*"))

        return await self._ask(f"keys under {self._cache.prefix}", f"--scan --pattern '{self._cache.prefix}*'", call)

    async def ids(self, pattern: str) -> list[str]:
        """What stands for the * in every key of a pattern."""
        head, _, tail = pattern.partition("*")

        def call() -> list[str]:
            with self._client() as ask:
                found = self._keys(ask, f"{_literally(head)}*{_literally(tail)}")
                return sorted(key[len(head) : len(key) - len(tail)] for key in found)

        return await self._ask(f"keys {pattern}", f"--scan --pattern '{pattern}'", call)

    async def queued(self, key: str) -> list[str]:
        """The elements of a list, in batches."""

        def call() -> list[str]:
            found: list[str] = []
            with self._client() as ask:
                while batch := ask("LRANGE", key, len(found), len(found) + _BATCH - 1):
                    found += batch
            return found

        return await self._ask(f"elements of {key}", f"LRANGE {key} 0 {_BATCH - 1}", call)

    async def _ask(self, text: str, command: str, call: Callable[[], T]) -> T:
        by_hand = f"redis-cli -u {self._where()} {command}"
        return await self._asking.ask(f"cache: {text} ({self._where()})", by_hand, call)

    def _where(self) -> str:
        return address(self._cache.url)

    def _must(self, planted: Planted | None) -> Planted:
        if planted is not None:
            return planted
        raise PreconditionMissing(
            "no key was planted before the failure, so that nothing tells whether the cache was cleared",
            where=self._where(),
            next_step="Plant one in the next rehearsal, before its failure.",
        )

    def _keys(self, ask: Any, pattern: str) -> Iterator[str]:
        cursor = "0"
        while True:
            cursor, names = ask("SCAN", cursor, "MATCH", pattern, "COUNT", _BATCH)
            yield from names
            if str(cursor) == "0":
                return

    def _outside(self, ask: Any) -> Iterator[str]:
        """Keys outside of the prefix that no end of life takes away."""
        for key in islice(self._keys(ask, "*"), 20 * _SAMPLE):
            if not key.startswith((self._cache.prefix, _NEIGHBOUR)) and int(ask("EXISTS", key)) and _lasts(ask, key):
                yield key

    def _others(self, ask: Any) -> dict[str, int]:
        own = self._cache.url.get_secret_value().rpartition("/")[2].partition("?")[0]
        number = own if own.isdecimal() else "0"
        told = _info(ask, "keyspace")
        counts = {name.removeprefix("db"): dict(pair.split("=", 1) for pair in text.split(",")) for name, text in told}
        return {
            name: int(count.get("keys", 0)) - int(count.get("expires", 0))
            for name, count in counts.items()
            if name != number
        }

    @contextmanager
    def _client(self) -> Iterator[Any]:
        from redis import Redis, exceptions
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        made: Redis = Redis.from_url(
            self._cache.url.get_secret_value(),
            decode_responses=True,
            encoding_errors="backslashreplace",
            client_name="opsproof-rehearsal",
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=_SECONDS,
            socket_timeout=_SECONDS,
        )
        made.response_callbacks.clear()
        try:
            yield _allowed(made)
        except (exceptions.RedisError, OSError) as exc:
            raise Unreachable(
                f"{type(exc).__name__}: {exc}",
                where=self._where(),
                next_step="See whether the cache of the DR site runs, takes writes, and knows this credential.",
            ) from None
        finally:
            made.close()


def _allowed(made: Redis) -> Any:
    """Sends a command of the list above, and no other."""

    def ask(command: str, *arguments: Any) -> Any:
        if command not in _ALLOWED:
            raise Refused(
                f"{command} is none of the commands that a rehearsal sends to a cache",
                where=", ".join(_ALLOWED),
                next_step="Clear by prefix.",
            )
        return made.execute_command(command, *arguments)  # type: ignore[no-untyped-call]

    return ask


def _lasts(ask: Any, key: str) -> bool:
    return int(ask("TTL", key)) == -1


def _info(ask: Any, section: str) -> list[tuple[str, str]]:
    lines = str(ask("INFO", section)).splitlines()
    return [(name, text) for name, _, text in (line.partition(":") for line in lines) if text]


def _clearings(ask: Any) -> int:
    told = dict(_info(ask, "commandstats"))
    calls = (told.get(f"cmdstat_{name}", "calls=0") for name in _CLEARING)
    return sum(int(text.partition("calls=")[2].partition(",")[0] or 0) for text in calls)


def _run_id(ask: Any) -> str:
    return dict(_info(ask, "server")).get("run_id", "")


def _literally(text: str) -> str:
    """A pattern that means this text."""
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in text)


def _judged(seen: list[str], misses: float, hits: float, cache: Cache) -> list[str]:
    found = []
    told = f"{cache.misses} +{misses:g}, {cache.hits} +{hits:g} in {len(seen)} requests"
    if seen[:1] != ["miss"]:
        found.append(f"the first request after clearing was no miss but {(seen or ['nothing'])[0]} ({told})")
    if seen[1:2] != ["hit"]:
        found.append(f"the second request was no hit but {(seen[1:] or ['nothing'])[0]} ({told})")
    if misses + hits <= 0 or hits / (misses + hits) < cache.hit_share:
        share = 0.0 if misses + hits <= 0 else hits / (misses + hits)
        found.append(f"the cache is not warm: {share:.0%} hits, {cache.hit_share:.0%} are agreed ({told})")
    return found
