"""The way into the service that its clients take: the public name, as the profile's resolvers give it."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any
from urllib.parse import urlsplit

from opsproof.errors import BadAnswer, NoData, PreconditionMissing, TimedOut, Unreachable
from opsproof.probes.fields import FieldMissing, field
from opsproof.probes.http.identity import credentials
from opsproof.profile.recovered import Recovered
from opsproof.profile.targets import Identity
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.site.names import Names, plain_answer

_LARGEST = 2_000_000
_PAUSE = 0.2


@dataclass(frozen=True)
class Reply:
    """
    What the service answered.

    Attributes:
        status: Status code.
        headers: By lower-case name.
        text: The body.
        question: What was asked of whom, for sentences: `GET /version at 10.9.0.4`.
    """

    status: int
    headers: Mapping[str, str]
    text: str
    question: str

    @property
    def ok(self) -> bool:
        """Whether the status is from 200 to 299."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON. Raises BadAnswer if it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            raise BadAnswer(
                f"status {self.status} with a body that is no JSON: {self.text[:80]!r}",
                where=self.question,
                next_step="See what answers at this address: a proxy or a page of an error, in place of the service.",
            ) from None

    def field(self, name: str) -> Any:
        """A part of the body by its dotted name; None if there is none. Raises BadAnswer for no JSON."""
        try:
            return field(self.json(), name)
        except FieldMissing:
            return None


class Door:
    """
    Sends requests to the service, each on a connection of its own.

    The public name is resolved by the profile's resolvers, and never by the system's; every address that any of them
    gives takes its turn, so that what clients of a stale resolver would meet is met here.

    Args:
        recovered: The service.
        names: Resolves its name.
        asking: Keeps the answers.
    """

    def __init__(self, recovered: Recovered, names: Names, asking: Asking) -> None:
        parts = urlsplit(recovered.public.get_secret_value())
        self._recovered = recovered
        self._names = names
        self._asking = asking
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._base = parts.path.rstrip("/")
        self._turns = itertools.count()
        self._addresses: list[str] = []

    @property
    def host(self) -> str:
        """The public name."""
        return self._host

    async def addresses(self) -> list[str]:
        """Addresses of the service, by all resolvers. Raises NoData if there is none."""
        if not self._addresses:
            self._addresses = await self._told()
        if not self._addresses:
            raise NoData(
                "no resolver gives an address of the service",
                where=f"{self._host} by {', '.join(self._names.resolvers)}",
                next_step="Switch the name to the DR site (runbook 001, 5.2 phase 4); then look again.",
            )
        return self._addresses

    async def _told(self) -> list[str]:
        """What all resolvers say together: addresses, or HOST:PORT where a record says the port as well."""
        if not self._recovered.record:
            told = await self._names.addresses(self._host)
            return sorted({plain_answer(one) for given in told.values() for one in given})
        found = set()
        for resolver in self._names.resolvers:
            records = await self._names.ask(resolver, self._recovered.record, "SRV")
            for answer in records.answers:
                _, _, port, host = plain_answer(answer).split()
                of_host = await self._names.ask(resolver, host, "A")
                found |= {f"{plain_answer(one)}:{port}" for one in of_host.answers}
        return sorted(found)

    def _place(self, address: str) -> tuple[str, int]:
        if not self._recovered.record:
            return address, self._port
        host, _, port = address.rpartition(":")
        return host, int(port)

    def forget(self) -> None:
        """Resolve anew with the next request."""
        self._addresses = []

    async def get(self, path: str, *, identity: Identity | None = None, address: str | None = None) -> Reply:
        """GET a path; `identity` in place of the clients' own, `address` in place of the next in turn."""
        return await self._request("GET", path, None, identity, address)

    async def get_until(self, path: str, reached: Callable[[Reply], bool], *, within: float) -> Reply:
        """
        GET a path again and again.

        Args:
            path: Path of the service.
            reached: Says whether an answer is the one that is waited for.
            within: Seconds after which no further request is made; a replay does not wait.

        Returns:
            The first answer that `reached` accepts, or the last one.
        """
        until = time.monotonic() + within
        reply = await self.get(path)
        while not reached(reply) and time.monotonic() < until:
            try:
                await asyncio.sleep(0 if self._asking.observer.replays else _PAUSE)
                reply = await self.get(path)
            except PreconditionMissing:
                if not self._asking.observer.replays:
                    raise
                break
        return reply

    async def post(self, path: str, body: Mapping[str, Any]) -> Reply:
        """POST a JSON body, as the clients do."""
        return await self._request("POST", path, body, None, None)

    async def delete(self, path: str) -> Reply:
        """DELETE a path, as the clients do."""
        return await self._request("DELETE", path, None, None, None)

    async def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None, identity: Identity | None, address: str | None
    ) -> Reply:
        if address is None:
            given = await self.addresses()
            address = given[next(self._turns) % len(given)]
        at = address
        scheme = "https" if self._secure else "http"
        told = "" if body is None else f" {json.dumps(body, ensure_ascii=False)}"
        text = f"{method} {path} at {at}{told}"
        data = "" if body is None else f" -H 'Content-Type: application/json' -d {quote(json.dumps(body))}"
        ip, port = self._place(at)
        resolve = f"--resolve {self._host}:{port}:{ip}"
        by_hand = f"curl -fsS -X {method} {resolve} {quote(f'{scheme}://{self._host}:{port}{self._base}{path}')}"
        who = identity or self._recovered.auth
        headers = {"Accept": "application/json", **(credentials(who) if who else {})}

        def call() -> dict[str, Any]:
            return self._exchange(method, path, body, headers, at)

        answer = await self._asking.ask(text, by_hand + data, call, seconds=self._recovered.timeout + 2)
        return Reply(answer["status"], answer["headers"], answer["text"], text)

    def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: dict[str, str], address: str
    ) -> dict[str, Any]:
        limit = self._recovered.timeout
        ip, port = self._place(address)
        connection = http.client.HTTPConnection(self._host, port, timeout=limit)
        try:
            connection.sock = wire = _connected(ip, port, limit)
            if self._secure:
                trusted = ssl.create_default_context(cafile=self._recovered.ca_file and str(self._recovered.ca_file))
                connection.sock = trusted.wrap_socket(wire, server_hostname=self._host)
            sent = None if body is None else json.dumps(body).encode()
            more = {} if sent is None else {"Content-Type": "application/json"}
            connection.request(method, self._base + path, sent, {**headers, **more, "Connection": "close"})
            answer = connection.getresponse()
            content = answer.read(_LARGEST).decode(errors="replace")
            kept = {name.lower(): value for name, value in answer.getheaders()}
        except TimeoutError:
            raise TimedOut(
                f"no whole answer within {limit:g} s",
                where=f"{method} {self._base}{path} of {self._host} at {address} port {self._port}",
                next_step="See whether the service is overloaded or frozen, and whether a firewall drops its packets.",
            ) from None
        except (OSError, http.client.HTTPException) as exc:
            raise Unreachable(
                f"no answer: {exc.strerror or exc if isinstance(exc, OSError) else type(exc).__name__}",
                where=f"{method} {self._base}{path} of {self._host} at {ip} port {port}",
                next_step="See whether the service runs at this address, and whether the name must lead there.",
            ) from None
        finally:
            connection.close()
        return {"status": answer.status, "headers": kept, "text": content}


def _connected(ip: str, port: int, limit: float) -> socket.socket:
    """A connection; where nobody takes one in time, nobody is there: another thing than taking it, and being mute."""
    try:
        return socket.create_connection((ip, port), timeout=limit)
    except TimeoutError as exc:
        raise ConnectionError(f"nobody takes a connection within {limit:g} s") from exc
