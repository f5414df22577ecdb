"""One PostgreSQL server on the grounds of a rehearsal."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsproof.errors import StackError
from opsproof.stack.clusters.grounds import Grounds
from opsproof.stack.clusters.programs import Done
from opsproof.stack.logs import log_tail
from opsproof.stack.ports import HOST
from opsproof.stack.process import Process, descendants, wait_for

if TYPE_CHECKING:
    import psycopg

_SHARED_MEMORY_LINE = 6  # of postmaster.pid: key and id
_IPC_RMID = 0
_SECONDS_TO_SETTLE = 5.0
_QUICK = {"fsync": "off", "shared_buffers": "16MB", "dynamic_shared_memory_type": "mmap", "max_connections": "40"}
_ACCESS = """\
local all         all                   trust
local replication all                   trust
host  all         all      127.0.0.1/32 scram-sha-256
host  replication all      127.0.0.1/32 scram-sha-256
"""


class Cluster:
    """
    One server: its data folder, its socket, and its port of 127.0.0.1 where it listens there.

    Whoever may enter the socket's folder (0700) is let in; over TCP a password is asked for.

    Args:
        grounds: Where it lives.
        name: Unique there.
        tcp: Whether it listens on 127.0.0.1 too; a scratch copy need not.
    """

    def __init__(self, grounds: Grounds, name: str, *, tcp: bool = False) -> None:
        self.grounds = grounds
        self.name = name
        self.home = grounds.folder(name)
        self.data = self.home / "data"
        self.port = grounds.port(name)
        self.database = "postgres"
        """The database that is asked where none is named."""
        self._tcp = tcp
        self._process: Process | None = None

    def initialize(self, *options: str) -> None:
        """
        Make an empty cluster with initdb.

        Args:
            options: Further options of initdb: `--no-data-checksums`.
        """
        argv = ["-D", str(self.data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        self.must("initdb", *argv, *options)

    def configure(self, **settings: str) -> None:
        """Append settings to postgresql.conf; they are in force from the next start, or reload."""
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            for name, value in settings.items():
                file.write(f"{name} = '{value.replace(chr(39), 2 * chr(39))}'\n")

    def listen(self) -> None:
        """From its next start on it listens on 127.0.0.1, too."""
        self._tcp = True

    def start(self, settings: Mapping[str, str] | None = None, *, wait: float = 30.0) -> None:
        """
        Start the server, and wait until it lets somebody in; one in recovery does so when it is consistent.

        Args:
            settings: On the command line, so that they win over every file: {"archive_mode": "off"}.
            wait: Seconds; 0 not to wait.

        Raises:
            StackError: It ended, or lets nobody in.
        """
        access = self.home / "access.conf"
        access.write_text(_ACCESS, encoding="ascii")
        self.grounds.programs.own(access)
        told = {
            "listen_addresses": HOST if self._tcp else "",
            "unix_socket_directories": str(self.home),
            "hba_file": str(access),
            **_QUICK,
            **(settings or {}),
        }
        argv = [str(self.grounds.programs.folder / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        for name, value in told.items():
            argv += ["-c", f"{name}={value}"]
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # SIGKILL leaves it; its pid may be another's by now
        self._process = self.grounds.spawn(argv, name=self.name, cwd=self.home)
        if wait and not wait_for(lambda: not self.running() or self.answers(), wait, pause=0.02):
            raise self._error(f"{self.name} lets nobody in after {wait:g} s")
        if wait and not self.running():
            raise self._error(f"{self.name} ended at its start")

    def running(self) -> bool:
        """Whether the server's process is there; it may let nobody in."""
        return self._process is not None and self._process.alive()

    def answers(self) -> bool:
        """What `pg_isready` says."""
        return self.grounds.programs.run("pg_isready", "-q", "-h", str(self.home), "-p", str(self.port)).ok

    def stop(self, mode: str = "fast") -> None:
        """Stop it by pg_ctl: `smart`, `fast`, or `immediate`, which is as if the machine had lost its power."""
        if self.running():
            self.must("pg_ctl", "stop", "-D", str(self.data), "-m", mode, "-w")
        self._process = None

    def kill(self) -> None:
        """End the server and all its children by SIGKILL, as the loss of a machine does."""
        if self._process is not None:
            first = self._process
            first.send(signal.SIGSTOP)  # so that it makes no more children
            wait_for(lambda: first.state() in ("T", ""), _SECONDS_TO_SETTLE)
            everybody = [first, *descendants(first)]
            for one in everybody:
                one.send(signal.SIGKILL)
            wait_for(lambda: not any(one.alive() for one in everybody), _SECONDS_TO_SETTLE)
            self._remove_shared_memory()
        self._process = None

    def reload(self) -> None:
        """Read postgresql.conf again."""
        self.must("pg_ctl", "reload", "-D", str(self.data))

    @property
    def process(self) -> Process:
        """The server's first process. Raises StackError when it was not started."""
        if self._process is None:
            raise self._error(f"{self.name} was not started")
        return self._process

    def conninfo(self, database: str | None = None, user: str = "postgres") -> str:
        """How libpq reaches it by its socket; needs no password."""
        return f"host={self.home} port={self.port} dbname={database or self.database} user={user}"

    def url(self, database: str, user: str, password: str) -> str:
        """How a service reaches it by TCP."""
        return f"postgresql://{user}:{password}@{HOST}:{self.port}/{database}"

    def connect(self, database: str | None = None, user: str = "postgres") -> psycopg.Connection[Any]:
        """A connection by its socket that commits every statement."""
        import psycopg

        return psycopg.connect(self.conninfo(database, user), autocommit=True, connect_timeout=5)

    def sql(self, statement: str, *parameters: Any, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run one statement by its socket as the superuser, and commit it; its rows."""
        with self.connect(database) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def copy_to(self, data: Path, *options: str) -> Done:
        """Take a base backup of it with pg_basebackup into a folder."""
        where = ["-D", str(data), "-h", str(self.home), "-p", str(self.port), "-U", "postgres"]
        return self.grounds.programs.run("pg_basebackup", *where, "--checkpoint=fast", "--no-sync", *options)

    def control(self) -> dict[str, str]:
        """What pg_controldata says, by its own labels. The timeline there is that of the last checkpoint, not now's."""
        lines = self.must("pg_controldata", "-D", str(self.data)).out.splitlines()
        return {label.strip(): value.strip() for label, _, value in (line.partition(":") for line in lines)}

    def must(self, program: str, *argv: str, seconds: float = 60.0) -> Done:
        """Run one of PostgreSQL's programs. Raises StackError when it does not end with status 0."""
        done = self.grounds.programs.run(program, *argv, seconds=seconds, cwd=self.home)
        if not done.ok:
            raise StackError(
                f"{program} ended with status {done.status}",
                where=f"{self.name}: {done.err.strip() or done.out.strip()}",
                next_step=f"read its lines above, and the server's log: {self.log}",
            )
        return done

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.grounds.log(self.name)

    def _remove_shared_memory(self) -> None:
        """What a killed server leaves in the kernel: it is named in postmaster.pid."""
        import ctypes

        with contextlib.suppress(OSError, IndexError, ValueError):  # it had not come so far
            told = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[_SHARED_MEMORY_LINE]
            ctypes.CDLL(None).shmctl(int(told.split()[1]), _IPC_RMID, None)

    def _error(self, what: str) -> StackError:
        return StackError(what, where=f"{self.log}{log_tail(self.log, {})}", next_step="read the lines above")
