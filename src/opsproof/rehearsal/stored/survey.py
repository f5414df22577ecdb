"""Look a base backup through on a copy of it: every file, and what PostgreSQL's own programs say of it."""

from __future__ import annotations

import hashlib
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from opsproof.errors import PreconditionMissing
from opsproof.probes.backup import Objects
from opsproof.rehearsal.stored.catalogue import Noted
from opsproof.rehearsal.stored.insides import impossible
from opsproof.rehearsal.stored.label import Label, read_label
from opsproof.rehearsal.stored.manifest import Manifest, read_manifest
from opsproof.rehearsal.stored.pages import EMPTY, damaged_pages
from opsproof.rehearsal.stored.settings import commands_in
from opsproof.stack.clusters import Programs

_SYSTEM = Path("/usr/lib/postgresql")
_VERIFIED = "backup successfully verified"
_SIGNALS = ("recovery.signal", "standby.signal", "recovery.conf")
_AT_MOST = 30
_FOLDERS = (
    *("base", "global", "pg_wal", "pg_tblspc", "pg_xact", "pg_multixact", "pg_notify", "pg_replslot", "pg_twophase"),
    *("pg_logical", "pg_subtrans", "pg_serial", "pg_snapshots", "pg_stat", "pg_commit_ts"),
)
"""Without these a server does not start; a copy that leaves out empty folders loses some of them."""

_HEX = frozenset("0123456789ABCDEF")


@dataclass
class Survey:
    """
    What a base backup is; plain JSON values.

    Attributes:
        name: Of its folder.
        version: What PG_VERSION says.
        bytes: Of all files.
        manifest_sha256: Of backup_manifest; "" if there is none.
        differences: Between its files and the catalogue, both ways.
        verified: What pg_verifybackup objects to; nothing if it ended with 0 and said that all is well.
        control: What pg_controldata says.
        impossible: What no server could have, though hashes and checksums hold.
        configuration: Its configuration files.
        label: What is in backup_label; None if it is not there, or cannot be read.
        label_problem: Why there is no label.
        manifest: What backup_manifest says.
        signals: Files that would change what a restored copy does.
        commands: Settings with commands, and recovery targets.
        links: Links where none belong, and links that lead nowhere.
        tablespaces: What is wrong between tablespace_map and pg_tblspc; folders that are missing, of a store on this
            machine: a bucket keeps none without a file.
        modes: Files and folders that others may enter, read or write; only of a store on this machine.
        pages: Pages whose checksum does not hold; None if checksums are off. An increment has no whole pages to check.
    """

    name: str
    version: str = ""
    bytes: int = 0
    manifest_sha256: str = ""
    differences: list[str] = field(default_factory=list)
    verified: list[str] = field(default_factory=list)
    control: dict[str, str] = field(default_factory=dict)
    impossible: list[str] = field(default_factory=list)
    configuration: list[str] = field(default_factory=list)
    label: Label | None = None
    label_problem: str = ""
    manifest: Manifest = field(default_factory=Manifest)
    signals: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    tablespaces: list[str] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    pages: list[str] | None = None


def survey(
    objects: Objects, name: str, entry: Noted | None, programs: Programs, scratch: Path, archive: str | None
) -> Survey:
    """
    Look one base backup through.

    Args:
        objects: The store.
        name: Of its folder, without the slash at its end.
        entry: What the catalogue says of it.
        programs: PostgreSQL's; those of the backup's own version are taken where the system has them.
        scratch: Where its copy goes; removed afterwards.
        archive: Prefix of the WAL archive, for a backup that was taken without its WAL; None if there is none.

    Raises:
        PreconditionMissing: There is no room for a copy.
        NotObserved: The store gives no answer.
    """
    found = Survey(name)
    origin = objects.path(name)
    if origin is not None and origin.is_dir():
        found.modes = _open_to_others(origin)
    with copied(objects, name, programs, scratch) as folder:
        files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if _is_file(path)}
        hashes = {path: _sha256(file) for path, file in files.items()}
        found.bytes = sum(file.stat().st_size for file in files.values())
        found.manifest_sha256 = hashes.get("backup_manifest", "")
        found.differences = _differences(hashes, found, entry)
        found.version = _text(files.get("PG_VERSION")).strip()
        found.manifest = read_manifest(folder / "backup_manifest")
        found.label, found.label_problem = read_label(folder / "backup_label")
        found.signals = [one for one in _SIGNALS if (folder / one).exists()]
        found.configuration = [path for path in files if path.endswith(".conf") and "/" not in path]
        found.commands = _unconfirmed_commands(files, hashes, entry)
        kept = origin if origin is not None and origin.is_dir() else None
        found.links, found.tablespaces = _links(kept or folder), _tablespaces(folder)
        found.tablespaces += [f"the folder {one} is missing" for one in _FOLDERS if kept and not (kept / one).is_dir()]
        tools = programs_for(found.version, programs)
        if tools is None:
            here = programs.run("pg_restore", "--version").out.strip().rpartition(" ")[2]
            found.verified = [f"it is of PostgreSQL {found.version or '?'}, and the programs here are of {here}"]
            return found
        wal = None
        if archive is not None and not _segments(folder):
            wal = _from_archive(objects, archive, found, folder)
            programs.own(wal)
        found.verified = _verify(tools, folder, wal)
        done = tools.run("pg_controldata", "-D", str(folder))
        lines = done.out.splitlines() if done.ok and "warning" not in (done.out + done.err).lower() else []
        found.control = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        found.impossible = impossible(folder, found.control, found.label)
        if found.control.get("Data page checksum version", "0") != "0":
            increment = found.label is not None and found.label.parent
            found.pages = [] if increment else damaged_pages(tools, folder, found.label, found.manifest)
    return found


@contextmanager
def copied(objects: Objects, name: str, programs: Programs, scratch: Path) -> Iterator[Path]:
    """
    A copy of a base backup that belongs to the user that PostgreSQL runs as; gone afterwards.

    Raises:
        PreconditionMissing: There is no room for it.
    """
    size = sum(one.size for one in objects.names(f"{name}/"))
    free = shutil.disk_usage(scratch).free
    if size * 1.1 > free:
        raise PreconditionMissing(
            f"no room for a copy of {name}: {size} bytes, {free} are free",
            where=str(scratch),
            next_step="Give the rehearsal a scratch folder with more room.",
        )
    with TemporaryDirectory(prefix="base-", dir=scratch) as place:
        folder = Path(place) / "copy"
        origin = objects.path(name)
        if origin is not None:
            try:
                shutil.copytree(origin, folder, symlinks=True, ignore=_no_files)
            except (shutil.Error, OSError) as exc:
                next_step = "See that its files can be read, and that they are files."
                raise PreconditionMissing(
                    f"{name} cannot be copied: {exc}", where=str(origin), next_step=next_step
                ) from exc
        else:
            folder.mkdir()
            objects.fetch(f"{name}/", folder)
            for empty in EMPTY:  # a bucket keeps no folder without a file
                (folder / empty).mkdir(parents=True, exist_ok=True)
        for one in (Path(place), folder):
            one.chmod(0o700)
        programs.own(Path(place))
        yield folder


def programs_for(version: str, programs: Programs) -> Programs | None:
    """Programs of that major version: those given, or the system's; None if there are none."""
    if programs.run("pg_verifybackup", "--version").out.strip().rpartition(") ")[2].split(".")[0] == version:
        return programs
    folder = _SYSTEM / version / "bin"
    return Programs(folder) if version.isdigit() and (folder / "pg_verifybackup").exists() else None


def _differences(hashes: Mapping[str, str], found: Survey, entry: Noted | None) -> list[str]:
    if entry is None:
        return ["it is not in the catalogue: nobody can say what its files should be"]
    wrong = []
    if found.manifest_sha256 != entry.sha256:
        told = found.manifest_sha256[:12] or "not to be had"
        wrong.append(f"the SHA-256 of backup_manifest is {told}..., the catalogue says {entry.sha256[:12]}...")
    if entry.bytes is not None and found.bytes != entry.bytes:
        wrong.append(f"it has {found.bytes} bytes, the catalogue says {entry.bytes}")
    if entry.files is None:
        wrong.append("the catalogue has no hashes of its files: what pg_verifybackup leaves out is not proven")
        return wrong
    for path in sorted({*hashes, *entry.files}):
        if path not in hashes:
            wrong.append(f"{path} is gone")
        elif path not in entry.files:
            wrong.append(f"{path} is not in the catalogue")
        elif hashes[path] != entry.files[path]:
            wrong.append(f"{path} is not what was stored")
    return wrong[:_AT_MOST]


def _verify(tools: Programs, folder: Path, wal: Path | None) -> list[str]:
    where = ["--wal-directory", str(wal)] if wal else []
    done = tools.run("pg_verifybackup", *where, str(folder), seconds=24 * 3600)
    said = [line.partition("error: ")[2] or line for line in done.err.strip().splitlines()]
    last = (done.out.strip().splitlines() or [""])[-1]
    if done.status == 0 and last == _VERIFIED and not said:
        return []
    return [line.replace(f"{folder}/", "") for line in said[:_AT_MOST]] or [
        f"pg_verifybackup ended with status {done.status} and said {last!r}"
    ]


def _from_archive(objects: Objects, prefix: str, found: Survey, folder: Path) -> Path:
    """The segments that make a backup consistent, taken out of the archive; those that are not there are left out."""
    wal = folder.parent / "wal"
    wal.mkdir(mode=0o700)
    first = found.label.segment if found.label else ""
    for one in objects.names(f"{prefix}{first[:8]}"):
        segment = one.name.removeprefix(prefix)
        if len(segment) == len(first) and set(segment) <= _HEX and segment >= first:
            with (wal / segment).open("wb") as file:
                file.writelines(objects.stream(one.name))
    return wal


def _segments(folder: Path) -> list[Path]:
    wal = folder / "pg_wal"
    return [one for one in wal.iterdir() if len(one.name) == 24] if wal.is_dir() else []


def _unconfirmed_commands(files: Mapping[str, Path], hashes: Mapping[str, str], entry: Noted | None) -> list[str]:
    noted = (entry.files if entry else None) or {}
    found = []
    for path, file in files.items():
        if path.endswith(".conf") and "/" not in path:
            confirmed = noted.get(path) == hashes[path]
            found += [f"{path}: {setting}" for setting in commands_in(_text(file), confirmed=confirmed)]
    return found


def _no_files(folder: str, names: list[str]) -> list[str]:
    """What cannot be copied, for it is a pipe or a socket."""
    modes = {name: (Path(folder) / name).lstat().st_mode for name in names}
    return [name for name, mode in modes.items() if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)]


def _links(folder: Path) -> list[str]:
    found = []
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).as_posix()
        if path.is_symlink() and path.parent != folder / "pg_tblspc":
            found.append(f"{inside} is a link to {path.readlink()}, and no file of the backup")
        elif path.is_symlink() and not path.is_dir():
            found.append(f"{inside} is a link that leads nowhere: {path.readlink()}")
        elif not path.is_symlink() and not path.is_dir() and not path.is_file():
            found.append(f"{inside} is neither a file nor a folder")
    return found


def _tablespaces(folder: Path) -> list[str]:
    told = _text(folder / "tablespace_map").splitlines()
    wanted = {line.partition(" ")[0] for line in told if line}
    place = folder / "pg_tblspc"
    there = {one.name for one in place.iterdir()} if place.is_dir() else set()
    found = [f"tablespace {oid} is in tablespace_map, and not in the backup" for oid in sorted(wanted - there)]
    return found + [
        f"pg_tblspc/{oid} is neither a link nor in tablespace_map"
        for oid in sorted(there - wanted)
        if not (place / oid).is_symlink()
    ]


def _open_to_others(origin: Path) -> list[str]:
    """What the server would refuse to start with, or anybody could read or change."""
    found = []
    for path in (origin, *origin.rglob("*")):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & 0o027:
            inside = path.relative_to(origin).as_posix()
            found.append(f"{inside} has mode {stat.S_IMODE(mode):04o}: others may get at it")
    return found[:_AT_MOST]


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _text(path: Path | None) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path and path.is_file() else ""
