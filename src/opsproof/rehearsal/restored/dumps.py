"""A dump, restored into an empty scratch cluster of its own."""

import contextlib
import gzip
import subprocess
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from opsproof.errors import StackError
from opsproof.rehearsal.restored.restored import Restored, closed_settings, only_with_secrets
from opsproof.stack.clusters import Cluster, Grounds

_BLOCK = 1 << 20
_TAIL = 4096
_ALREADY_THERE, _END_LINE = "already exists", b"PostgreSQL database dump complete"
_UNREADABLE = (EOFError, gzip.BadGzipFile, zlib.error)


def restore_dump(
    grounds: Grounds,
    dump: Path,
    name: str,
    *,
    form: Literal["custom", "plain"],
    database: str,
    roles: Path | None = None,
    seconds: float = 4 * 3600.0,
) -> Restored:
    """
    Restore a dump into a new cluster without TCP and without an archive, as strictly as can be, and gather statistics.

    Args:
        grounds: Where the cluster lives.
        dump: A file; unpacked on the way if its name ends with `.gz`.
        name: Of the scratch cluster; unique on the grounds.
        form: `custom` is restored by pg_restore --exit-on-error, database included; `plain` by psql with ON_ERROR_STOP,
            into the database that it creates itself, or else into one that is made for it, and must have its end line.
            psql also runs what else a script holds: compare its hash with the catalogue before.
        database: Name of the database in the dump.
        roles: SQL of pg_dumpall --globals-only, run first; without it a dump with owners cannot be restored.
        seconds: Limit of the whole.

    Returns:
        With `failed` and the first error where it did not come to its end.
    """
    begun, taken = time.monotonic(), {}

    def left() -> float:
        return max(1.0, seconds - (time.monotonic() - begun))

    def timed(part: str, work: Callable[[], str]) -> str:
        start = time.monotonic()
        try:
            return work()
        except StackError as exc:
            return f"{exc.what}: {exc.where}"
        except OSError as exc:
            return f"{exc.strerror}: {exc.filename}"
        finally:
            taken[part] = round(time.monotonic() - start, 4)

    cluster = Cluster(grounds, name)
    failed = timed("start", lambda: _start(cluster))
    if roles is not None and not failed:
        failed = timed("roles", lambda: _roles(cluster, roles, left()))
    if not failed:
        failed = timed("rows", lambda: _rows(cluster, dump, form, database, left()))
    if not failed:
        failed = timed("analyze", lambda: _analyze(cluster, database, left()))
    size = dump.stat().st_size if dump.exists() else 0
    return Restored(cluster, database, "dump", failed=failed, seconds=taken, bytes=size)


def _start(cluster: Cluster) -> str:
    cluster.initialize()
    cluster.start(closed_settings())
    only_with_secrets(cluster)
    return ""


def _roles(cluster: Cluster, roles: Path, seconds: float) -> str:
    fed = _feed(cluster, ["psql", "-X", "-q", "-d", cluster.conninfo("template1")], roles, seconds)
    errors = [line for line in fed.errors if "ERROR:" in line and _ALREADY_THERE not in line]
    if fed.unreadable or fed.status or errors:
        said = fed.unreadable or "".join(errors[:1])
        return f"psql could not make the roles of {roles.name} (exit {fed.status}): {said}"
    return ""


def _rows(cluster: Cluster, dump: Path, form: str, database: str, seconds: float) -> str:
    if database == "postgres":
        cluster.sql("DROP DATABASE postgres", database="template1")
    if form == "custom":
        argv = ["pg_restore", "--exit-on-error", "--create", "-d", cluster.conninfo("template1")]
    else:
        creates = _creates_database(dump)
        if not creates:
            cluster.sql(f'CREATE DATABASE "{database}" TEMPLATE template0', database="template1")
        entered = cluster.conninfo("template1" if creates else database)
        argv = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", entered]
    fed = _feed(cluster, argv, dump, seconds)
    if fed.unreadable:
        return f"{dump.name} cannot be read to its end: {fed.unreadable}"
    if fed.status != 0:
        said = [line for line in fed.errors if "error" in line.lower() or "fatal" in line.lower()] or fed.errors[-1:]
        how = "did not end within its time" if fed.status is None else f"ended with status {fed.status}"
        return f"{argv[0]} {how}: {''.join(said[:1])}"
    if form == "plain" and _END_LINE not in fed.tail:
        return f"{dump.name} has no end line: it was cut off, though psql ended with status 0"
    there = cluster.sql("SELECT 1 FROM pg_database WHERE datname = %s", database, database="template1")
    return "" if there else f"the dump makes no database {database}"


def _analyze(cluster: Cluster, database: str, seconds: float) -> str:
    done = cluster.grounds.programs.run(
        "vacuumdb", "--analyze-only", "-q", "-d", cluster.conninfo(database), seconds=seconds, cwd=cluster.home
    )
    return "" if done.ok else f"vacuumdb --analyze-only ended with status {done.status}: {done.err.strip()}"


@dataclass(frozen=True)
class _Fed:
    status: int | None
    errors: list[str]
    tail: bytes
    unreadable: str


def _feed(cluster: Cluster, argv: list[str], file: Path, seconds: float) -> _Fed:
    """Run a program with a file as its input, unpacked on the way; its status is None when it ran out of time."""
    programs, said = cluster.grounds.programs, cluster.home / f"{argv[0]}.err"
    out_of_time = threading.Event()
    with said.open("wb") as err, _opened(file) as source:
        child = subprocess.Popen(
            [str(programs.folder / argv[0]), *argv[1:]],
            cwd=cluster.home,
            env={"PATH": str(programs.folder), "LC_ALL": "C", "PGPASSFILE": "/dev/null"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=err,
            user=programs.user and programs.user[0],
            group=programs.user and programs.user[1],
            extra_groups=programs.user and [],
        )

        def expire() -> None:
            out_of_time.set()
            child.kill()

        timer = threading.Timer(seconds, expire)
        timer.start()
        try:
            tail, unreadable = _pump(source, child)
            status = child.wait()
        finally:
            timer.cancel()
    lines = said.read_text(encoding="utf-8", errors="replace").splitlines()
    return _Fed(None if out_of_time.is_set() else status, lines, tail, unreadable)


def _pump(source: BinaryIO, child: "subprocess.Popen[bytes]") -> tuple[bytes, str]:
    """Feed it to the end; the last bytes, and why the source could not be read further, or ""."""
    assert child.stdin is not None
    tail = unreadable = b""
    with contextlib.suppress(BrokenPipeError), child.stdin as pipe:  # it says itself why it reads no further
        try:
            while block := source.read(_BLOCK):
                tail = (tail + block)[-_TAIL:]
                pipe.write(block)
        except _UNREADABLE as exc:
            unreadable = str(exc).encode()
    return tail, unreadable.decode()


def _opened(file: Path) -> BinaryIO:
    if file.name.endswith(".gz"):
        return gzip.open(file, "rb")  # type: ignore[return-value]
    return file.open("rb")


def _creates_database(dump: Path) -> bool:
    with _opened(dump) as source, contextlib.suppress(*_UNREADABLE):
        return b"\nCREATE DATABASE " in source.read(1 << 16)
    return False
