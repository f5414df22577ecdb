"""The payload guard: sends the cases of a check through a hop, and says what is wrong with what came."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from opsproof.errors import PreconditionMissing
from opsproof.judge.payload import Judge
from opsproof.plugin.cleaning import CleanUp
from opsproof.plugin.environment import Environment
from opsproof.profile.payload import Hop, Payload, Taker
from opsproof.profile.payload_framing import BODY, RawCase
from opsproof.profile.payload_plan import BatchCase, BatchPart, RawPart, SizeCase, SizePart, SlowPart

if TYPE_CHECKING:
    from opsproof.probes.wire import Body, WireAnswer, WireProbe, WireRequest

_AT_ONCE = 8
_PATIENCE = 4
_TRICKLE = 0.25
_LOOKS = 1.5
_SLOW_AT_ONCE = 3
_RAW_BYTES = 256


@dataclass
class Findings:
    """
    What a check saw.

    Attributes:
        wrong: What is wrong, a line each, with the case and its size.
        taken: Rows that must be stored by now, at least.
        taken_most: Rows that may be stored by now, at most.
        stored: Rows that are stored; None where the profile has no way to tell.
    """

    wrong: list[str] = field(default_factory=list)
    taken: int = 0
    taken_most: int = 0
    stored: int | None = None

    def add(self, name: str, wrong: Sequence[str]) -> None:
        """Note what is wrong with a case."""
        self.wrong += [f"{name}: {line}" for line in wrong]

    def __str__(self) -> str:
        return "; ".join(self.wrong)


class PayloadGuard:
    """
    Sends what the plan of the profile has for a check.

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
        self._marker = f"opsproof-echo-{run_id}"

    async def sizes(self, name: str, part: SizePart) -> Findings:
        """Send bodies of certain sizes; `name` tells the check's rows from those of others."""
        way = self._way(part.hop)
        tenant = self._tenant(f"{name}-{part.hop}-{part.endpoint.name}")
        findings = self._begun(tenant, part.left_out)

        async def one(number: int, case: SizeCase) -> bool:
            request_id = f"{tenant}-{number}"
            body = self._body(part.endpoint, case, tenant, str(number))
            pauses = (
                {case.known_at, case.known_at + self._payload.early_at(part.hop)} if case.right == "refused" else ()
            )
            request = way.request(
                part.endpoint,
                case.framing,
                body,
                most=case.most,
                pauses=() if case.eager else tuple(pauses),
                headers=self._id_header(request_id),
                then=(self._payload.normal or "") if case.name.endswith("limit+1") else "",
            )
            seen = await way.send(request)
            findings.add(f"{case.name} ({case.size} bytes)", way.judge.of_size(case, seen, request_id))
            if case.size and seen.ok:
                findings.taken_most += case.right == "taken"
                findings.taken += case.right == "taken"
            return seen.elapsed > self._payload.answer_within / 2

        await self._all(findings, way, part.cases, one)
        return await self._counted(findings, tenant)

    async def batches(self, name: str, part: BatchPart) -> Findings:
        """Send lists; as `sizes`."""
        from opsproof.probes.wire import list_body

        way = self._way(part.hop)
        tenant = self._tenant(f"{name}-{part.hop}-{part.endpoint.name}")
        findings = self._begun(tenant, part.left_out)

        async def one(number: int, case: BatchCase) -> bool:
            request_id = f"{tenant}-{number}"

            def item(position: int) -> Any:
                return self._item(tenant, f"{number}-{position}")

            field, count = part.endpoint.batch_field, case.items
            try:
                body = list_body(item, field, case.shape, count, case.size, marker=self._marker)
            except ValueError as exc:
                print(f"{case.name} is not sent: {exc}")  # noqa: T201 - the check's output
                return False
            if case.size == 0 and body.size > self._payload.limit_at(part.hop):
                print(f"{case.name} is not sent: its {body.size} bytes are over the limit in bytes")  # noqa: T201
                return False
            request = way.request(part.endpoint, "length", body, most=body.size, headers=self._id_header(request_id))
            seen = await way.send(request)
            findings.add(f"{case.name} ({count} items, {body.size} bytes)", way.judge.of_batch(case, seen, request_id))
            if seen.ok:
                findings.taken += case.stored if case.right == "taken" else 0
                findings.taken_most += case.stored
            return seen.elapsed > self._payload.answer_within / 2

        await self._all(findings, way, part.cases, one)
        return await self._counted(findings, tenant)

    async def malformed(self, part: RawPart) -> Findings:
        """Send requests whose framing is wrong."""
        from opsproof.probes.wire import WireRequest

        way = self._way(part.hop)
        tenant = self._tenant(f"framing-{part.hop}")
        findings = self._begun(tenant, part.left_out)

        async def one(number: int, case: RawCase) -> bool:
            body = b"".join(self._small(part.endpoint, tenant, str(number)).pieces())
            sizes = {"size": len(body), "shorter": len(body) // 2, "longer": len(body) + 50}
            chunk = f"{len(body):x}\r\n{body.decode()}\r\n"
            request = WireRequest(
                part.endpoint.path,
                "raw",
                raw_headers=("Content-Type: application/json", *(line.format(**sizes) for line in case.headers)),
                raw_content=case.content.replace(BODY, body.decode()).replace("{chunk}", chunk).encode(),
                ends=case.ends,
            )
            seen = await way.send(request)
            findings.add(case.name, way.judge.of_framing(case, seen))
            if seen.ok and case.may_take:
                findings.taken += 1
                findings.taken_most += 1
            return seen.elapsed > self._payload.answer_within / 2

        await self._all(findings, way, part.cases, one)
        return await self._counted(findings, tenant)

    async def slow(self, part: SlowPart) -> Findings:
        """Let bodies trickle in at every hop at once, and see who else is served meanwhile."""
        tenant = self._tenant("slow")
        findings = self._begun(tenant, part.left_out)
        hops = [
            case.hop for case in part.cases if not self._environment.profile.lacks(self._payload.hops[case.hop].target)
        ]
        if not hops:
            pytest.skip(self._environment.profile.lacks(self._payload.hops[part.cases[0].hop].target))
        await asyncio.gather(*(self._slow_at(findings, hop, part.endpoint, tenant) for hop in hops))
        return await self._counted(findings, tenant)

    async def kept_memory(self, part: SizePart) -> tuple[float, int]:
        """
        Send the same refused bodies three times over.

        Returns:
            Bytes by which the service's memory grew, at least, from one time to the next; and bytes that were sent in
            each.
        """
        memory = self._payload.memory
        assert memory is not None
        api: Any = self._environment.probe(self._payload.hops[part.hop].target)
        marks = []
        for _ in range(3):
            await self.sizes("memory", part)
            marks.append((await api.get(memory.path, fresh=True)).metric(memory.metric))
        return min(later - earlier for earlier, later in pairwise(marks)), part.bytes

    async def _slow_at(self, findings: Findings, hop: str, endpoint: Taker, tenant: str) -> None:
        way = self._way(hop)
        within = way.hop.slow_within
        lasts = (within or _LOOKS) + 2 * _TRICKLE
        body = self._small(endpoint, tenant, f"slow-{hop}")
        bytes_sent = min(round(lasts / _TRICKLE), body.size - 1)
        request = way.request(endpoint, "length", body, most=bytes_sent, trickle=_TRICKLE)
        slow = [asyncio.ensure_future(way.send(request)) for _ in range(_SLOW_AT_ONCE)]
        await asyncio.sleep(0 if way.wire.replays else 2 * _TRICKLE)
        other = self._small(endpoint, tenant, f"other-{hop}")
        served, normal = await asyncio.gather(
            way.send(way.request(endpoint, "length", other, most=other.size)), way.normal("during a slow body")
        )
        if served.ok:
            findings.taken += 1
            findings.taken_most += 1
        else:
            findings.add(f"at {hop}", [f"a small body that is sent during a slow one gets {served.says}"])
        findings.add(f"at {hop}", normal)
        for seen in await asyncio.gather(*slow):
            wrong = way.judge.of_slow(seen, within, lasts)
            findings.add(f"slow body at {hop} (a byte every {_TRICKLE:g} s)", wrong)
            if wrong:
                break
        await asyncio.gather(*slow)

    async def _all(
        self,
        findings: Findings,
        way: "_Way",
        cases: Sequence[Any],
        one: Callable[[int, Any], Awaitable[bool]],
    ) -> None:
        """Send all cases, a few at a time, and a normal request meanwhile and after; give up where most take long."""
        free = asyncio.Semaphore(_AT_ONCE)
        long = 0

        async def in_turn(number: int, case: Any) -> bool:
            nonlocal long
            async with free:
                if long >= _PATIENCE:
                    return False
                long += await one(number, case)
                return True

        sent, meanwhile = await asyncio.gather(
            asyncio.gather(*(in_turn(number, case) for number, case in enumerate(cases))),
            way.normal("meanwhile"),
        )
        findings.add("during them", meanwhile)
        findings.add("after them", await way.normal("after them"))
        if left := sent.count(False):
            findings.wrong.append(f"{left} cases more are not sent, since {long} took too long")

    def _begun(self, tenant: str, left_out: Sequence[str]) -> Findings:
        if left_out:
            most = self._payload.max_total_bytes
            print(f"left out, by payload.max_total_bytes of {most}: {', '.join(left_out)}")  # noqa: T201 - its output
        payload, api = self._payload, self._api
        if payload.clean_up is not None and payload.stored is not None:
            path = payload.clean_up.format(tenant=tenant)

            async def gone() -> bool:
                return await self._rows(tenant) == 0

            self._clean_up.add(f"items of tenant {tenant}", lambda: api.delete(path), gone)
        return Findings()

    async def _counted(self, findings: Findings, tenant: str) -> Findings:
        """Compare what is stored with what was taken."""
        if self._payload.stored is None:
            print("storing is not verified: the profile has no payload.stored")  # noqa: T201 - the check's output
            return findings
        findings.stored = await self._rows(tenant)
        if not findings.taken <= findings.stored <= findings.taken_most:
            findings.wrong.append(
                f"{findings.stored} items are stored, {findings.taken} were within the limit and taken"
            )
        return findings

    async def _rows(self, tenant: str) -> int:
        database: Any = self._environment.probe("database")
        return int(await database.value(self._payload.stored, tenant=tenant))

    @property
    def _api(self) -> Any:
        return self._environment.probe(next(iter(self._payload.hops.values())).target)

    def _way(self, hop: str) -> "_Way":
        way = self._payload.hops[hop]
        if reason := self._environment.profile.lacks(way.target):
            pytest.skip(reason)
        judge = Judge(self._payload, way, self._payload.early_at(hop), self._marker)
        return _Way(way, self._environment.wire(way.target), judge, self._payload)

    def _tenant(self, name: str) -> str:
        return f"opsproof-{self._run_id}-{name}"[:64]

    def _id_header(self, request_id: str) -> dict[str, str]:
        header = self._payload.request_id_header
        return {header: request_id} if header else {}

    def _item(self, tenant: str, key: str) -> Any:
        from opsproof.probes.wire.bodies import filled

        return filled(self._payload.item, {"{tenant}": tenant, "{key}": key})

    def _small(self, endpoint: Taker, tenant: str, key: str) -> "Body":
        case = SizeCase("small", "length", endpoint.takes[0], "", _RAW_BYTES, 0, "taken", False, 0, 0, False)
        return self._body(endpoint, case, tenant, key)

    def _body(self, endpoint: Taker, case: SizeCase, tenant: str, key: str) -> "Body":
        from opsproof.probes.wire import items_body
        from opsproof.probes.wire.bodies import TooSmall

        try:
            return items_body(
                case.form,
                self._item(tenant, key),
                case.size,
                marker=self._marker,
                batch_field=endpoint.batch_field,
                coding=case.coding,
            )
        except TooSmall as exc:
            raise PreconditionMissing(
                f"no body of {case.size} bytes can be made for {endpoint.path}: {exc}",
                where="payload of the profile",
                next_step="Make payload.item shorter, or correct payload.max_body_bytes.",
            ) from None


@dataclass(frozen=True)
class _Way:
    """A hop, ready to be asked."""

    hop: Hop
    wire: "WireProbe"
    judge: Judge
    payload: Payload

    def request(self, endpoint: Taker, framing: Any, body: "Body", **more: Any) -> "WireRequest":
        from opsproof.probes.wire import WireRequest

        return WireRequest(endpoint.path, framing, body, **more)

    async def send(self, request: "WireRequest") -> "WireAnswer":
        return await self.wire.send(request, within=self.payload.answer_within)

    async def normal(self, when: str) -> list[str]:
        """What is wrong with a GET over a connection of its own; [] if the profile names none."""
        from opsproof.probes.wire import WireRequest

        if self.payload.normal is None:
            return []
        return self.judge.of_normal(await self.send(WireRequest(self.payload.normal)), when)
