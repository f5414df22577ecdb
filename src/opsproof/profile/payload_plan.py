"""What the payload checks send, reckoned from the profile before anything is sent: every case and what is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from opsproof.profile.payload_framing import MALFORMED, RawCase

if TYPE_CHECKING:
    from opsproof.profile.payload import Coding, Form, Payload, Taker

Framing = Literal["length", "chunked", "expect", "http2", "http2-unsized"]
Right = Literal["taken", "refused", "untaken", "served"]

_SMALL_BYTES = 1024
_PACKED_TO = 100
MEMORY_ROUNDS = 3
"""So often memory is looked at: what grows the first time may be a pool that fills; what grows again is a leak."""

_MEMORY_REPEATS = 64
_MEMORY_SHARE = 16
_SENT_WHOLE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SizeCase:
    """
    One body of a certain size.

    Attributes:
        name: How it is framed, and its size in words: `chunked limit+1`.
        framing: How its length is told, and by which version of HTTP.
        form: What it is made of.
        coding: Content-Encoding, or "".
        size: Bytes of the body, unpacked.
        limit: The limit that is in force for it, in bytes.
        right: `taken` (2xx, stored), `refused` (413), `untaken` (4xx, for its form), `served` (neither 413 nor 5xx).
        or_unsupported: True if 415 is as right as 413.
        known_at: Bytes on the wire after which its size can be known to be too large.
        most: Bytes of the body that are sent at most.
        eager: True to send on without waiting for an answer on the way.
    """

    name: str
    framing: Framing
    form: Form
    coding: Coding | Literal[""]
    size: int
    limit: int
    right: Right
    or_unsupported: bool
    known_at: int
    most: int
    eager: bool

    @property
    def weight(self) -> int:
        """Bytes on the wire at most, or what the service must hold of it once it is unpacked and taken."""
        return max(self.most, self.size) if self.right == "taken" else self.most


@dataclass(frozen=True, slots=True)
class BatchCase:
    """
    One list.

    Attributes:
        name: What it is: `items+1`.
        shape: How it is written: see `probes.wire.bodies`.
        items: How many items it has.
        size: Bytes that the whole must have; 0, as many as it has.
        right: `taken`, `refused` (4xx for what it is too much of), `untaken` (4xx for its form), `bounded` (either
            taken or refused, but no more stored than `stored`).
        stored: Rows that it leaves at most; exactly so many if it is taken.
        status: The status that alone is right for a refusal; 0, any 4xx.
        most: Bytes that are sent at most.
    """

    name: str
    shape: Literal["list", "same-key", "nested", "object", "field-twice"]
    items: int
    size: int
    right: Literal["taken", "refused", "untaken", "bounded"]
    stored: int
    status: int
    most: int

    @property
    def weight(self) -> int:
        """Bytes that the service must hold of it, at most."""
        return self.most


@dataclass(frozen=True, slots=True)
class SlowCase:
    """A body that comes a few bytes at a time, at one hop."""

    name: str
    hop: str
    most: int

    @property
    def weight(self) -> int:
        """Bytes that the service must hold of it, at most."""
        return self.most


C = TypeVar("C", SizeCase, BatchCase, RawCase, SlowCase)


@dataclass(frozen=True, slots=True)
class Part(Generic[C]):
    """
    The cases of one check.

    Attributes:
        hop: Name of the hop; "" for a check of all of them.
        endpoint: Where they are sent.
        cases: What is sent.
        left_out: Names of cases that would bring the whole over `payload.max_total_bytes`.
        rounds: How often all of them are sent.
    """

    hop: str
    endpoint: Taker
    cases: tuple[C, ...]
    left_out: tuple[str, ...] = ()
    rounds: int = 1

    @property
    def requests(self) -> int:
        """Requests with a body; a few of them are followed by a GET."""
        return len(self.cases) * self.rounds

    @property
    def bytes(self) -> int:
        """Bytes of all bodies, at most; of those that are unpacked and stored, what they are then."""
        return sum(case.weight for case in self.cases) * self.rounds


SizePart = Part[SizeCase]
BatchPart = Part[BatchCase]
RawPart = Part[RawCase]
SlowPart = Part[SlowCase]


@dataclass(frozen=True, slots=True)
class Plan:
    """All parts, by the name that they have in the ids of the checks."""

    guards: dict[str, SizePart] = field(default_factory=dict)
    batch_guards: dict[str, BatchPart] = field(default_factory=dict)
    connections: dict[str, SizePart] = field(default_factory=dict)
    batch_connections: dict[str, BatchPart] = field(default_factory=dict)
    malformed: dict[str, RawPart] = field(default_factory=dict)
    slow: dict[str, SlowPart] = field(default_factory=dict)
    batches: dict[str, BatchPart] = field(default_factory=dict)
    sizes: dict[str, SizePart] = field(default_factory=dict)
    memory: dict[str, SizePart] = field(default_factory=dict)


def plan_of(payload: Payload) -> Plan:
    """
    All cases of a profile, the most telling first; what would go over `max_total_bytes` is left out, and says so.

    Args:
        payload: The section of the profile.
    """
    budget = _Budget(payload.max_total_bytes)
    usual, single = payload.endpoints[0], next(iter(payload.hops))
    batch = next((endpoint for endpoint in payload.endpoints if endpoint.batch_field), None)
    central = [("length", "limit"), ("length", "limit+1"), ("chunked", "limit+1")]
    everywhere = [("length", "limit"), *[("length", "limit+1")] * payload.connections]
    plan = Plan()
    for hop in payload.hops:
        plan.guards[hop] = budget.part(hop, usual, _named(payload, hop, usual, central))
        plan.connections[hop] = budget.part(hop, usual, _named(payload, hop, usual, everywhere))
        plan.malformed[hop] = budget.part(hop, usual, MALFORMED)
        if batch is not None:
            within, over, *others = _batch_cases(payload, hop)
            plan.batch_guards[hop] = budget.part(hop, batch, (over, within))
            plan.batch_connections[hop] = budget.part(hop, batch, (within, *[over] * payload.connections))
            plan.batches[f"{hop}-{batch.name}"] = budget.part(hop, batch, (within, over, *others))
    slow = tuple(SlowCase(f"slow body at {hop}", hop, _SMALL_BYTES) for hop in payload.hops)
    plan.slow["all"] = budget.part("", usual, slow)
    if payload.memory is not None:
        repeats = payload.max_total_bytes // _MEMORY_SHARE // (payload.limit_at(single) + 1)
        kept = [("chunked", "limit+1")] * max(2, min(_MEMORY_REPEATS, repeats))
        plan.memory[single] = budget.part(single, usual, _named(payload, single, usual, kept), rounds=MEMORY_ROUNDS)
    kept_by_part: dict[str, list[SizeCase]] = {}
    for kind in KINDS:
        for hop in payload.hops:
            for endpoint in payload.endpoints:
                kept_by_part.setdefault(f"{hop}-{endpoint.name}", []).extend(_size_cases(payload, hop, endpoint, kind))
    # Kind by kind, so that every hop and endpoint keeps the most telling ones where the bytes do not suffice for all.
    chosen = budget.choose(kept_by_part)
    for hop in payload.hops:
        for endpoint in payload.endpoints:
            name = f"{hop}-{endpoint.name}"
            kept_cases = tuple(case for case in kept_by_part[name] if (name, case.name) in chosen)
            left = tuple(case.name for case in kept_by_part[name] if (name, case.name) not in chosen)
            plan.sizes[name] = Part(hop, endpoint, kept_cases, left)
    return plan


class _Budget:
    """Bytes that may still be sent."""

    def __init__(self, most: int) -> None:
        self._left = most

    def part(self, hop: str, endpoint: Taker, cases: tuple[C, ...], *, rounds: int = 1) -> Part[C]:
        """A part with those cases that the budget suffices for."""
        kept: list[C] = []
        left: list[C] = []
        for case in cases:
            (kept if self._takes(case.weight * rounds) else left).append(case)
        return Part(hop, endpoint, tuple(kept), tuple(case.name for case in left), rounds)

    def choose(self, cases: dict[str, list[SizeCase]]) -> set[tuple[str, str]]:
        """Those cases of many parts that the budget suffices for, the first ones of every part first."""
        longest = max(map(len, cases.values()), default=0)
        return {
            (name, of_part[number].name)
            for number in range(longest)
            for name, of_part in cases.items()
            if number < len(of_part) and self._takes(of_part[number].weight)
        }

    def _takes(self, size: int) -> bool:
        if size > self._left:
            return False
        self._left -= size
        return True


@dataclass(frozen=True, slots=True)
class _Kind:
    """A way to send a body; `form` left out, the endpoint's usual one."""

    name: str
    framing: Framing
    form: Form | None = None
    coding: Coding | Literal[""] = ""


KINDS = (
    _Kind("length", "length"),
    _Kind("chunked", "chunked"),
    _Kind("expect", "expect"),
    _Kind("http2", "http2"),
    _Kind("http2-unsized", "http2-unsized"),
    _Kind("gzip", "length", coding="gzip"),
    _Kind("deflate", "chunked", coding="deflate"),
    _Kind("ndjson", "chunked", "ndjson"),
    _Kind("multipart", "length", "multipart"),
    _Kind("form", "length", "form"),
)
_KIND = {kind.name: kind for kind in KINDS}


def _sizes(limit: int) -> dict[str, int]:
    return {"limit+1": limit + 1, "limit": limit, "limit-1": limit - 1, "2x": 2 * limit, "10x": 10 * limit}


def _named(payload: Payload, hop: str, endpoint: Taker, names: list[tuple[str, str]]) -> tuple[SizeCase, ...]:
    return tuple(
        next(case for case in _size_cases(payload, hop, endpoint, _KIND[kind]) if case.name == f"{kind} {size}")
        for kind, size in names
    )


def _size_cases(payload: Payload, hop: str, endpoint: Taker, kind: _Kind) -> Iterator[SizeCase]:
    way = payload.hops[hop]
    if kind.framing.startswith("http2") and not way.http2:
        return
    form = kind.form or endpoint.takes[0]
    if kind.form == endpoint.takes[0]:
        return
    limit = payload.max_body_bytes if kind.coding else payload.limit_at(hop)
    known_form = form in endpoint.takes
    known_coding = not kind.coding or kind.coding in endpoint.encodings
    unsized = kind.framing in ("chunked", "http2-unsized")
    if kind.name == "length":
        yield _empty(form, limit)
    for name, size in _sizes(limit).items():
        over = size > limit
        wire = size // _PACKED_TO + _SMALL_BYTES if kind.coding else size
        known_at = limit + 1 if unsized else 0
        if kind.coding or not over or size <= way.reads_whole:
            known_at = wire
        right: Right = "refused" if over and known_coding else "taken" if known_form and known_coding else "untaken"
        yield SizeCase(
            name=f"{kind.name} {name}",
            framing=kind.framing,
            form=form,
            coding=kind.coding,
            size=size,
            limit=limit,
            right=right,
            or_unsupported=not known_form,
            known_at=known_at,
            most=min(wire, _most(size, known_at, limit, early=payload.early_at(hop), eager=name == "10x")),
            eager=name == "10x",
        )


def _most(size: int, known_at: int, limit: int, *, early: int, eager: bool) -> int:
    """
    Bytes that are sent at most of a body that is too large.

    Small ones are sent to the end of the limit and as much again, to learn what becomes of them where they are not
    refused in time; of large ones only what a right server could accept, and for an eager client enough to fill the
    buffers on the way.
    """
    if size <= _SENT_WHOLE:
        return max(known_at, limit + 1) + max(early, limit)
    return known_at + (max(early, _SENT_WHOLE) if eager else early)


def _empty(form: Form, limit: int) -> SizeCase:
    return SizeCase("empty", "length", form, "", 0, limit, "served", False, 0, 0, False)


def _batch_cases(payload: Payload, hop: str) -> Iterator[BatchCase]:
    most, limit = payload.max_batch_items or 1, payload.limit_at(hop)
    small = BatchCase("items", "list", most, 0, "taken", most, 0, limit)
    yield small
    yield replace(small, name="items+1", items=most + 1, right="refused", stored=0)
    if most > 1:
        yield replace(small, name="items-1", items=most - 1, stored=most - 1)
    yield replace(small, name="empty list", items=0, right="untaken", stored=0)
    yield replace(small, name="nested list", shape="nested", items=1, right="untaken", stored=0)
    yield replace(small, name="no list", shape="object", items=1, right="untaken", stored=0)
    yield replace(small, name="list twice", shape="field-twice", items=most + 1, right="bounded", stored=most)
    yield replace(small, name="one key twice", shape="same-key", items=2, right="bounded", stored=1)
    # Whether so many items fit at all depends on the size of one; the body's builder says so where they do not.
    yield replace(small, name="items of limit bytes together", size=limit, most=limit)
    over = limit + 1 + payload.early_at(hop)
    yield replace(
        small, name="items of limit+1 bytes together", size=limit + 1, right="refused", stored=0, status=413, most=over
    )
