"""A primary and its standbys out of somebody's own base backup and archive, to be damaged in place of the lab's."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from opsproof.errors import StackError
from opsproof.rehearsal.damage.damage import Area
from opsproof.rehearsal.damage.failover import promotions, returns, standby
from opsproof.rehearsal.damage.failover.pair import Pair, keep_trio, running
from opsproof.rehearsal.restored.bases import restore_base
from opsproof.stack.clusters import Cluster, Grounds

_SCHEMA = "opsproof_lab"
"""What the faults need is made here, in front of what the copy has."""

_CLOSED = {"max_logical_replication_workers": "0", "shared_preload_libraries": "", "ssl": "off"}
"""In force as long as the copies run: no subscription of theirs is served, no job of an extension runs."""


def own_pairs(base: Path, wal: Path | None, database: str) -> list[Area[Any]]:
    """
    The faults of standbys, promotions and the way back, done to servers that are restored from backups.

    Nothing but the folders is read, and neither is changed: what is restored has none of the backup's own settings,
    archives to a folder of the grounds, and takes part in no replication but that of the pair.

    Args:
        base: Folder of the base backup.
        wal: Folder of the archive; None for the WAL that the backup itself holds.
        database: Its database that is looked at.
    """

    @contextlib.contextmanager
    def pairs(grounds: Grounds) -> Iterator[Pair]:
        with running(Pair(grounds, _original(grounds, base, wal, database), database)) as made:
            yield made

    return [
        replace(standby.AREA, lab=partial(standby.standbys, pairs=pairs)),
        replace(promotions.AREA, lab=partial(promotions.promotions, pairs=pairs)),
        replace(returns.AREA, lab=partial(returns.returns, pairs=pairs)),
    ]


def _original(grounds: Grounds, base: Path, wal: Path | None, database: str) -> Path:
    folder = grounds.directory / "own-pair-original"
    if not folder.exists():
        restored = restore_base(grounds, base, wal, "own-primary")
        try:
            if restored.failed:
                next_step = "See by hand whether it can be restored here; it could not be in a disaster."
                what = f"your newest base backup gives no primary: {restored.failed}"
                raise StackError(what, where=base.name, next_step=next_step)
            _prepare(restored.cluster, database)
            restored.cluster.stop()
            _make_alike(restored.cluster)
            made = Pair(grounds, database=database)
            restored.cluster.data.rename(made.home.data)
            made.home.configure(**_CLOSED)
            keep_trio(made, folder)
        finally:
            restored.cluster.kill()
            for left in grounds.directory.glob("own-primary*"):
                shutil.rmtree(left, ignore_errors=True)
    return folder


def _prepare(copy: Cluster, database: str) -> None:
    """A schema of our own in front; and what the machine that it came from sorts by is no fault of this one."""
    if not copy.sql("SELECT 1 FROM pg_database WHERE datname = %s", database):
        next_step = "See that backups.database, or rehearsals.home, names the database that the backup is of."
        raise StackError(f"it has no database {database}", where="your newest base backup", next_step=next_step)
    for (name,) in copy.sql("SELECT quote_ident(datname) FROM pg_database WHERE datallowconn"):
        copy.sql(f"ALTER DATABASE {name} REFRESH COLLATION VERSION")
    ((quoted,),) = copy.sql("SELECT quote_ident(%s::text)", database)
    copy.sql(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}", database=database)
    copy.sql(f"ALTER ROLE postgres IN DATABASE {quoted} SET search_path = {_SCHEMA}, public")
    copy.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    if copy.sql("SELECT 1 FROM pg_roles WHERE rolname = 'service'"):
        copy.sql("ALTER ROLE service RENAME TO opsproof_their_service")


def _make_alike(copy: Cluster) -> None:
    """Checksums as the faults need them, and tablespaces inside of the copy: servers of one machine share none."""
    if copy.control()["Data page checksum version"] == "0":
        copy.must("pg_checksums", "--enable", "-D", str(copy.data), seconds=3600)
    for link in (copy.data / "pg_tblspc").iterdir():
        if link.is_symlink():
            outside = link.resolve()
            link.unlink()
            shutil.move(outside, link)
    copy.grounds.programs.own(copy.data)
