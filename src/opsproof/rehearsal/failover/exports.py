"""What only the old timeline has, kept before pg_rewind throws it away; and said where it cannot be kept as rows."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.archive.names import read_lsn
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.failover.divergence import Divergence, Fork, records
from opsproof.rehearsal.failover.losses import Losses, losses
from opsproof.rehearsal.failover.lost_rows import Export, LostRows
from opsproof.rehearsal.node import Node
from opsproof.stack.clusters import Cluster

_SHOWN = 5
_DATABASES = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1"


@dataclass(frozen=True)
class Kept:
    """
    What was kept of the old timeline.

    Attributes:
        exports: Rows as CSV.
        missing: In words what is in none of them.
        folder: Where they are.
        wal: SHA-256 of the segments that the old timeline has after the fork, by name; copies are in `folder`/wal.
    """

    exports: tuple[Export, ...]
    missing: tuple[str, ...]
    folder: str
    wal: Mapping[str, str]


async def keep(
    asking: Asking, old: Cluster, scratch: Cluster, primary: Node, lost: Divergence, fork: Fork, folder: Path
) -> Kept:
    """
    Keep what only the lost commits did: each row that they wrote, each row that they deleted as the new primary has it,
    and the WAL of it all.

    A copy of the old data folder is started for it, and never the folder itself: to start it would write there.

    Args:
        asking: Keeps what was exported.
        old: The old primary, stopped.
        scratch: An empty place; it is filled, started with archive and replication off, and stopped again.
        primary: The new primary, asked for the rows that were deleted.
        lost: What was committed.
        fork: Where it began.
        folder: Where the files go; made if need be.

    Raises:
        PreconditionMissing: The old primary runs.
    """
    if runs(old):
        next_step = "Stop it, and fence it, first."
        raise PreconditionMissing(f"{old.name} runs", where=str(old.data), next_step=next_step)

    def call() -> dict[str, Any]:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        wal = _keep_wal(old.data, fork, lost.end, folder / "wal")
        found, _ = records(old.grounds.programs, old.data, fork)
        done = losses(found, set(lost.xids))
        shutil.copytree(old.data, scratch.data, symlinks=True)
        for name in ("standby.signal", "recovery.signal"):
            (scratch.data / name).unlink(missing_ok=True)
        scratch.grounds.programs.own(scratch.data)
        quiet = {"archive_mode": "off", "primary_conninfo": "", "restore_command": "", "synchronous_standby_names": ""}
        scratch.start({**quiet, "max_connections": "100", "autovacuum": "off"})
        try:
            exports, missing = _from_databases(scratch, primary, done, lost.xids, folder)
        finally:
            scratch.stop("immediate")
        return {"exports": [asdict(one) for one in exports], "missing": missing + _beside_rows(done), "wal": wal}

    text = f"what {len(lost.commits)} lost commits of {old.name} did"
    told = await asking.ask(text, "start a copy of the data folder, then COPY ... WHERE xmin::text = ANY(...)", call)
    exports = tuple(Export(**{**one, "digests": tuple(one["digests"])}) for one in told["exports"])
    return Kept(exports, tuple(told["missing"]), str(folder), told["wal"])


def _keep_wal(data: Path, fork: Fork, end: str, folder: Path) -> dict[str, str]:
    """Copies of the segments of the old timeline from the fork on, by name with their SHA-256."""
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = {}
    for segment in sorted((data / "pg_wal").glob(f"{fork.parent:08X}{'[0-9A-F]' * 16}")):
        size = segment.stat().st_size
        start = int(segment.name[8:16], 16) << 32 | int(segment.name[16:], 16) * size
        if start + size > read_lsn(fork.lsn) and start <= read_lsn(end):  # later ones are recycled and hold nothing
            shutil.copyfile(segment, folder / segment.name)
            kept[segment.name] = sha256_of(folder / segment.name)
    return kept


def _from_databases(
    scratch: Cluster, primary: Node, done: Losses, xids: Sequence[int], folder: Path
) -> tuple[list[Export], list[str]]:
    exports, missing = [], []
    for (name,) in scratch.sql(_DATABASES):
        with scratch.connect(name) as old:
            rows = LostRows(name, old, primary, done, xids, folder)
            rows.read()
        exports += rows.exports
        missing += [f"{one} (database {name})" for one in rows.missing]
        done.files = {file: one for file, one in done.files.items() if file not in rows.files}
    missing += [f"rows in file {file}, which is of no table any more" for file in sorted(done.files)]
    return exports, missing


def _beside_rows(done: Losses) -> list[str]:
    """What is in no row."""
    missing = []
    if done.removed:
        files = ", ".join(sorted(done.removed)[:_SHOWN])
        missing.append(
            f"{len(done.removed)} files of tables or indexes were removed (TRUNCATE, DROP, rewrite): {files}"
        )
    if done.messages:
        missing.append(f"{done.messages} logical messages")
    return missing


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def runs(cluster: Cluster) -> bool:
    """Whether a server runs in a data folder, by whomever it was started: its lock file names a living process."""
    if cluster.running():
        return True
    try:
        pid = int((cluster.data / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == cluster.data.resolve()
    except (OSError, ValueError, IndexError):
        return False
