"""A dump, restored into an empty scratch cluster of its own."""

import gzip
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

from opsproof.errors import StackError
from opsproof.rehearsal.restored.restored import Restored, closed_settings, only_with_secrets
from opsproof.stack.clusters import Cluster, Grounds

_BLOCK = 1 << 20
_ALREADY_THERE = "already exists"


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
            into the database that it creates itself, or else into one that is made for it.
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
    argv = ["psql", "-X", "-q", "-d", cluster.conninfo("template1")]
    status, err = _fed(cluster, argv, roles, seconds)
    errors = [line for line in err if "ERROR:" in line and _ALREADY_THERE not in line]
    return f"psql could not make the roles (exit {status}): {errors[0]}" if errors or status else ""


def _rows(cluster: Cluster, dump: Path, form: str, database: str, seconds: float) -> str:
    if database == "postgres":
        cluster.sql("DROP DATABASE postgres", database="template1")
    if form == "custom":
        argv = ["pg_restore", "--exit-on-error", "--create", "-d", cluster.conninfo("template1")]
    else:
        if not _creates_database(dump):
            cluster.sql(f'CREATE DATABASE "{database}" TEMPLATE template0', database="template1")
        entered = cluster.conninfo("template1" if _creates_database(dump) else database)
        argv = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", entered]
    status, err = _fed(cluster, argv, dump, seconds)
    if status != 0:
        said = next((line for line in err if "error" in line.lower() or "fatal" in line.lower()), " ".join(err[-1:]))
        return f"{argv[0]} ended with status {status}: {said}"
    there = cluster.sql("SELECT 1 FROM pg_database WHERE datname = %s", database, database="template1")
    return "" if there else f"the dump makes no database {database}"


def _analyze(cluster: Cluster, database: str, seconds: float) -> str:
    done = cluster.grounds.programs.run(
        "vacuumdb", "--analyze-only", "-q", "-d", cluster.conninfo(database), seconds=seconds, cwd=cluster.home
    )
    return "" if done.ok else f"vacuumdb --analyze-only ended with status {done.status}: {done.err.strip()}"


def _fed(cluster: Cluster, argv: list[str], file: Path, seconds: float) -> tuple[int | None, list[str]]:
    """Run a program with a file as its input, unpacked on the way; its status (None: out of time) and its stderr."""
    programs, errors = cluster.grounds.programs, cluster.home / f"{argv[0]}.err"
    with errors.open("wb") as err, _opened(file) as source:
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
        unreadable = ""
        try:
            unreadable = _pumped(source, child)
            status: int | None = child.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            child.kill()
            child.wait()
    lines = errors.read_text(encoding="utf-8", errors="replace").splitlines()
    return (
        (status or 1, [f"error: {file.name} cannot be read to its end: {unreadable}"])
        if unreadable
        else (status, lines)
    )


def _pumped(source: BinaryIO, child: "subprocess.Popen[bytes]") -> str:
    """Feed it; why the source could not be read to its end, or ""."""
    assert child.stdin is not None
    try:
        while block := source.read(_BLOCK):
            child.stdin.write(block)
    except (EOFError, gzip.BadGzipFile) as exc:
        return str(exc)
    except BrokenPipeError:
        return ""
    finally:
        try:
            child.stdin.close()
        except BrokenPipeError:
            child.stdin = None
    return ""


def _opened(file: Path) -> BinaryIO:
    if file.name.endswith(".gz"):
        return gzip.open(file, "rb")  # type: ignore[return-value]
    return file.open("rb")


def _creates_database(dump: Path) -> bool:
    with _opened(dump) as source:
        return b"\nCREATE DATABASE " in source.read(1 << 16)
