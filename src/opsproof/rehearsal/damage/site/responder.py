"""A resolver of a lab: answers what it is told to, by UDP and TCP."""

from __future__ import annotations

import socketserver
import struct
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from opsproof.stack.ports import HOST


@dataclass
class Records:
    """
    What a resolver knows; may be changed while it answers.

    Attributes:
        answers: By name and type; a list of answers in the form of a zone file.
        ttl: Seconds, of every answer.
        code: In place of an answer: `SERVFAIL`; "" to answer.
        silent: Whether it says nothing at all.
        turns: Answers that take turns with those above, by name and type.
        stream: Answers by TCP alone, by name and type.
    """

    answers: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    ttl: int = 30
    code: str = ""
    silent: bool = False
    turns: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    stream: dict[tuple[str, str], list[str]] = field(default_factory=dict)


class Responder:
    """
    Answers on one port of 127.0.0.1 until it is left.

    Args:
        records: What it knows.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        self._odd = False
        self._servers: list[socketserver.BaseServer] = []
        self.port = 0

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"{HOST}:{self.port}"

    def reply(self, asked: bytes, *, stream: bool = False) -> bytes | None:
        """The answer to a message, by TCP or UDP; None to say nothing."""
        import dns.flags
        import dns.message
        import dns.rcode
        import dns.rdatatype
        import dns.rrset

        records = self.records
        if records.silent:
            return None
        query = dns.message.from_wire(asked)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if records.code:
            answer.set_rcode(dns.rcode.from_text(records.code))
            return answer.to_wire()
        question = query.question[0]
        name, kind = str(question.name).rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        known = {owner for owner, _ in records.answers}
        self._odd = not self._odd
        chain = 0
        while chain < 4 and (name, kind) not in records.answers and (name, "CNAME") in records.answers:
            target = records.answers[name, "CNAME"][0]
            answer.answer.append(dns.rrset.from_text(f"{name}.", records.ttl, "IN", "CNAME", target))
            name, chain = target.rstrip(".").lower(), chain + 1
        texts = records.answers.get((name, kind), [])
        if self._odd and (name, kind) in records.turns:
            texts = records.turns[name, kind]
        if stream:
            texts = records.stream.get((name, kind), texts)
        if texts:
            answer.answer.append(dns.rrset.from_text(f"{name}.", records.ttl, "IN", kind, *texts))
        elif name not in known:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()

    def __enter__(self) -> Self:
        responder = self

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                asked, wire = self.request
                if (answer := responder.reply(asked)) is not None:
                    wire.sendto(answer, self.client_address)

        class Stream(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                size = self.request.recv(2)
                if len(size) < 2:
                    return
                answer = responder.reply(self.request.recv(struct.unpack("!H", size)[0]), stream=True)
                if answer is not None:
                    self.request.sendall(struct.pack("!H", len(answer)) + answer)

        for _ in range(20):  # the same port of both protocols must be free
            stream = socketserver.ThreadingTCPServer((HOST, 0), Stream)
            stream.daemon_threads = True
            port: int = stream.server_address[1]
            try:
                datagram: Any = socketserver.ThreadingUDPServer((HOST, port), Datagram)
            except OSError:
                stream.server_close()
                continue
            break
        else:
            raise OSError("no port is free for both UDP and TCP")
        datagram.daemon_threads = True
        self.port, self._servers = port, [stream, datagram]
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
