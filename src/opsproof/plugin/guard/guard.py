"""The payload guard of one check."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from opsproof.errors import PreconditionMissing
from opsproof.judge.payload import Judge
from opsproof.plugin.cleaning import CleanUp
from opsproof.plugin.environment import Environment
from opsproof.plugin.guard.findings import Findings
from opsproof.plugin.guard.way import Way
from opsproof.profile.payload import Payload, Taker
from opsproof.profile.payload_framing import RawCase
from opsproof.profile.payload_plan import BatchCase, BatchPart, RawPart, SizeCase, SizePart, SlowPart

_AT_ONCE = 8
_PATIENCE = 4
_TRICKLE = 0.25
_SLOW_AT_ONCE = 3
_LONGEST_TENANT = 64


class PayloadGuard:
    """
    Sends what the plan of the profile has for a check, and says what is wrong with what came.

    Args:
        environment: The one that is checked.
        run_id: Id of the run; part of everything that may be stored.
        clean_up: That of the check.
    """

    def __init__(self, environment: Environment, run_id: str, clean_up: CleanUp) -> None:
        profile = environment.profile
        if profile.payload is None:
            raise RuntimeError("the fixture `guard` is for checks that need `payload`")
        self._environment = environment
        self._payload: Payload = profile.payload
        self._clean_up = clean_up
        self._run_id = run_id

    async def sizes(self, name: str, part: SizePart) -> Findings:
        """Send bodies of certain sizes; `name` tells the check's rows from those of others."""
        self._tells_enough(part, all_of_it=name != "sizes")
        way = self._way(part.hop, f"{name}-{part.hop}-{part.endpoint.name}")
        findings = self._begun(way.tenant, part.left_out)

        async def one(number: int, case: SizeCase) -> bool:
            key = str(number)
            seen = await way.send(way.sized(part.endpoint, case, key))
            wrong = way.judge.of_size(case, seen, way.request_id(key))
            findings.add(f"{case.name} ({case.size} bytes)", wrong, seen.question)
            if case.right == "taken" and seen.ok:
                findings.took(1)
            return self._took_long(seen.elapsed)

        await self._all(findings, way, part.cases, one)
        return await self._counted(findings, way.tenant)

    async def batches(self, name: str, part: BatchPart) -> Findings:
        """Send lists; as `sizes`."""
        from opsproof.probes.wire import TooSmall

        self._tells_enough(part, all_of_it=name != "batches")
        way = self._way(part.hop, f"{name}-lists-{part.hop}-{part.endpoint.name}")
        findings = self._begun(way.tenant, part.left_out)

        async def one(number: int, case: BatchCase) -> bool:
            key = str(number)
            try:
                request = way.listed(part.endpoint, case, key)
            except TooSmall as exc:
                print(f"{case.name} is not sent: {exc}")  # noqa: T201 - the check's output
                return False
            size = request.body.size
            if case.size == 0 and size > self._payload.limit_at(part.hop):
                print(f"{case.name} is not sent: its {size} bytes are over the limit in bytes")  # noqa: T201
                return False
            seen = await way.send(request)
            wrong = way.judge.of_batch(case, seen, way.request_id(key))
            findings.add(f"{case.name} ({case.items} items, {size} bytes)", wrong, seen.question)
            if seen.ok:
                findings.took(case.stored if case.right == "taken" else 0, case.stored)
            return self._took_long(seen.elapsed)

        await self._all(findings, way, part.cases, one)
        return await self._counted(findings, way.tenant)

    async def malformed(self, part: RawPart) -> Findings:
        """Send requests whose framing is wrong."""
        self._tells_enough(part, all_of_it=True)
        way = self._way(part.hop, f"framing-{part.hop}")
        findings = self._begun(way.tenant, part.left_out)
        control = await way.send(way.small(part.endpoint, "control"))
        if not control.ok:
            findings.add("the same body, framed well", [f"gets {control.says}"], control.question)
            return await self._counted(findings, way.tenant)
        findings.took(1)

        async def one(number: int, case: RawCase) -> bool:
            seen = await way.send(way.raw(part.endpoint, case, str(number)))
            may_take = case.may_take or (case.cuts and "octets" in part.endpoint.takes)
            findings.add(case.name, way.judge.of_framing(case, seen, may_take=may_take), seen.question)
            if seen.ok and may_take:
                findings.took(1)
            return self._took_long(seen.elapsed)

        await self._all(findings, way, part.cases, one)
        return await self._counted(findings, way.tenant)

    async def slow(self, part: SlowPart) -> Findings:
        """Let bodies trickle in at every hop at once, and see who else is served meanwhile."""
        hops = [case.hop for case in part.cases if not self._absent(case.hop)]
        if not hops:
            pytest.skip(self._absent(part.cases[0].hop))
        ways = [self._way(hop, "slow") for hop in hops]
        findings = self._begun(ways[0].tenant, part.left_out)
        await asyncio.gather(*(self._slow_at(findings, way, part.endpoint) for way in ways))
        return await self._counted(findings, ways[0].tenant)

    async def kept_memory(self, part: SizePart) -> Findings:
        """Send the same refused bodies several times over, and see whether memory grows with them, every time."""
        memory = self._payload.memory
        if memory is None:
            raise RuntimeError("`kept_memory` is for checks that need `payload.memory`")
        api: Any = self._environment.probe(self._payload.hops[part.hop].target)
        marks = []
        for _ in range(part.rounds):
            findings = await self.sizes("memory", part)
            if findings.wrong:
                return findings
            marks.append((await api.get(memory.path, fresh=True)).metric(memory.metric))
        grown, sent = min(later - earlier for earlier, later in pairwise(marks)), part.bytes // part.rounds
        if grown > sent / 2:
            told = f"resident memory grows by {grown:.0f} bytes with every {part.requests // part.rounds} refusals"
            findings.add(f"chunked limit+1, {sent} bytes together", [told])
        return findings

    async def _slow_at(self, findings: Findings, way: Way, endpoint: Taker) -> None:
        within, enough = way.hop.slow_within, asyncio.Event()
        lasts = (within or self._payload.answer_within) + 1
        trickling = way.small(endpoint, f"slow-{way.name}", trickle=_TRICKLE, lasts=lasts)
        slow = [asyncio.ensure_future(way.send(trickling, until=enough)) for _ in range(_SLOW_AT_ONCE)]
        head_start = 2 * _TRICKLE
        await asyncio.sleep(0 if way.wire.replays else head_start)
        other, normal = await asyncio.gather(
            way.send(way.small(endpoint, f"other-{way.name}")), way.normal("during a slow body")
        )
        if within is None:
            enough.set()
        seen = await asyncio.gather(*slow)
        findings.add(f"at {way.name}", normal)
        told = f"a small body that is sent during a slow one gets {other.says}"
        if not other.ok:
            findings.add(f"at {way.name}", [told], other.question)
        else:
            findings.took(1)
            if all(one.end != "silent" and one.elapsed <= head_start + other.elapsed for one in seen):
                findings.add(f"at {way.name}", [f"{told}, only once the slow one had ended"], other.question)
        wrong_ones = [(one, wrong) for one in seen if (wrong := way.judge.of_slow(one, within, lasts))]
        for one, wrong in wrong_ones[:1]:
            findings.add(f"slow body at {way.name} (a byte every {_TRICKLE:g} s)", wrong, one.question)

    async def _all(
        self, findings: Findings, way: Way, cases: Sequence[Any], one: Callable[[int, Any], Awaitable[bool]]
    ) -> None:
        """Send all cases, a few at a time, and a normal request meanwhile and after; give up where many take long."""
        free = asyncio.Semaphore(_AT_ONCE)
        long = 0

        async def in_turn(number: int, case: Any) -> bool:
            nonlocal long
            async with free:
                if long >= _PATIENCE:
                    return False
                try:
                    took_long = await one(number, case)
                except PreconditionMissing:
                    if way.wire.replays:
                        return False  # the run that is replayed had given up by then
                    raise
                long += took_long
                return True

        sent, meanwhile = await asyncio.gather(
            asyncio.gather(*(in_turn(number, case) for number, case in enumerate(cases))),
            way.normal("meanwhile"),
        )
        findings.add(f"at {way.name}", [*meanwhile, *await way.normal("after them")])
        if left := sent.count(False):
            findings.wrong.append(f"{left} more are not sent, since {long} took too long")

    def _took_long(self, seconds: float) -> bool:
        return seconds > self._payload.answer_within / 2

    def _tells_enough(self, part: SizePart | BatchPart | RawPart, *, all_of_it: bool) -> None:
        """A check without a case of what is within the limit, or of what is over it, shows nothing."""
        rights = {getattr(case, "right", "") for case in part.cases}
        if part.left_out and (all_of_it or not rights >= {"taken", "refused"}):
            raise PreconditionMissing(
                f"payload.max_total_bytes ({self._payload.max_total_bytes}) does not suffice for "
                f"{', '.join(dict.fromkeys(part.left_out))}",
                where=f"payload of {self._environment.profile.name}",
                next_step="Raise payload.max_total_bytes, or name fewer hops, endpoints or connections.",
            )

    def _begun(self, tenant: str, left_out: Sequence[str]) -> Findings:
        payload = self._payload
        if left_out:
            print(f"left out, over payload.max_total_bytes: {', '.join(left_out)}")  # noqa: T201 - the check's output
        if payload.clean_up is None:
            if self._environment.profile.environment == "production":
                raise PreconditionMissing(
                    "what passes could not be removed: the profile has no payload.clean_up",
                    where=f"payload of {self._environment.profile.name}",
                    next_step="Give it payload.clean_up and payload.stored; nothing was sent.",
                )
            print("what passes is not removed: the profile has no payload.clean_up")  # noqa: T201 - the check's output
        else:
            path = payload.clean_up.format(tenant=tenant)
            api: Any = self._environment.probe(next(iter(payload.hops.values())).target)

            async def gone() -> bool:
                return await self._rows(tenant) == 0

            self._clean_up.add(f"items of tenant {tenant}", lambda: api.delete(path), gone)
        return Findings()

    async def _counted(self, findings: Findings, tenant: str) -> Findings:
        if self._payload.stored is None:
            print("storing is not verified: the profile has no payload.stored")  # noqa: T201 - the check's output
        else:
            findings.count(await self._rows(tenant))
        findings.tell()
        return findings

    async def _rows(self, tenant: str) -> int:
        database: Any = self._environment.probe("database")
        return int(await database.value(self._payload.stored, tenant=tenant))

    def _absent(self, hop: str) -> str:
        return self._environment.profile.lacks(self._payload.hops[hop].target)

    def _way(self, hop: str, name: str) -> Way:
        if reason := self._absent(hop):
            pytest.skip(reason)
        way = self._payload.hops[hop]
        judge = Judge(self._payload, way, self._payload.early_at(hop), marker=f"opsproof-echo-{self._run_id}")
        tenant = f"opsproof-{self._run_id}-{name}"
        if len(tenant) > _LONGEST_TENANT:
            tenant = f"{tenant[: _LONGEST_TENANT - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        return Way(hop, way, self._environment.wire(way.target), judge, self._payload, tenant)
