"""The proof that a scratch server reaches nothing outside: asked of the server, of the kernel, and of the archive."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.restored import Restored
from opsproof.stack.process import Process, descendants

_BLOCK = 1 << 20
_ESTABLISHED = {"01", "02"}
_QUIET = frozenset(
    {
        *("client backend", "parallel worker", "checkpointer", "background writer", "walwriter", "startup"),
        *("autovacuum launcher", "autovacuum worker", "logical replication launcher", "io worker", "walsummarizer"),
    }
)
_MUST_BE = {
    "archive_mode": "off",
    "primary_conninfo": "",
    "listen_addresses": "",
    "max_logical_replication_workers": "0",
}


def listing(folder: Path) -> dict[str, str]:
    """
    What is in a folder, to be compared with later: by path the size and the SHA-256 of each file.

    Args:
        folder: The archive that a rehearsal must not change.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
            found[str(path.relative_to(folder))] = f"{path.stat().st_size} bytes, sha256 {digest.hexdigest()}"
    return found


def changes(before: Mapping[str, str], after: Mapping[str, str], *, still_written: bool = False) -> list[str]:
    """
    What became of an archive during a rehearsal.

    Args:
        before: `listing` before the scratch server was started.
        after: The same afterwards.
        still_written: Whether production archives there meanwhile: new segments of a timeline that was there are well
            then; history files, and segments of another timeline, are not.
    """
    timelines = {name[:8] for name in before}
    said = [f"{name} is gone from the archive" for name in sorted(before.keys() - after.keys())]
    said += [
        f"{name} came into the archive during the rehearsal"
        for name in sorted(after.keys() - before.keys())
        if not still_written or name.endswith(".history") or name[:8] not in timelines
    ]
    said += [
        f"{name} was changed: {after[name]}, was {was}"
        for name, was in sorted(before.items())
        if after.get(name, was) != was
    ]
    return said


async def ways_out(node: Node, restored: Restored) -> list[str]:
    """
    Ways by which a scratch server reaches the outside, or is reached.

    Args:
        node: The server, by its superuser.
        restored: Whose processes are looked at.

    Returns:
        Settings that are not what they must be, jobs that no server needs, subscriptions that would be served, and TCP
        connections that a process of it holds.
    """
    names = ", ".join(f"'{name}'" for name in _MUST_BE)
    settings = await node.rows(f"SELECT name, setting FROM pg_settings WHERE name IN ({names})")  # noqa: S608
    said = [
        f"{row['name']} of the copy is '{row['setting']}', and must be '{_MUST_BE[row['name']]}'"
        for row in settings
        if row["setting"] != _MUST_BE[row["name"]]
    ]
    workers = await node.rows("SELECT pid, backend_type, application_name FROM pg_stat_activity")
    said += [
        f"process {row['pid']} of the copy is a {row['backend_type']}: {row['application_name'] or 'no name'}"
        for row in workers
        if row["backend_type"] not in _QUIET
    ]
    replication = await node.rows("SELECT pid, application_name, client_addr::text FROM pg_stat_replication")
    said += [f"process {row['pid']} of the copy sends WAL to {row['client_addr'] or 'a socket'}" for row in replication]
    enabled = await node.rows("SELECT subname FROM pg_subscription WHERE subenabled")
    served = "SELECT setting <> '0' FROM pg_settings WHERE name = 'max_logical_replication_workers'"
    if enabled and await node.value(served):
        said += [
            f"subscription {row['subname']} is enabled: the copy takes what production's subscriber is sent"
            for row in enabled
        ]

    def call() -> list[str]:
        return tcp_connections(restored.cluster.process)

    by_hand = f"ss -tnp | grep pid={restored.cluster.process.pid}"
    return said + await node.asking.ask(f"{node.name}: TCP connections of its processes", by_hand, call)


def tcp_connections(process: Process) -> list[str]:
    """A sentence for each TCP connection that a process or its children hold, open or about to be; Linux only."""
    sockets = _sockets()
    return [
        f"process {one.pid} of the copy holds a TCP connection to {sockets[inode]}"
        for one in [process, *descendants(process)]
        for inode in sorted(_inodes(one.pid) & sockets.keys())
    ]


def _sockets() -> dict[str, str]:
    found = {}
    for table in ("tcp", "tcp6"):
        file = Path("/proc/net", table)
        for line in file.read_text(encoding="ascii").splitlines()[1:] if file.exists() else ():
            fields = line.split()
            if fields[3] in _ESTABLISHED:
                found[fields[9]] = _address(fields[2])
    return found


def _address(text: str) -> str:
    address, _, port = text.partition(":")
    parts = [str(int(address[at : at + 2], 16)) for at in range(len(address) - 2, -2, -2)]
    return f"{'.'.join(parts) if len(parts) == 4 else address}:{int(port, 16)}"


def _inodes(pid: int) -> set[str]:
    found = set()
    folder = Path("/proc", str(pid), "fd")
    try:
        for link in folder.iterdir():
            target = os.readlink(link)
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except FileNotFoundError:
        return found  # it ended meanwhile
    return found
