"""What the public names resolve to, asked of every resolver that clients use."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from opsproof.errors import PreconditionMissing
from opsproof.profile.rehearsals import Name
from opsproof.rehearsal.asking import Asking

_SECONDS = 2.0
_TRIES = 2
_LONGEST_CHAIN = 8
_ASKED = 3
"""How often each resolver is asked: one that takes turns between two answers shows both."""


@dataclass(frozen=True)
class Resolved:
    """
    What one resolver said of one name.

    Attributes:
        answers: In the form of the profile, sorted; the aliases on the way are not among them.
        ttl: Seconds, the longest on the way from the name to the answer; None without an answer.
        trouble: Why there is no answer: `NXDOMAIN`, `no answer within 2 s`; "" if there is one, an empty one too.
    """

    answers: tuple[str, ...]
    ttl: int | None
    trouble: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Resolved:
        """From plain JSON."""
        return cls(tuple(told["answers"]), told["ttl"], told["trouble"])


class Names:
    """
    Asks resolvers.

    Args:
        resolvers: HOST[:PORT] of each.
        asking: Keeps the answers.
    """

    def __init__(self, resolvers: Sequence[str], asking: Asking) -> None:
        self._resolvers = resolvers
        self._asking = asking

    @property
    def resolvers(self) -> Sequence[str]:
        """All of them. Raises PreconditionMissing if the profile names none."""
        if not self._resolvers:
            raise PreconditionMissing(
                "no resolver is named that could be asked",
                where=self._asking.observer.where("resolvers"),
                next_step="Name under rehearsals.resolvers every resolver that clients of the service use.",
            )
        return self._resolvers

    async def ask(self, resolver: str, name: str, kind: str, *, tcp: bool = False) -> Resolved:
        """
        Ask one resolver, by UDP and by TCP where the answer does not fit, or by TCP alone.

        Args:
            resolver: HOST[:PORT].
            name: What is looked up.
            kind: A, AAAA, CNAME or SRV.
        """
        host, port = place(resolver)
        by_hand = f"dig @{host} -p {port} {'+tcp ' if tcp else ''}{name} {kind}"
        text = f"resolver {resolver}: {name} {kind}{' by TCP' if tcp else ''}"
        return Resolved.of(await self._asking.ask(text, by_hand, lambda: _asked(host, port, name, kind, tcp)))

    async def addresses(self, name: str) -> dict[str, tuple[str, ...]]:
        """Addresses of a name, A and AAAA, by resolver; empty for one that gives none."""
        pairs = [(resolver, kind) for resolver in self.resolvers for kind in ("A", "AAAA")]
        found = await asyncio.gather(*(self.ask(resolver, name, kind) for resolver, kind in pairs))
        told: dict[str, tuple[str, ...]] = {}
        for (resolver, _), one in zip(pairs, found, strict=True):
            told[resolver] = (*told.get(resolver, ()), *one.answers)
        return told

    async def wrong(self, names: Mapping[str, Name]) -> list[str]:
        """
        What resolvers do not say as they must while the DR site serves.

        Every one is asked several times, by UDP and by TCP, and the answers must be exactly those of the profile; what
        is not answered counts as wrong. A name with an address of one family must have none of the other.
        """
        pairs = [(resolver, name) for resolver in self.resolvers for name in names.values()]
        homes = {plain_answer(one) for name in names.values() for one in set(name.home) - set(name.dr)}
        told = await asyncio.gather(*(self._wrong(*pair, homes) for pair in pairs))
        return [line for lines in told for line in lines]

    async def _astray(self, resolver: str, name: Name, answers: Sequence[str], homes: Collection[str]) -> list[str]:
        """Names that an alias or a service record leads to, and that have no address, or one of the home site."""
        found = []
        for target in {one.split()[-1] for one in answers if name.type in ("CNAME", "SRV")}:
            told = [await self.ask(resolver, target, kind) for kind in ("A", "AAAA")]
            given = [address for one in told for address in one.answers]
            if not given:
                why = next((one.trouble for one in told if one.trouble), "it has none")
                found.append(f"{resolver}: {name.name} leads to {target}, and no address is known for it: {why}")
            if old := sorted(set(given) & set(homes)):
                found.append(f"{resolver}: {name.name} leads to {target}, which is {', '.join(old)} of the home site")
        return found

    async def _wrong(self, resolver: str, name: Name, homes: Collection[str]) -> list[str]:
        found: list[str] = []
        for tcp in (*[False] * _ASKED, True):
            told = await self.ask(resolver, name.name, name.type, tcp=tcp)
            found += _differs(f"{resolver}{' by TCP' if tcp else ''}", name, told)
            if told.trouble:
                return found
        found += await self._astray(resolver, name, told.answers, homes)
        other = {"A": "AAAA", "AAAA": "A"}.get(name.type)
        if other is not None:
            told = await self.ask(resolver, name.name, other)
            if told.trouble:
                found.append(f"{resolver}: {name.name} {other}: unknown, {told.trouble}")
            elif told.answers:
                found.append(f"{resolver}: {name.name} has {other} {', '.join(told.answers)}, which nobody expects")
        return list(dict.fromkeys(found))

    async def too_long(self, names: Mapping[str, Name]) -> list[str]:
        """Answers that clients keep for longer than agreed, by resolver."""
        pairs = [(resolver, name) for resolver in self.resolvers for name in names.values()]
        told = await asyncio.gather(*(self.ask(resolver, name.name, name.type) for resolver, name in pairs))
        return [
            f"{resolver}: {name.name} {name.type}: unknown how long it is kept, {one.trouble or 'no answer'}"
            if one.ttl is None
            else f"{resolver}: {name.name} {name.type} may be kept for {one.ttl} s, agreed are {name.ttl:g} s"
            for (resolver, name), one in zip(pairs, told, strict=True)
            if one.ttl is None or one.ttl > name.ttl
        ]

    async def wrong_here(self, names: Mapping[str, Name]) -> list[str]:
        """What this machine's own way of resolving (its hosts file, its cache) gives for names with an address."""
        found: list[str] = []
        for name in names.values():
            if name.type not in ("A", "AAAA"):
                continue
            told = Resolved.of(
                await self._asking.ask(
                    f"this machine: {name.name}", f"getent ahosts {name.name}", partial(_here, name.name)
                )
            )
            found += _differs("this machine", name, told)
        return found


def place(resolver: str) -> tuple[str, int]:
    """Host and port of HOST[:PORT], [ADDRESS]:PORT, or of a bare address; 53 if none is given."""
    if resolver.startswith("["):
        host, _, port = resolver[1:].partition("]")
        return host, int(port.lstrip(":") or 53)
    if resolver.count(":") == 1:
        host, _, port = resolver.partition(":")
        return host, int(port)
    return resolver, 53


def plain_answer(text: str) -> str:
    """An answer so that equal ones are equal texts: addresses in their short form, names small and without last dot."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return " ".join(text.lower().split()).removesuffix(".")


def _differs(who: str, name: Name, told: Resolved) -> list[str]:
    if told.trouble:
        return [f"{who}: {name.name} {name.type}: unknown, {told.trouble}"]
    wanted = {plain_answer(answer) for answer in name.dr}
    home = {plain_answer(answer) for answer in name.home}
    if set(told.answers) == wanted:
        return []
    old = sorted((set(told.answers) - wanted) & home)
    given = ", ".join(told.answers) or "nothing"
    why = f"; {', '.join(old)} is of the home site" if old else ""
    return [f"{who}: {name.name} {name.type} is {given}, and must be {', '.join(sorted(wanted))}{why}"]


def _asked(host: str, port: int, name: str, kind: str, tcp: bool) -> dict[str, Any]:
    import dns.exception
    import dns.message
    import dns.name
    import dns.query
    import dns.rcode
    import dns.rdatatype

    target = name
    ttls: list[int] = []
    seen: list[str] = []
    for _ in range(_LONGEST_CHAIN):
        try:
            message = dns.message.make_query(target, kind)
            for attempt in range(_TRIES):
                try:
                    if tcp:
                        answer = dns.query.tcp(message, _address(host), timeout=_SECONDS, port=port)
                    else:
                        answer, _ = dns.query.udp_with_fallback(message, _address(host), timeout=_SECONDS, port=port)
                    break
                except dns.exception.Timeout:
                    if attempt == _TRIES - 1:
                        raise
        except dns.exception.Timeout:
            return _none(f"no answer within {_SECONDS:g} s, {_TRIES} times")
        except (OSError, EOFError, dns.exception.DNSException) as exc:
            return _none(f"no answer ({str(exc) or type(exc).__name__})")
        code = answer.rcode()
        if code != dns.rcode.NOERROR:
            return _none(dns.rcode.to_text(code))
        aliases = {
            str(record.name).lower(): (str(record[0].target).lower(), record.ttl)
            for record in answer.answer
            if record.rdtype == dns.rdatatype.CNAME
        }
        at = str(dns.name.from_text(target)).lower()
        while kind != "CNAME" and at in aliases:
            if at in seen or len(seen) > _LONGEST_CHAIN:
                return _none(f"an endless chain of aliases: {' -> '.join((*seen, at))}")
            seen.append(at)
            at, ttl = aliases[at]
            ttls.append(ttl)
        wanted = [
            record
            for record in answer.answer
            if record.rdtype == dns.rdatatype.from_text(kind) and str(record.name).lower() == at
        ]
        if wanted:
            ttls += [record.ttl for record in wanted]
            texts = sorted({plain_answer(rdata.to_text()) for record in wanted for rdata in record})
            return {"answers": texts, "ttl": max(ttls), "trouble": ""}
        if at == str(dns.name.from_text(target)).lower():
            return {"answers": [], "ttl": None, "trouble": ""}
        target = at
    return _none(f"an endless chain of aliases: {' -> '.join(seen)}")


def _address(host: str) -> str:
    """dnspython connects to addresses only; a resolver named by a name is looked up as this machine does."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return str(socket.getaddrinfo(host, None)[0][4][0])


def _here(name: str) -> dict[str, Any]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError as exc:
        return _none(exc.strerror or type(exc).__name__)
    return {"answers": sorted({plain_answer(str(one[4][0])) for one in found}), "ttl": None, "trouble": ""}


def _none(trouble: str) -> dict[str, Any]:
    return {"answers": [], "ttl": None, "trouble": trouble}
