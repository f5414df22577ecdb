"""Split brain: two servers of one cluster that both take writes; and the proof that the old one takes none."""

import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from opsproof.errors import NoData, NotObserved
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.failover import asked
from opsproof.rehearsal.failover.promotion import first_write, has_token, new_token
from opsproof.rehearsal.node import Node

_CONNECT_SECONDS = 3.0
_REFUSED, _SILENT, _OPEN = "refused", "silent", "open"


@dataclass(frozen=True)
class Standing:
    """
    What a server is, by its own words.

    Attributes:
        node: The server.
        address: Where it was asked.
        system_identifier: Of its cluster.
        recovering: Whether it is in recovery.
        timeline: On which it writes, by the name of the WAL file; None in recovery.
        instance: When it was started: two addresses with one instance are one server.
    """

    node: Node
    address: str
    system_identifier: int
    recovering: bool
    timeline: int | None
    instance: str

    def __str__(self) -> str:
        return f"{self.node.name} at {self.address} (timeline {self.timeline})"


async def standing(node: Node) -> Standing:
    """Ask a server what it is. Raises NotObserved where there is no answer."""
    recovering = await asked.recovers(node)
    line = None if recovering else await asked.timeline(node)
    started = await node.value("SELECT pg_postmaster_start_time()::timestamptz")
    return Standing(node, address(node), await asked.system_identifier(node), recovering, line, str(started))


def address(node: Node) -> str:
    """HOST:PORT of a server, or its socket."""
    host, port = _endpoint(node)
    return str(_socket_path(host, port)) if host.startswith("/") else f"{host}:{port}"


class SplitVerification:
    """
    Whether one server of the cluster takes writes, and no other.

    Args:
        new: The server that is the primary now.
        old: Every address by which the old primary can be reached, one Node each.
        asking: Keeps what was found at the addresses.
        write: Seconds within which a write is acknowledged, or not.
        vouched: Whether somebody vouches for what does not answer: that it is fenced.
    """

    def __init__(
        self, new: Node, old: Sequence[Node], asking: Asking, *, write: float = 5.0, vouched: bool = False
    ) -> None:
        self._new = new
        self._old = old
        self._asking = asking
        self._write = write
        self._vouched = vouched

    async def one_server_is_the_primary(self) -> list[str]:
        """
        Of all that answer exactly one is not in recovery, in one cluster.

        Who does not answer is not judged here: see `the_old_primary_takes_no_writes`.
        """
        standings = [await standing(self._new)]
        for node in self._old:
            if await reachable(node, self._asking) == _OPEN:
                standings.append(await standing(node))
        cluster = standings[0].system_identifier
        of_cluster = [one for one in standings if not one.recovering and one.system_identifier == cluster]
        writers = {one.instance: one for one in of_cluster}
        if not writers:
            return [f"no server of the cluster {cluster} has left recovery"]
        if len(writers) > 1:
            told = " and ".join(str(one) for one in writers.values())
            return [f"split brain in cluster {cluster}: {told} are both not in recovery"]
        return []

    async def one_server_takes_the_token(self) -> list[str]:
        """A token is written to each; one server acknowledges it, or all that do show one another's."""
        token = await new_token(self._asking, "split")
        takers = []
        for node in (self._new, *self._old):
            if node is self._new or await reachable(node, self._asking) == _OPEN:
                written = await first_write(node, f"{token}-{node.name}", seconds=self._write)
                if written.commit.acknowledged:
                    takers.append(node)
        if not takers:
            return [f"no server took the token {token}"]
        if self._new not in takers:
            return [f"{self._new.name} does not take the token; {', '.join(node.name for node in takers)} does"]
        found = []
        for other in takers[1:]:
            if await has_token(self._new, f"{token}-{other.name}", of=other):
                continue  # another address of the same server
            found.append(
                f"split brain: {await _named(self._new)} and {await _named(other)} both took the token, and neither "
                "has the other's"
            )
        return found

    async def the_old_primary_takes_no_writes(self) -> list[str]:
        """
        Proven fenced at every address: the connection is refused, or it answers and refuses the write.

        Silence proves nothing, unless somebody vouches for it: others may still reach it.
        """
        if not self._old:
            next_step = "Name its addresses, then ask again."
            raise NoData("no address of the old primary is known", where="the old primary", next_step=next_step)
        found = []
        for node in self._old:
            state = await reachable(node, self._asking)
            if state == _SILENT and not self._vouched:
                found.append(f"{node.name} at {address(node)} does not answer: it may take the writes of others")
            elif state == _OPEN:
                found += await self._refuses(node)
        return found

    async def silent(self) -> tuple[str, ...]:
        """Addresses of the old primary that neither take nor refuse a connection."""
        states = {f"{node.name} at {address(node)}": await reachable(node, self._asking) for node in self._old}
        return tuple(where for where, state in states.items() if state == _SILENT)

    async def _refuses(self, node: Node) -> list[str]:
        try:
            now = await standing(node)
        except NotObserved as exc:
            return [f"{node.name} at {address(node)} listens and lets us not ask ({exc.what}): not proven to be fenced"]
        if now.recovering:
            return []
        written = await first_write(node, await new_token(self._asking, "fenced"), seconds=self._write)
        if written.commit.acknowledged:
            return [f"{now} took a write: it is not fenced"]
        if "read-only" in written.commit.why:
            return []
        return [f"{now} is not in recovery, and why it took no write does not fence it: {written.commit.why}"]


async def reachable(node: Node, asking: Asking) -> str:
    """`refused`, `silent` or `open`: what a bare connection to a server's address comes to."""
    host, port = _endpoint(node)

    def call() -> str:
        try:
            with contextlib.closing(_connect(host, port)):
                return _OPEN
        except (ConnectionRefusedError, FileNotFoundError):
            return _REFUSED
        except OSError:
            return _SILENT

    by_hand = f"pg_isready -h {quote(host)} -p {port}"
    return await asking.ask(f"{node.name}: connect to {address(node)}", by_hand, call, seconds=_CONNECT_SECONDS + 5)


async def _named(node: Node) -> str:
    return str(await standing(node))


def _connect(host: str, port: int) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout=_CONNECT_SECONDS)
    wire = socket.socket(socket.AF_UNIX)
    wire.settimeout(_CONNECT_SECONDS)
    try:
        wire.connect(str(_socket_path(host, port)))
    except OSError:
        wire.close()
        raise
    return wire


def _socket_path(host: str, port: int) -> Path:
    return Path(host) / f".s.PGSQL.{port}"


def _endpoint(node: Node) -> tuple[str, int]:
    import psycopg.conninfo

    told = psycopg.conninfo.conninfo_to_dict(node.conninfo)
    return str(told.get("hostaddr") or told.get("host") or "127.0.0.1"), int(told.get("port") or 5432)
