"""Which database the service is really on, asked through the service itself."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsproof.errors import NoData, NotObserved, PreconditionMissing, TimedOut, Unreachable
from opsproof.probes.fields import FieldMissing, field
from opsproof.profile.recovered import Connections, Recovered
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.site.door import Door, Reply

_IDENTITY = """
    SELECT current_setting('port')::int AS port,
        (SELECT system_identifier::text FROM pg_control_system()) AS identifier,
        ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline
"""
_OPEN = """
    SELECT pg_is_in_recovery() AS in_recovery, current_setting('transaction_read_only') AS read_only,
        current_setting('port')::int AS port
"""
_READ_SECONDS = 5.0
_AT_ALL = ("authentication failed", "does not exist", "no password supplied", "too many", "not permitted to log in")
"""A server that says this is there, and serves others."""


@dataclass(frozen=True)
class Identity:
    """
    A primary, as it must be told by the service.

    Attributes:
        port: Of the server, not of a pooler before it.
        system_identifier: Of the cluster.
        timeline: By the name of its WAL file; the control file's is that of the last checkpoint.
    """

    port: int
    system_identifier: str
    timeline: int


class Pools:
    """
    Compares what the service says of its connections with what the new primary says of itself.

    Args:
        door: The way into the service.
        recovered: The service.
        primary: The new primary, asked directly.
        token: Of this rehearsal; part of the id of the row that is written.
    """

    def __init__(self, door: Door, recovered: Recovered, primary: Node, token: str) -> None:
        self._door = door
        self._recovered = recovered
        self._primary = primary
        self._token = f"opsproof-{token}"

    async def identity(self) -> Identity:
        """What the new primary says of itself; a server in recovery is none, and gives no answer."""
        row = (await self._primary.rows(_IDENTITY))[0]
        return Identity(int(row["port"]), str(row["identifier"]), int(row["timeline"]))

    async def elsewhere(self) -> list[str]:
        """Connections of the service that are not to the new primary; asked again and again, on new connections."""
        told = self._told_by_profile()
        wanted = await self.identity()
        found: list[str] = []
        for _ in range(told.asks):
            reply = await self._door.get(told.path, identity=self._recovered.admin)
            connections, wrong = _connections(reply, told)
            found += wrong
            pids = [int(one[told.pid]) for one in connections if str(one.get(told.pid, "")).isdecimal()]
            found += [line for one in connections for line in differs(one, told, wanted, reply.question)]
            found += await self._unknown(pids, reply, told)
        return list(dict.fromkeys(found))

    async def still_served(self, addresses: Sequence[str]) -> list[str]:
        """
        Addresses of the home site at which a service answers that is not seen to only read.

        Args:
            addresses: Those that the DR site does not have.
        """
        told = self._told_by_profile()
        if not addresses:
            raise PreconditionMissing(
                "the profile names no address that the public name has at the home site alone",
                where="rehearsals.names",
                next_step="Name the public name with its `home` and `dr` addresses.",
            )
        found: list[str] = []
        for at in addresses:
            try:
                reply = await self._door.get(told.path, identity=self._recovered.admin, address=at)
                connections, _ = _connections(reply, told)
            except Unreachable:
                continue
            except NotObserved as exc:
                found.append(f"something answers at {at} of the home site, unknown whether it takes writes: {exc.what}")
                continue
            reads = connections and all(one.get(told.in_recovery) is True for one in connections)
            if reply.status < 500 and not reads:
                found.append(f"the service still answers at {at} of the home site, and its database is not in recovery")
        return found

    async def _unknown(self, pids: list[int], reply: Reply, told: Connections) -> list[str]:
        """A pool may close a connection between the two questions; one that stays unknown was never there."""
        if not await self._strangers(pids):
            return []
        again, _ = _connections(await self._door.get(told.path, identity=self._recovered.admin), told)
        pids = [int(one[told.pid]) for one in again if str(one.get(told.pid, "")).isdecimal()]
        strangers = await self._strangers(pids)
        if not strangers:
            return []
        return [f"{reply.question}: the new primary knows no session with pid {', '.join(map(str, strangers))}"]

    async def _strangers(self, pids: list[int]) -> list[int]:
        rows = await self._primary.rows("SELECT pid FROM pg_stat_activity WHERE pid = ANY(%(pids)s)", pids=pids)
        return sorted(set(pids) - {int(row["pid"]) for row in rows})

    async def blind(self) -> list[str]:
        """
        Answers of the service in which a row is missing that was committed on the new primary.

        Notices a pool on the old server where the service tells nothing of its connections.
        """
        told = self._told_by_profile()
        if not told.write:
            raise PreconditionMissing(
                "nothing is named that could be written and read through the service",
                where="rehearsals.recovered.connections of the profile",
                next_step="Give `write`, `read` and `remove`.",
            )
        await self._primary.rows(told.remove, token=self._token)
        commit = await self._primary.commit(told.write, token=self._token)
        if not commit.acknowledged:
            return [f"no row can be written on the new primary: {commit.why}"]
        try:
            return await self._read_back(told)
        finally:
            await self._primary.rows(told.remove, token=self._token)

    async def _read_back(self, told: Connections) -> list[str]:
        path = told.read.replace("{token}", self._token)
        await self._door.get_until(path, lambda reply: _shows(reply, self._token), within=_READ_SECONDS)
        replies = [await self._door.get(path) for _ in range(told.asks)]
        missing = [one for one in replies if not _shows(one, self._token)]
        if not missing:
            return []
        last = missing[-1]
        return [
            f"a row of the new primary is missing in {len(missing)} of {len(replies)} answers of the service: "
            f"{last.question} gives status {last.status}"
        ]

    def _told_by_profile(self) -> Connections:
        if self._recovered.connections is None:
            raise PreconditionMissing(
                "the profile does not say how the service tells its connections",
                where="rehearsals.recovered",
                next_step="Give `connections`.",
            )
        return self._recovered.connections


async def still_open(former: Node) -> list[str]:
    """
    Why the old primary may still take a write of the service; nothing is written there.

    A refused connection and a server that only reads are well; one that lets in, or may let in somebody else, is not.

    Args:
        former: The old primary, as the service's own role.
    """
    try:
        rows = await former.rows(_OPEN, seconds=5)
    except Unreachable as exc:
        if any(words in exc.what for words in _AT_ALL):
            return [f"{former.name} answers at its old address, unknown whether it takes writes: {exc.what}"]
        if "timeout" in exc.what and await _takes_connections(former):
            return [f"{former.name} takes the connection at its old address and says nothing: it may go on any time"]
        return []
    except TimedOut as exc:
        return [f"{former.name} has taken the connection at its old address and says nothing: {exc.what}"]
    except NotObserved as exc:
        return [f"{former.name} answers at its old address, unknown whether it takes writes: {exc.what}"]
    row = rows[0]
    if row["in_recovery"] or row["read_only"] == "on":
        return []
    return [f"{former.name} takes writes at its old address (port {row['port']}, not in recovery, not read-only)"]


async def _takes_connections(former: Node) -> bool:
    """Whether somebody listens, who may be frozen; a machine that is gone takes no connection either."""
    from psycopg.conninfo import conninfo_to_dict

    told = conninfo_to_dict(former.conninfo)
    host, port = str(told.get("hostaddr") or told.get("host") or "localhost"), int(told.get("port") or 5432)

    def call() -> bool:
        family = socket.AF_UNIX if host.startswith("/") else socket.AF_INET
        try:
            if family == socket.AF_INET:
                socket.create_connection((host, port), timeout=_READ_SECONDS).close()
                return True
            with socket.socket(family) as wire:
                wire.settimeout(_READ_SECONDS)
                wire.connect(f"{host}/.s.PGSQL.{port}")
        except OSError:
            return False
        return True

    return await former.asking.ask(f"{former.name}: whether {host} port {port} listens", f"nc -z {host} {port}", call)


def differs(one: Mapping[str, Any], told: Connections, wanted: Identity, where: str) -> list[str]:
    """What is wrong with a connection that the service told of; what it leaves out is wrong as well."""
    who = f"{where}: connection {one.get(told.pid, '?')}"
    pairs = (
        ("port", one.get(told.port), wanted.port),
        ("system identifier", one.get(told.system_identifier), wanted.system_identifier),
        ("timeline", one.get(told.timeline), wanted.timeline),
        ("in recovery", one.get(told.in_recovery), False),
    )
    return [
        f"{who} is to another server: {name} {'not told' if is_ is None else is_}, the new primary has {must}"
        for name, is_, must in pairs
        if str(is_) != str(must)
    ]


def _connections(reply: Reply, told: Connections) -> tuple[list[Mapping[str, Any]], list[str]]:
    if reply.status in (401, 403, 404):
        raise PreconditionMissing(
            f"status {reply.status}",
            where=reply.question,
            next_step="Correct rehearsals.recovered.connections.path, or the identity `admin`.",
        )
    if not reply.ok:
        return [], [f"{reply.question}: status {reply.status}: {reply.text[:120]}"]
    try:
        listed = field(reply.json(), told.items)
    except FieldMissing as exc:
        raise NoData(
            f"the answer {exc.there}", where=reply.question, next_step="Correct rehearsals.recovered.connections.items."
        ) from None
    known: list[Mapping[str, Any]] = [
        one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict)
    ]
    if not known:
        return [], [f"{reply.question}: the service has no connection to a database at all"]
    return known, []


def _shows(reply: Reply, token: str) -> bool:
    return reply.ok and token in reply.text
