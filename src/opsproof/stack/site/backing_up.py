"""Backups of the embedded sites: a logical dump, a base backup, and what is noted of both elsewhere."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from opsproof.stack.clusters import Cluster, Grounds
from opsproof.stack.site.databases import SYSTEM
from opsproof.stack.state import write_private

DUMPS = "postgres/daily/"
BASES = "postgres/base/"
WAL = "postgres/wal/"
LATEST = "latest.dump.gz"
ROLES = "postgres/globals/latest.sql"

_CHUNK = 1 << 20
_TABLES = """
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""


@dataclass(frozen=True)
class BackedUp:
    """Names of the objects of one backup in the store: a dump, and the folder of a base backup."""

    dump: str
    base: str


class BackupStore:
    """
    The folder of the backups and the folder of the catalogue.

    Args:
        grounds: Where they live.
    """

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        grounds.folder("store/postgres/daily")
        grounds.folder("store/postgres/base")
        grounds.folder("store/postgres/wal")
        self.folder = grounds.folder("store")
        self.catalogue = grounds.folder("catalogue")
        self.wal = self.folder / WAL.rstrip("/")

    def back_up(self, cluster: Cluster) -> BackedUp:
        """
        Dump a server's database, take a base backup of it, and note both in the catalogue.

        Raises:
            StackError: One of PostgreSQL's programs failed.
        """
        at = datetime.now(UTC)
        while (self.folder / f"{BASES}{_stamp(at)}").exists():
            at += timedelta(seconds=1)
        with ThreadPoolExecutor(max_workers=3) as pool:
            roles = pool.submit(self._roles, cluster)
            dump = pool.submit(self._dump, cluster, f"{DUMPS}{_stamp(at)}.dump.gz")
            base = pool.submit(self._base, cluster, f"{BASES}{_stamp(at)}")
            roles.result()
            return BackedUp(dump.result(), base.result())

    def _roles(self, cluster: Cluster) -> None:
        done = cluster.must("pg_dumpall", "-h", str(cluster.home), "-p", str(cluster.port), "-U", "postgres", "-g")
        stored = self.folder / ROLES
        stored.parent.mkdir(parents=True, exist_ok=True)
        write_private(stored, done.out)
        self._grounds.programs.own(stored.parent)

    def _dump(self, cluster: Cluster, name: str) -> str:
        started = _now()
        draft = self._grounds.folder("dumping") / Path(name).stem
        with cluster.connect(SYSTEM) as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            ((snapshot, lsn, file),) = connection.execute(
                "SELECT pg_export_snapshot(), lsn::text, pg_walfile_name(lsn) FROM pg_current_wal_lsn() AS lsn"
            ).fetchall()
            cluster.must(
                "pg_dump",
                *("-h", str(cluster.home), "-p", str(cluster.port), "-U", "postgres", "-d", SYSTEM),
                *("-Fc", "-Z0", f"--snapshot={snapshot}", "-f", str(draft)),
            )
            tables = {
                table: connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()[0][0]  # noqa: S608
                for (table,) in connection.execute(_TABLES).fetchall()
            }
            heartbeat = connection.execute("SELECT max(at) FROM opsproof_heartbeat").fetchall()[0][0]
        stored = self.folder / name
        with draft.open("rb") as source, gzip.open(stored, "wb", compresslevel=1) as target:
            shutil.copyfileobj(source, target, _CHUNK)
        draft.unlink()
        shutil.copyfile(stored, stored.with_name(LATEST))
        facts = {"sha256": _sha256(stored), "bytes": stored.stat().st_size, "start_lsn": lsn, "stop_lsn": lsn}
        facts |= {"timeline": int(file[:8], 16), "tables": tables}
        self._note(name, cluster, started, heartbeat, "pg_dump", facts)
        return name

    def _base(self, cluster: Cluster, name: str) -> str:
        started = _now()
        ((heartbeat,),) = cluster.sql("SELECT max(at) FROM opsproof_heartbeat", database=SYSTEM)
        folder = self.folder / name
        cluster.must(
            "pg_basebackup",
            *("-D", str(folder), "-h", str(cluster.home), "-p", str(cluster.port), "-U", "replicator"),
            *("-Fp", "--wal-method=stream", "--manifest-checksums=SHA256", "--checkpoint=fast", "--no-sync"),
        )
        files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
        manifest = json.loads((folder / "backup_manifest").read_bytes())
        (log,) = manifest["WAL-Ranges"]
        facts = {
            "sha256": _sha256(folder / "backup_manifest"),
            "bytes": sum(path.stat().st_size for path in files.values()),
            "start_lsn": log["Start-LSN"],
            "stop_lsn": log["End-LSN"],
            "timeline": log["Timeline"],
            "files": {relative: _sha256(path) for relative, path in files.items()},
        }
        self._note(name, cluster, started, heartbeat, "pg_basebackup", facts)
        return name

    def _note(
        self,
        name: str,
        cluster: Cluster,
        started: str,
        heartbeat: datetime | None,
        tool: str,
        facts: Mapping[str, Any],
    ) -> None:
        entry = {
            "name": name,
            "started": started,
            "finished": _now(),
            "server_version": cluster.sql("SHOW server_version")[0][0],
            "tool_version": cluster.must(tool, "--version").out.split()[2],
            "system_identifier": str(cluster.sql("SELECT system_identifier FROM pg_control_system()")[0][0]),
            "heartbeat": heartbeat and heartbeat.astimezone(UTC).isoformat(),
            **facts,
        }
        path = self.catalogue / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(entry, indent=1), encoding="utf-8")


def _stamp(at: datetime) -> str:
    return at.strftime("%Y%m%dT%H%M%SZ")


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
