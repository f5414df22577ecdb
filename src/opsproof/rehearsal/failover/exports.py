"""Rows that only the old timeline has, kept before pg_rewind throws them away."""

import csv
import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.failover.divergence import Divergence
from opsproof.stack.clusters import Cluster

if TYPE_CHECKING:
    import psycopg

_TABLES = """
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg_toast%' ORDER BY 1
"""
_DATABASES = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1"


@dataclass(frozen=True)
class Export:
    """
    Rows of one table that only the old timeline has, kept as CSV.

    Attributes:
        database: Where the table is.
        table: Its quoted name.
        rows: How many.
        file: Path of the CSV.
        sha256: Of the CSV.
        digests: MD5 of each row's text, to look for it elsewhere.
    """

    database: str
    table: str
    rows: int
    file: str
    sha256: str
    digests: tuple[str, ...]


async def export(asking: Asking, old: Cluster, scratch: Cluster, lost: Divergence, folder: Path) -> list[Export]:
    """
    Keep every row version that only the lost commits wrote, as CSV with its sha256.

    A copy of the old data folder is started for it, and never the folder itself: to start it would write there.

    Args:
        asking: Keeps what was exported.
        old: The old primary, stopped.
        scratch: An empty place; it is filled, started with archive and replication off, and stopped again.
        lost: What was committed.
        folder: Where the CSV go; made if need be.

    Raises:
        PreconditionMissing: The old primary runs.
    """
    if runs(old):
        next_step = "Stop it, and fence it, first."
        raise PreconditionMissing(f"{old.name} runs", where=str(old.data), next_step=next_step)

    def call() -> list[dict[str, Any]]:
        shutil.copytree(old.data, scratch.data, symlinks=True)
        for name in ("standby.signal", "recovery.signal"):
            (scratch.data / name).unlink(missing_ok=True)
        scratch.grounds.programs.own(scratch.data)
        quiet = {"archive_mode": "off", "primary_conninfo": "", "restore_command": "", "synchronous_standby_names": ""}
        scratch.start({**quiet, "max_connections": "100", "autovacuum": "off"})
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            databases = [row[0] for row in scratch.sql(_DATABASES)]
            return [asdict(one) for database in databases for one in _export(scratch, database, lost.xids, folder)]
        finally:
            scratch.stop("immediate")

    text = f"rows of {len(lost.commits)} lost commits of {old.name}"
    told = await asking.ask(text, "start a copy of the data folder, then COPY ... WHERE xmin::text = ANY(...)", call)
    return [Export(**{**one, "digests": tuple(one["digests"])}) for one in told]


def _export(scratch: Cluster, database: str, xids: Sequence[int], folder: Path) -> Iterator[Export]:
    with scratch.connect(database) as connection:
        for (table,) in connection.execute(_TABLES).fetchall():
            safe = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{database}.{table}")
            exported = _export_table(connection, database, table, [str(xid) for xid in xids], folder / f"{safe}.csv")
            if exported is not None:
                yield exported


def _export_table(
    connection: "psycopg.Connection[Any]", database: str, table: str, xids: Sequence[str], file: Path
) -> Export | None:
    sql = f"SELECT md5(t::text), xmin::text AS lost_xid, t.* FROM {table} t WHERE xmin::text = ANY(%s)"  # noqa: S608
    cursor = connection.execute(sql, [list(xids)])
    columns = [column.name for column in cursor.description or ()][1:]
    rows = cursor.fetchall()
    if not rows:
        return None
    file.touch(mode=0o600)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(row[1:] for row in rows)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return Export(database, table, len(rows), str(file), sha256, tuple(row[0] for row in rows))


def runs(cluster: Cluster) -> bool:
    """Whether a server runs in a data folder, by whomever it was started: its lock file names a living process."""
    if cluster.running():
        return True
    try:
        pid = int((cluster.data / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == cluster.data.resolve()
    except (OSError, ValueError, IndexError):
        return False
