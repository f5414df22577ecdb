"""
`python -m opsproof.stack.site.dns_server PORT ZONE [PORT ZONE ...]` answers for zones on 127.0.0.1, by UDP and TCP.

It stands in for Route 53 and the resolvers in front of it: each port is one resolver with a view of its own, so that
one of them can still give yesterday's answer. A zone is a JSON file, read again whenever it has changed:
`{"ttl": 2, "records": {"api.example.test.": {"A": ["127.0.0.1"]}}}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import signal
import sys
from pathlib import Path
from typing import Any, cast

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from typing_extensions import override

from opsproof.stack.ports import HOST

_LENGTH_BYTES = 2


class Resolver:
    """
    Answers what the file of a zone says now.

    Args:
        zone: The file.
    """

    def __init__(self, zone: Path) -> None:
        self._zone = zone

    def answer(self, question: bytes) -> bytes | None:
        """The answer to a packet; None for one that is no question."""
        try:
            query = dns.message.from_wire(question)
        except dns.exception.DNSException:
            return None
        if query.flags & dns.flags.QR:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        response.flags |= dns.flags.AA
        self._fill(query, response)
        return response.to_wire()

    def _fill(self, query: dns.message.Message, response: dns.message.Message) -> None:
        if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
            response.set_rcode(dns.rcode.NOTIMP)
            return
        asked = query.question[0]
        try:
            zone: dict[str, Any] = json.loads(self._zone.read_text(encoding="utf-8"))
            records = zone["records"].get(asked.name.to_text().lower())
            found = (records or {}).get(dns.rdatatype.to_text(asked.rdtype), [])
            if found:
                response.answer.append(
                    dns.rrset.from_text_list(asked.name, zone["ttl"], dns.rdataclass.IN, asked.rdtype, found)
                )
        except (OSError, ValueError, TypeError, LookupError, AttributeError, dns.exception.DNSException) as error:
            sys.stderr.write(f"{self._zone.name}: {type(error).__name__}: {error}\n")
            response.set_rcode(dns.rcode.SERVFAIL)
            return
        if records is None:
            response.set_rcode(dns.rcode.NXDOMAIN)


class _Packets(asyncio.DatagramProtocol):
    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._transport: asyncio.DatagramTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None and (answer := self._resolver.answer(data)):
            self._transport.sendto(answer, addr)


async def _stream(resolver: Resolver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
        while True:
            length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
            answer = resolver.answer(await reader.readexactly(length))
            if answer is None:
                return
            writer.write(len(answer).to_bytes(_LENGTH_BYTES) + answer)
            await writer.drain()


async def _serve(zones: dict[int, Path]) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    for port, zone in zones.items():
        resolver = Resolver(zone)
        await loop.create_datagram_endpoint(functools.partial(_Packets, resolver), local_addr=(HOST, port))
        await asyncio.start_server(functools.partial(_stream, resolver), HOST, port)
    await ended.wait()


def main() -> int:
    """Serve until SIGTERM."""
    arguments = sys.argv[1:]
    asyncio.run(_serve({int(port): Path(zone) for port, zone in zip(arguments[::2], arguments[1::2], strict=True)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
