"""How the service fills its cache again, and whether what comes out of it is true."""

from __future__ import annotations

import time
from dataclasses import dataclass

from opsproof.errors import NoData, PreconditionMissing
from opsproof.probes.exposition import NotExposition, total
from opsproof.profile.recovered import Cache
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.site.cache import CacheKeeper
from opsproof.rehearsal.site.door import Door, Reply

_MISS = ("miss", "false", "0")
_HIT = ("hit", "true", "1")


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


class Refill:
    """
    Asks the service for what it keeps in its cache.

    Args:
        cache: The cache as the profile describes it.
        keeper: Looks at the cache itself.
        door: The way into the service.
    """

    def __init__(self, cache: Cache, keeper: CacheKeeper, door: Door) -> None:
        self._cache = cache
        self._keeper = keeper
        self._door = door

    async def refill(self) -> Refilled:
        """
        Let the service fill its cache, by requests of a client: the first a miss, the second a hit, then warm.

        What is sent is taken back again (`delete` of the profile's request).
        """
        begun = time.monotonic()
        wrong: list[str] = []
        misses = hits = 0.0
        seen: list[str] = []
        for number in range(self._cache.requests):
            missed, hit, lines = await self._send()
            wrong += lines
            misses, hits = misses + missed, hits + hit
            seen.append("miss" if missed > 0 else "hit" if hit > 0 else "nothing")
            if time.monotonic() - begun > self._cache.within:
                wrong.append(f"not warm after {number + 1} requests and {self._cache.within:g} s")
                break
        seconds = round(time.monotonic() - begun, 3)
        wrong += _judged(seen, misses, hits, self._cache)
        if not await self._keeper.filled():
            wrong.append(f"no key under {self._cache.prefix} in {self._keeper.where} after {len(seen)} requests")
        return Refilled(misses, hits, seconds, tuple(dict.fromkeys(wrong)))

    async def deceived(self, primary: Node) -> list[str]:
        """What a cached answer, a fresh one and the database say differently of the same thing."""
        fill = self._cache.fill
        if not self._cache.same or not self._cache.passing:
            raise PreconditionMissing(
                "the profile does not say what a cached answer and a fresh one share",
                where="rehearsals.recovered.cache",
                next_step="Give `same`, and `passing` with the keys that pass the cache by.",
            )
        found: list[str] = []
        cached = await self._door.post(fill.submit, fill.body)
        fresh = await self._door.post(fill.submit, {**fill.body, **self._cache.passing})
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
            await self._take_back(reply)
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

    async def _send(self) -> tuple[float, float, list[str]]:
        """One request: misses and hits that it was, by what the answer says or else by the service's counters."""
        shown = self._cache.shown
        before = (0.0, 0.0) if shown else await self._counted()
        reply = await self._door.post(self._cache.fill.submit, self._cache.fill.body)
        if not reply.ok:
            return 0.0, 0.0, [f"{reply.question}: status {reply.status}: {reply.text[:120]}"]
        await self._take_back(reply)
        if not shown:
            after = await self._counted()
            return after[0] - before[0], after[1] - before[1], []
        told = reply.headers.get(shown.lower())
        said = str(reply.field(shown) if told is None else told).lower()
        if said.startswith(_MISS):
            return 1.0, 0.0, []
        return 0.0, float(said.startswith(_HIT)), []

    async def _take_back(self, reply: Reply) -> None:
        fill = self._cache.fill
        if fill.delete and fill.id_field and (found := reply.field(fill.id_field)) is not None:
            await self._door.delete(fill.delete.replace("{id}", str(found)))

    async def _counted(self) -> tuple[float, float]:
        """Misses and hits that all addresses of the service have counted."""
        misses = hits = 0.0
        for at in await self._door.addresses():
            reply = await self._door.get(self._cache.exposition, address=at)
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
