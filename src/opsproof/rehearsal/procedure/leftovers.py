"""What a rehearsal may leave behind, each by name and with how to remove it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from opsproof.errors import OpsproofError, StackError
from opsproof.rehearsal.archive.additions import additions
from opsproof.rehearsal.archive.names import parse
from opsproof.stack.clusters import Grounds
from opsproof.stack.ports import HOST
from opsproof.stack.process import Process, belonging_to, told_of, wait_for

if TYPE_CHECKING:
    from opsproof.rehearsal.procedure.common_steps import CommonSteps

_CONNECT_SECONDS = 1.0
_SECONDS_TO_GO = 5.0
_SHARED_MEMORY = Path("/proc/sysvipc/shm")


class Leftovers:
    """
    The end of a rehearsal: each method removes what is of one kind, and says what of it is left.

    Args:
        recovery: The rehearsal's steps; knows what was started, and what was there before.
    """

    def __init__(self, recovery: CommonSteps) -> None:
        self._recovery = recovery
        self._at = recovery.at

    async def the_writer_has_ended(self) -> list[str]:
        """No outside writer of this scenario writes any more, nor one that an interrupted rehearsal forgot."""
        recovery = self._recovery
        with contextlib.suppress(OpsproofError):  # what lives even so is found below; the ledger is judged elsewhere
            await asyncio.to_thread(recovery.close)
        given = recovery.ledgers

        def call() -> list[str]:
            wait_for(lambda: not told_of(given), _SECONDS_TO_GO, pause=0.05)
            return [f"an outside writer still writes: kill {one.pid}" for one in told_of(given)]

        return await recovery.rehearsal.asking.ask("processes of outside writers", f"pgrep -af {given}", call)

    async def no_row_of_ours_is_left(self) -> list[str]:
        """The tables that only a rehearsal makes are dropped on a primary that stays, and its rows deleted."""
        return [] if self._at.embedded else await self._recovery.take_back()

    async def the_archive_has_nothing_of_ours(self) -> list[str]:
        """What came into an archive that stays was written by the environment's own servers; nothing was changed."""
        before, wal = self._recovery.archive_before, self._at.backups.wal
        if self._at.embedded or before is None or wal is None:
            return []
        known = {*wal.timelines, *(int(name[:8], 16) for name in before if parse(name))}
        now = await self._recovery.archived()
        servers = [self._at.home, self._recovery.recovered]
        return await additions(before, now, servers, known, self._at.objects, wal.prefix)

    async def the_grounds_are_gone(self) -> list[str]:
        """Processes, ports, shared memory and files of the grounds; and those of a rehearsal that was interrupted."""
        grounds, asking = self._at.grounds, self._recovery.rehearsal.asking
        folders = [grounds.directory, *map(Path, self._recovery.earlier_grounds)]

        def call() -> list[str]:
            said = []
            try:
                self._at.close()
            except StackError as exc:
                said.append(f"{exc.what} ({exc.where}): {exc.next_step}")
            return said + left_of(grounds) + [one for folder in folders[1:] for one in left_in(folder)]

        return await asking.ask("end the grounds", f"ls -d {' '.join(map(str, folders))}", call)


def left_of(grounds: Grounds) -> list[str]:
    """What of grounds that were closed is left: a sentence for each process, port, piece of memory and folder."""
    return [
        *left_in(grounds.directory),
        *listening(grounds.ports),
        *_memory_of({one.pid for one in grounds.servers}),
    ]


def left_in(folder: Path) -> list[str]:
    """Processes that carry the mark of a folder of grounds, or serve from it; and the folder itself."""
    said = [f"{_named(one)} of {folder} still runs: kill -KILL {one.pid}" for one in belonging_to(folder)]
    return [*said, f"{folder} is still there: rm -r {folder}"] if folder.exists() else said


def listening(ports: Mapping[str, int]) -> list[str]:
    """Ports of 127.0.0.1, by what listened there, that still take a connection."""
    return [
        f"port {port} of {HOST}, where {name} listened, still takes connections: ss -ltnp 'sport = :{port}' says whose"
        for name, port in ports.items()
        if _accepts(port)
    ]


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=_CONNECT_SECONDS):
            return True
    except ConnectionRefusedError:
        return False
    except OSError:  # who listens and does not answer, listens
        return True


def _memory_of(pids: Iterable[int]) -> list[str]:
    """Shared memory in the kernel that servers have made and not given back."""
    lines = _SHARED_MEMORY.read_text(encoding="ascii").splitlines() if _SHARED_MEMORY.exists() else [""]
    column = {name: number for number, name in enumerate(lines[0].split())}
    rows = [line.split() for line in lines[1:]]
    return [
        f"shared memory of the server that was process {row[column['cpid']]}: ipcrm -m {row[column['shmid']]}"
        for row in rows
        if int(row[column["cpid"]]) in set(pids)
    ]


def _named(process: Process) -> str:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{process.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return f"process {process.pid} ({words.strip()[:60]})"
    return f"process {process.pid}"
