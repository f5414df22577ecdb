"""What people usually do to see whether a backup is good, and what it says of a damaged one."""

import contextlib
import shutil
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from opsproof.rehearsal.damage.stored.lab import StoredLab
from opsproof.rehearsal.damage.stored.origin import origin

_GZIP = 16 + zlib.MAX_WBITS


def look_at_custom(lab: StoredLab) -> str:
    """`ls -l`, the age of the file, and `pg_restore -l` of the newest dump and of the one that was damaged last."""
    return "; ".join([_listed(lab), *(_contents(lab, path) for path in lab.backups)])


def restore_plain(lab: StoredLab) -> str:
    """`ls -l`, and `gunzip | psql` of each dump into an empty database: the pipe's exit status is psql's."""
    return "; ".join([_listed(lab), *(_restored(lab, path) for path in lab.backups)])


def verify_bases(lab: StoredLab) -> str:
    """`pg_verifybackup` of each base backup: its exit status."""
    said = [_listed(lab)]
    for path in lab.backups:
        place = lab.grounds.folder("stored-usual")
        with _reachable(lab, path, place) as folder:
            done = lab.grounds.programs.run("pg_verifybackup", str(folder))
        words = (done.out.strip() or done.err.strip()).splitlines()[:1]
        said.append(f"pg_verifybackup {path.name}: exit {done.status}, {''.join(words).replace(str(folder), '')!r}")
    return "; ".join(said)


def _listed(lab: StoredLab) -> str:
    if not lab.backups:
        return "ls -l: nothing"
    newest = lab.newest
    stat = newest.stat()
    hours = (lab.clock() + lab.later - datetime.fromtimestamp(stat.st_mtime, UTC)).total_seconds() / 3600
    return f"ls -l: {newest.name}, {stat.st_size} bytes, {max(hours, 0):.0f} h old"


def _contents(lab: StoredLab, path: Path) -> str:
    with _file(lab, path) as file:
        done = lab.grounds.programs.run("pg_restore", "-l", str(file))
    entries = sum(1 for line in done.out.splitlines() if line and not line.startswith(";"))
    return f"pg_restore -l {path.name}: exit {done.status}, {entries} entries"


def _restored(lab: StoredLab, path: Path) -> str:
    cluster = origin(lab.grounds)
    for statement in ("DROP DATABASE IF EXISTS restored", "CREATE DATABASE restored"):
        cluster.sql(statement)
    with _file(lab, path) as file:
        where = ["-h", str(cluster.home), "-p", str(cluster.port), "-U", "postgres", "-d", "restored", "-X", "-q"]
        done = lab.grounds.programs.run("psql", *where, "-f", str(file))
    return f"gunzip | psql of {path.name}: exit {done.status}"


@contextlib.contextmanager
def _file(lab: StoredLab, path: Path) -> Iterator[Path]:
    """The dump, unpacked as far as gunzip comes, where PostgreSQL's programs can read it."""
    file = lab.grounds.folder("stored-usual") / "dump"
    content = path.read_bytes()
    if path.suffix == ".gz":
        packed = zlib.decompressobj(_GZIP)
        unpacked = bytearray()
        with contextlib.suppress(zlib.error):
            for at in range(0, len(content), 4096):
                unpacked += packed.decompress(content[at : at + 4096])
        content = bytes(unpacked)
    file.write_bytes(content)
    lab.grounds.programs.own(file)
    yield file
    file.unlink()


@contextlib.contextmanager
def _reachable(lab: StoredLab, path: Path, place: Path) -> Iterator[Path]:
    """A copy that belongs to the user that PostgreSQL's programs run as."""

    folder = place / path.name
    shutil.copytree(path, folder, symlinks=True)
    lab.grounds.programs.own(folder)
    yield folder
    shutil.rmtree(folder)
