"""Whether people can work again (runbook 001, 5.2 phase 6): through the public name, as the service's clients."""

from __future__ import annotations

import asyncio
import email.utils
import json
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from opsproof.errors import NoData, NotObserved, PreconditionMissing
from opsproof.profile.recovered import Release
from opsproof.profile.sections import Chart, Exchange, Work
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.site.door import Door, Reply

_PAUSE = 0.2
_REPRESENTATIVE = 3
_ASKS_PER_REPLICA = 5


class Business:
    """
    Does what people do, and takes it back.

    Args:
        door: The way into the service.
        primary: The new primary, where what was done must be stored.
        token: Of this rehearsal; the marker in what is sent.
    """

    def __init__(self, door: Door, primary: Node, token: str) -> None:
        self._door = door
        self._primary = primary
        self._token = token

    async def undone(self, exchanges: Mapping[str, Exchange], *, least: int = 1) -> list[str]:
        """
        What went wrong with requests that do something: their answers, and what they must have stored.

        Args:
            exchanges: By name.
            least: With fewer of them nothing is shown; the runbook asks for 3 representative judgments.
        """
        if len(exchanges) < least:
            raise PreconditionMissing(
                f"the profile names {len(exchanges)} requests, and {least} are needed",
                where="decisions of the profile",
                next_step="Name what is representative of the service's work.",
            )
        found: list[str] = []
        for name, exchange in exchanges.items():
            found += [f"{name}: {line}" for line in await self._exchange(exchange)]
        return found

    async def _exchange(self, exchange: Exchange) -> list[str]:
        reply = await self._door.post(exchange.submit, exchange.body)
        if not reply.ok:
            return [_refused(reply)]
        found = [
            f"{name} is {reply.field(name)!r}, and must be {value!r} ({reply.question})"
            for name, value in exchange.expect.items()
            if reply.field(name) != value
        ]
        found += [f"{name} has no value ({reply.question})" for name in exchange.fields if not _has(reply.field(name))]
        if not exchange.id_field:
            return found
        stored = reply.field(exchange.id_field)
        if stored is None:
            return [*found, f"no {exchange.id_field} in the answer ({reply.question})"]
        if exchange.stored and not await self._primary.value(exchange.stored, id=stored):
            found.append(f"{stored} was answered and is not in the database of the new primary ({reply.question})")
        if exchange.delete:
            await self._door.delete(exchange.delete.replace("{id}", str(stored)))
        return found

    async def unfinished(self, works: Iterable[Work]) -> list[str]:
        """What became of workflows that did not come to their end in time."""
        listed = list(works)
        if not listed:
            raise PreconditionMissing(
                "the profile names no work", where="work of the profile", next_step="Name RCA and notification (5.2)."
            )
        done = await asyncio.gather(*(self._work(one) for one in listed))
        return [line for lines in done for line in lines]

    async def _work(self, work: Work) -> list[str]:
        body = json.loads(json.dumps(work.body).replace("{marker}", f"opsproof-{self._token}"))
        reply = await self._door.post(work.submit, body)
        if not reply.ok:
            return [f"{work.name}: {_refused(reply)}"]
        found = reply.field(work.id_field)
        if found is None:
            return [f"{work.name}: no {work.id_field} in the answer ({reply.question})"]
        path = work.status.replace("{id}", str(found))
        until = time.monotonic() + work.within
        state = await self._state(path, work.status_field)
        while state not in (*work.succeeded, *work.failed) and time.monotonic() < until:
            await asyncio.sleep(_PAUSE)
            state = await self._state(path, work.status_field)
        await self._door.delete(work.delete.replace("{id}", str(found)))
        if state in work.succeeded:
            return []
        return [f"{work.name}: {state} after {work.within:g} s, and must be {' or '.join(work.succeeded)} ({found})"]

    async def _state(self, path: str, name: str) -> str:
        reply = await self._door.get(path)
        return str(reply.field(name)) if reply.ok else f"status {reply.status}"

    async def empty(self, charts: Mapping[str, Chart]) -> list[str]:
        """Dashboards without data, or without what describes them."""
        if not charts:
            raise PreconditionMissing(
                "the profile names no chart", where="decisions.charts", next_step="Name a question of the dashboards."
            )
        found: list[str] = []
        for name, chart in charts.items():
            reply = await self._door.get(chart.path)
            if not reply.ok:
                found.append(f"{name}: {_refused(reply)}")
                continue
            if not _has(reply.field(chart.rows)):
                found.append(f"{name}: no data in {chart.rows} ({reply.question})")
            found += [
                f"{name}: {one} has no value ({reply.question})" for one in chart.fields if not _has(reply.field(one))
            ]
        return found

    async def otherwise(self, release: Release, version: str | None) -> list[str]:
        """
        Why what answers is not the release that must run at the DR site, in its number of replicas, and healthy.

        Args:
            version: The version of the home site, noted before the failure; None where nobody noted it.
        """
        if version is None:
            raise PreconditionMissing(
                "the version of the home site was not noted before the failure",
                where=release.path,
                next_step="Note it before the failure of the next rehearsal.",
            )
        found: list[str] = []
        instances: set[str] = set()
        for _ in range(_ASKS_PER_REPLICA * release.replicas):
            reply = await self._door.get(release.path)
            if not reply.ok:
                return [_refused(reply)]
            if (told := reply.field(release.version)) != version:
                found.append(f"version {told!r} answers, the home site had {version!r} ({reply.question})")
            instances.add(str(reply.field(release.instance)))
        if len(instances) < release.replicas:
            found.append(f"{len(instances)} replicas answer, {release.replicas} must: {', '.join(sorted(instances))}")
        for at in await self._door.addresses():
            reply = await self._door.get(release.health, address=at)
            if reply.status != 200 or reply.field("status") != release.healthy:
                found.append(f"not {release.healthy}: {_refused(reply)}")
        return list(dict.fromkeys(found))

    async def skewed(self, limit: float) -> list[str]:
        """Clocks of the DR site that are off: the database's, and the service's by its Date header (whole seconds)."""
        found: list[str] = []
        begun = datetime.now(UTC)
        told = datetime.fromisoformat(str(await self._primary.value("SELECT clock_timestamp() AS now")))
        found += _apart(f"clock of the database {self._primary.name}", told, begun, datetime.now(UTC), limit, 0)
        for at in await self._door.addresses():
            begun = datetime.now(UTC)
            reply = await self._door.get("/", address=at)
            ended = datetime.now(UTC)
            try:
                said = email.utils.parsedate_to_datetime(reply.headers["date"])
            except (KeyError, ValueError):
                continue
            found += _apart(f"clock of the service at {at}", said, begun, ended, limit, 1)
        return found


def representative(judgments: Mapping[str, Exchange], fallback: Exchange | None) -> tuple[dict[str, Exchange], int]:
    """The judgments that phase 6 asks for, and how many there must be."""
    return {**judgments, **({"fallback": fallback} if fallback else {})}, _REPRESENTATIVE


def _apart(who: str, told: datetime, begun: datetime, ended: datetime, limit: float, rounded: float) -> list[str]:
    """A clock that was read between two readings of ours; `rounded` seconds are cut off."""
    behind = (begun - told).total_seconds() - rounded
    ahead = (told - ended).total_seconds()
    off = max(behind, ahead)
    if off <= limit:
        return []
    return [f"{who} is {off:.1f} s {'behind' if behind > ahead else 'ahead'}, agreed are {limit:g} s"]


def _has(value: Any) -> bool:
    return value is not None and value not in ("", [], {})


def _refused(reply: Reply) -> str:
    return f"{reply.question}: status {reply.status}: {reply.text[:120]}"


async def release_of(api: Door, release: Release) -> str:
    """
    The version that a site runs, by its own address; noted before the failure.

    Raises:
        NotObserved: There is none to note.
    """
    reply = await api.get(release.path)
    found = reply.field(release.version) if reply.ok else None
    if found is None:
        missing: NotObserved = NoData(
            f"status {reply.status} and no {release.version}",
            where=reply.question,
            next_step="Correct rehearsals.recovered.release.",
        )
        raise missing
    return str(found)
