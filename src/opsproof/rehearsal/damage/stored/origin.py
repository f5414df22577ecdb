"""Sound backups of a small shop, made once on each grounds and copied for every fault."""

import gzip
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from opsproof.rehearsal.stored.notes import base_note, dump_note
from opsproof.stack.clusters import Cluster, Grounds

DAILY, BASE = "postgres/daily/", "postgres/base/"
CLUSTER = "stored-origin"
TABLES = ("orders", "items", "opsproof_heartbeat")
_DAYS = (2, 1, 0)
_SERVERS: WeakKeyDictionary[Grounds, dict[str, Cluster]] = WeakKeyDictionary()
_ORDERS = """
    INSERT INTO orders SELECT n, 'customer ' || md5(n::text), n % 500 + 0.5
    FROM (SELECT coalesce(max(id), 0) AS last FROM orders) AS before, generate_series(last + 1, last + 1500) AS n
"""
_LEAN = (
    "DROP DATABASE postgres",
    "UPDATE pg_database SET datistemplate = false",
    "DROP DATABASE template0",
    "DROP DATABASE template1",
)
_SHOP = (
    "CREATE TABLE orders (id bigint PRIMARY KEY, customer text NOT NULL, total numeric(12, 2) NOT NULL)",
    "CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders, name text)",
    "CREATE TABLE opsproof_heartbeat (id bigint PRIMARY KEY, at timestamptz NOT NULL, writer text NOT NULL)",
    "CREATE VIEW dear AS SELECT * FROM orders WHERE total > 100",
)


def origin(grounds: Grounds) -> Cluster:
    """The server that all sound backups are of; started when it is first asked for."""
    return server(grounds, CLUSTER)


def server(grounds: Grounds, name: str, *options: str, lean: bool = False) -> Cluster:
    """
    A server with the shop in it; started when it is first asked for.

    Args:
        grounds: Where it lives.
        name: Of the cluster.
        options: Of initdb.
        lean: Without any other database: a base backup has a third of the files then.
    """
    running = _SERVERS.setdefault(grounds, {})
    if name in running:
        return running[name]
    cluster = Cluster(grounds, name)
    cluster.initialize("--wal-segsize=1", *options)
    if version(grounds) >= 17:
        cluster.configure(summarize_wal="on")
    cluster.start()
    cluster.sql("CREATE DATABASE shop")
    for statement in (*_SHOP, *(_LEAN if lean else ())):
        cluster.sql(statement, database="shop")
    running[name] = cluster
    return cluster


def version(grounds: Grounds) -> int:
    """Major version of the programs."""
    return int(grounds.programs.run("postgres", "--version").out.split()[2].partition(".")[0])


def work(cluster: Cluster, at: datetime) -> None:
    """A day's work: orders, items, and a heartbeat of that time."""
    with cluster.connect("shop") as connection:
        connection.execute(_ORDERS)
        connection.execute("INSERT INTO items SELECT id, id, 'item' FROM orders WHERE id NOT IN (SELECT id FROM items)")
        connection.execute(
            "INSERT INTO opsproof_heartbeat SELECT count(*), %s, 'origin' FROM opsproof_heartbeat", (at,)
        )


def dump(cluster: Cluster, path: Path, *options: str, database: str = "shop") -> None:
    """Write a dump with pg_dump; packed where its name ends with .gz."""
    raw = path.with_name(f"{path.name}.raw")
    where = ["-h", str(cluster.home), "-p", str(cluster.port), "-U", "postgres", "-d", database]
    folder = cluster.grounds.folder("stored-draft")
    draft = folder / "draft"
    cluster.must("pg_dump", *where, "-f", str(draft), *options)
    shutil.move(draft, raw)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(raw.read_bytes(), 6, mtime=0))
        raw.unlink()
    else:
        raw.replace(path)


def facts(cluster: Cluster) -> dict[str, Any]:
    """What a job notes of the database at the time of a backup."""
    counts = {
        f"public.{table}": cluster.sql(f"SELECT count(*) FROM {table}", database="shop")[0][0]  # noqa: S608
        for table in TABLES
    }
    version_text = cluster.sql("SHOW server_version", database="shop")[0][0]
    return {
        "tables": counts,
        "heartbeat": cluster.sql("SELECT max(at) FROM opsproof_heartbeat", database="shop")[0][0],
        "server_version": version_text,
        "tool_version": version_text,
        "system_identifier": str(
            cluster.sql("SELECT system_identifier FROM pg_control_system()", database="shop")[0][0]
        ),
        "database": "shop",
    }


def note(catalogue: Path, entry: dict[str, Any]) -> None:
    """Write an entry of the catalogue."""
    path = catalogue / f"{entry['name']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entry, indent=1), encoding="utf-8")


def dumps(grounds: Grounds, form: str) -> Path:
    """A folder with `store` and `catalogue`: dumps of three days in one form, and the latest."""
    place = grounds.directory / "stored-dumps"
    if not place.exists():
        draft, cluster = place.with_name("stored-dumps-draft"), origin(grounds)
        now = datetime.now(UTC).replace(microsecond=0)
        for day in _DAYS:
            at = now - timedelta(days=day, hours=1)
            work(cluster, at - timedelta(seconds=30))
            raw = day == _DAYS[0]
            _day(cluster, draft / "custom", at, "dump" if raw else "dump.gz", "-Fc", "-Z0" if raw else "-Z6")
            _day(cluster, draft / "plain", at, "sql.gz", "-Fp")
        draft.rename(place)
    return place / form


def _day(cluster: Cluster, place: Path, at: datetime, end: str, *options: str) -> None:
    path = place / "store" / DAILY / f"{at:%Y%m%dT%H%M%SZ}.{end}"
    path.parent.mkdir(parents=True, exist_ok=True)
    dump(cluster, path, *options)
    os.utime(path, (at.timestamp() + 60,) * 2)
    entry = dump_note(f"{DAILY}{path.name}", path, at, at + timedelta(seconds=60), **facts(cluster))
    note(place / "catalogue", entry)
    for old in path.parent.glob("latest.*"):
        old.unlink()
    shutil.copy2(path, path.with_name(f"latest.{end}"))


def bases(grounds: Grounds) -> Path:
    """A folder with `store` and `catalogue`: two full base backups, and an increment where the version has them."""
    place = grounds.directory / "stored-bases"
    if not place.exists():
        draft = place.with_name("stored-bases-draft")
        cluster = server(grounds, "stored-lean", lean=True)
        first = take(cluster, draft, datetime.now(UTC) - timedelta(seconds=2))
        take(cluster, draft, datetime.now(UTC) - timedelta(seconds=1))
        if version(grounds) >= 17:
            take(cluster, draft, datetime.now(UTC), "--incremental", str(first / "backup_manifest"))
        draft.rename(place)
    return place


def take(cluster: Cluster, draft: Path, at: datetime, *options: str) -> Path:
    """Take a base backup under the name of a time, and note it."""
    work(cluster, datetime.now(UTC))
    name = f"{BASE}{at:%Y%m%dT%H%M%SZ}"
    made = cluster.grounds.folder("stored-taken") / name.rpartition("/")[2]
    shutil.rmtree(made, ignore_errors=True)
    started = datetime.now(UTC)
    done = cluster.copy_to(made, *options)
    if not done.ok:
        raise RuntimeError(f"pg_basebackup: {done.err}")
    known = facts(cluster)
    del known["database"]
    folder = draft / "store" / name
    shutil.copytree(made, folder, symlinks=True)
    note(draft / "catalogue", base_note(name, folder, started, datetime.now(UTC), **known))
    return made
