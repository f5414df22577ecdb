"""Nothing that a rehearsal restores reaches the outside: no mail, no payment, no other system (fault F8)."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from opsproof.errors import NoData, PreconditionMissing
from opsproof.rehearsal.node import Node
from opsproof.stack.ports import HOST
from opsproof.stack.process import Process, descendants

_EVERY = 0.2
_TABLES = ("tcp", "tcp6", "udp", "udp6")
_LISTENING = "0A"


class Sink:
    """
    Stands in for a mail or payment server, takes every connection and counts what it is sent.

    >>> with Sink("mail") as mail:
    ...     restored_service.start({"SMTP_URL": f"smtp://127.0.0.1:{mail.port}"})
    ...     mail.taken
    0
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.taken = 0
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._take, daemon=True)

    def _take(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listening.accept()
                self.taken += 1
                connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)


class Egress:
    """
    Looks again and again where processes are connected to, until it is left.

    A connection that lives shorter than the pause between two looks may be missed: sinks and outboxes count as well.

    Args:
        processes: Pids of what was restored, asked anew for each look; their children count too.
        allowed: Networks that they may reach.
    """

    def __init__(self, processes: Callable[[], Iterable[int]], allowed: Sequence[str]) -> None:
        self._processes = processes
        self._allowed = [ipaddress.ip_network(one, strict=False) for one in allowed]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.looks = 0
        self.blind: set[int] = set()
        self.seen: set[str] = set()

    def look(self) -> None:
        """Look once."""
        inodes: dict[str, int] = {}
        for pid in self._all():
            try:
                inodes |= dict.fromkeys(_sockets(pid), pid)
            except PermissionError:
                self.blind.add(pid)
            except OSError:  # it has ended meanwhile
                continue
        for pid in set(inodes.values()):
            for kind, inode, at in _connected(pid):
                if inode in inodes and not self._may(at):
                    self.seen.add(f"{kind} to {at} by pid {inodes[inode]}")
        self.looks += bool(inodes)

    def _all(self) -> set[int]:
        found: set[int] = set()
        for pid in self._processes():
            found.add(pid)
            process = Process.of(pid)
            found |= {one.pid for one in descendants(process)} if process else set()
        return found

    def _may(self, at: str) -> bool:
        host = ipaddress.ip_address(at.rpartition(":")[0].strip("[]"))
        mapped = getattr(host, "ipv4_mapped", None) or host
        return mapped.is_unspecified or any(mapped in network for network in self._allowed)

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY):
            self.look()

    def __enter__(self) -> Self:
        self.look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(10)


async def sent(database: Node, statements: Mapping[str, str], since: datetime, sinks: Iterable[Sink]) -> list[str]:
    """
    What was sent to the outside since a moment: by the outbox of the restored database, and by what sinks have taken.

    Raises:
        PreconditionMissing: Neither is there.
    """
    listening = list(sinks)
    if not statements and not listening:
        raise PreconditionMissing(
            "nothing is named that would show whether something was sent",
            where="rehearsals.recovered.outside",
            next_step="Give `sent`, SQL that counts what the service's outbox has sent.",
        )
    found: list[str] = []
    for name, sql in statements.items():
        count = await database.value(sql, since=since)
        if count != 0:
            found.append(f"{name}: {count} were sent to the outside since {since:%H:%M:%S} UTC")
    found += [f"{one.name}: {one.taken} connections were made to it" for one in listening if one.taken]
    return found


def escaped(egress: Egress | None) -> list[str]:
    """
    Connections to the outside that were seen.

    Raises:
        NoData: Nobody has looked, or there was no process with a socket.
    """
    if egress is None or (not egress.looks and not egress.blind):
        raise NoData(
            "nobody has looked at the connections of the restored services, or none of them runs",
            where="/proc/PID/fd and /proc/PID/net",
            next_step="Give `pid_files` under rehearsals.recovered.outside, on the machine of the restored services.",
        )
    found = [f"connected to the outside: {one}" for one in sorted(egress.seen)]
    if egress.blind:
        pids = ", ".join(map(str, sorted(egress.blind)))
        found.append(f"unknown where pid {pids} is connected to: another user's; run opsproof as root")
    return found


def pids_of(files: Iterable[Path]) -> list[int]:
    """Pids in pid files. Raises NoData for a file without one."""
    found = []
    for file in files:
        try:
            found.append(int(file.read_text().split()[0]))
        except (OSError, ValueError, IndexError):
            raise NoData(
                "no pid can be read", where=str(file), next_step="See what writes it; correct `pid_files`."
            ) from None
    return found


def _sockets(pid: int) -> list[str]:
    found = []
    for entry in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            target = os.readlink(f"/proc/{pid}/fd/{entry}")
            if target.startswith("socket:["):
                found.append(target[8:-1])
    return found


def _connected(pid: int) -> list[tuple[str, str, str]]:
    """Protocol, inode and far end of every connection in the network of a process."""
    found = []
    for table in _TABLES:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]
            for line in lines:
                fields = line.split()
                if fields[3] != _LISTENING and not fields[2].endswith(":0000"):
                    found.append((table, fields[9], _far_end(fields[2])))
    return found


def _far_end(told: str) -> str:
    """The address of /proc/net: words of 4 bytes, each in the machine's order."""
    address, _, port = told.partition(":")
    words = (bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8))
    host = ipaddress.ip_address(b"".join(words))
    return f"{f'[{host}]' if host.version == 6 else host}:{int(port, 16)}"
