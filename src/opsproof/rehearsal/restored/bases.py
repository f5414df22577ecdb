"""A base backup and its WAL, recovered as a scratch server that reaches nothing outside."""

import re
import shutil
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

from opsproof.errors import StackError
from opsproof.rehearsal.restored.restored import (
    RecoveryTarget,
    Restored,
    closed_settings,
    lines_of,
    only_with_secrets,
)
from opsproof.stack.clusters import Cluster, Grounds

_SEGMENT = re.compile(r"[0-9A-F]{24}")
_READ = re.compile(r'restored log file "([0-9A-F]{24})" from archive')
_DIED = re.compile(r"PANIC:|FATAL:  (?!the database system is|terminating connection)")
_PAUSE = 0.05
_CONTROL = {
    "max_connections": "max_connections setting",
    "max_worker_processes": "max_worker_processes setting",
    "max_wal_senders": "max_wal_senders setting",
    "max_prepared_transactions": "max_prepared_xacts setting",
    "max_locks_per_transaction": "max_locks_per_xact setting",
}
_WANTED = re.compile(
    r"^\s*(shared_preload_libraries|archive_\w+|primary_conninfo|restore_command|recovery_\w+|ssl_passphrase_command)"
    r"\s*=?\s*'(.+)'",
    re.MULTILINE,
)


def restore_base(
    grounds: Grounds,
    base: Path,
    wal: Path | None,
    name: str,
    target: RecoveryTarget | None = None,
    *,
    preload: tuple[str, ...] = (),
    seconds: float = 4 * 3600.0,
) -> Restored:
    """
    Recover a copy of a base backup (pg_basebackup in plain form) to a target, or to the end of the archive.

    The base is never started in its place, and the archive never given to the server: both are copied. Of the backup's
    own configuration nothing is in force: neither postgresql.conf nor postgresql.auto.conf; what they wanted is told in
    `left_out`. The end is a server that is no longer in recovery, and still runs after that; never pg_ctl's word.

    Args:
        grounds: Where the server lives.
        base: Folder of the backup; its user may be another one.
        wal: Folder with the archived segments and history files; None for what the backup itself holds.
        name: Of the scratch server; unique on the grounds.
        target: Where to end; None for the end of the archive.
        preload: Libraries that the data cannot be read without; all others of the backup are left out.
        seconds: Limit of the whole, on this side.

    Returns:
        With `failed` where it did not come to its end: no backup_label, a server that died or is paused, or a limit.
    """
    started, taken = time.monotonic(), {}
    cluster = Cluster(grounds, name)
    try:
        size = _copy(base, cluster)
        label = _label(cluster)
        archive = _copy_wal(wal, cluster, label.segment) if wal is not None else None
        wanted = _neutralize(cluster)
        taken["copy"] = round(time.monotonic() - started, 4)
        end = max(_segments(archive), default="") if archive else ""
        restored = Restored(
            cluster, "postgres", "base", bytes=size, target=target, timeline=label.timeline, archive_end=end,
            left_out=wanted, seconds=taken,
        )  # fmt: skip
        failed = label.missing or _recover(cluster, archive, target, preload, taken, seconds - taken["copy"])
    except (StackError, OSError, shutil.Error) as exc:
        return Restored(cluster, "postgres", "base", failed=_first_words(exc), target=target, seconds=taken)
    return _with_evidence(restored, label.start, failed)


@dataclass(frozen=True)
class _Label:
    start: str
    segment: str
    timeline: int | None
    missing: str = ""


def _copy(base: Path, cluster: Cluster) -> int:
    shutil.rmtree(cluster.data, ignore_errors=True)
    done = subprocess.run(
        ["cp", "-a", "--reflink=auto", str(base), str(cluster.data)], capture_output=True, check=False, text=True
    )
    if done.returncode:
        raise OSError(f"the base cannot be copied: {done.stderr.strip()}")
    for link in [cluster.data / "pg_wal", *(cluster.data / "pg_tblspc").glob("*")]:
        if link.is_symlink():  # whoever wrote through it would write into the original
            outside, inside = link.resolve(), cluster.grounds.folder(f"{cluster.name}-linked") / link.name
            shutil.copytree(outside, inside, symlinks=True)
            cluster.grounds.programs.own(inside)
            link.unlink()
            link.symlink_to(inside)
    (cluster.data / "tablespace_map").unlink(missing_ok=True)
    for leftover in ("postmaster.pid", "standby.signal", "recovery.signal"):
        (cluster.data / leftover).unlink(missing_ok=True)
    cluster.data.chmod(0o700)
    cluster.grounds.programs.own(cluster.data)
    return sum(file.stat().st_size for file in cluster.data.rglob("*") if file.is_file())


def _copy_wal(wal: Path, cluster: Cluster, first: str) -> Path:
    """Copy the history files, and the segments from the first one that is needed, whatever their timeline."""
    copy = cluster.grounds.folder(f"{cluster.name}-wal")
    for file in sorted(wal.iterdir()):
        if file.suffix == ".history" or (_SEGMENT.fullmatch(file.name) and file.name[8:] >= first[8:]):
            shutil.copy2(file, copy / file.name)
    cluster.grounds.programs.own(copy)
    return copy


def _label(cluster: Cluster) -> _Label:
    file = cluster.data / "backup_label"
    if file.exists():
        text = file.read_text(encoding="utf-8", errors="replace")
        start = re.search(r"^START WAL LOCATION: (\S+) \(file ([0-9A-F]{24})\)", text, re.MULTILINE)
        timeline = re.search(r"^START TIMELINE: (\d+)", text, re.MULTILINE)
        missing = "" if start and timeline else "backup_label cannot be read: it names no start of WAL or no timeline"
        lsn, segment = start.groups() if start else ("", "")
        return _Label(lsn, segment, int(timeline[1]) if timeline else None, missing)
    control = cluster.control()
    state, timeline_id = control["Database cluster state"], int(control["Latest checkpoint's TimeLineID"])
    cold = "shut down" in state
    why = f"backup_label is missing, and the cluster is not one that was shut down ({state}): rows would be missing"
    lsn, segment = control["Latest checkpoint's REDO location"], control["Latest checkpoint's REDO WAL file"]
    return _Label(lsn, segment, timeline_id, "" if cold else why)


def _neutralize(cluster: Cluster) -> tuple[str, ...]:
    """Put the backup's configuration out of force; what it wanted that reaches outside or may."""
    wanted = []
    for name in ("postgresql.conf", "postgresql.auto.conf"):
        file = cluster.data / name
        text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        wanted += [
            f"{name}: {key}" + (f" = {value}" if "preload" in key else "") for key, value in _WANTED.findall(text)
        ]
        file.write_text("", encoding="ascii")
    cluster.grounds.programs.own(cluster.data)
    return tuple(dict.fromkeys(wanted))


def _recover(
    cluster: Cluster,
    archive: Path | None,
    target: RecoveryTarget | None,
    preload: tuple[str, ...],
    taken: dict[str, float],
    seconds: float,
) -> str:
    control = cluster.control()
    settings = closed_settings() | {name: control[label] for name, label in _CONTROL.items() if label in control}
    settings |= {"shared_preload_libraries": ",".join(preload), "hot_standby": "on"}
    settings |= target.settings() if target else {"recovery_target_timeline": "latest"}
    settings["restore_command"] = f'cp "{archive}/%f" "%p"' if archive else "false"
    signal = cluster.data / "recovery.signal"
    signal.touch()
    cluster.grounds.programs.own(signal)
    begun = time.monotonic()
    cluster.start(settings, wait=0)
    failed = _ended(cluster, begun + seconds)
    taken["replay"] = round(time.monotonic() - begun, 4)
    if not failed:
        only_with_secrets(cluster)
    return failed


def _ended(cluster: Cluster, deadline: float) -> str:
    """Why recovery did not end; "" when it did, and the server still runs."""
    import psycopg

    paused = "SELECT pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END"
    while time.monotonic() < deadline:
        if not cluster.running():
            lines = [line for line in lines_of(cluster.log) if _DIED.search(line)]
            return f"the server died in recovery: {_message(lines[-1]) if lines else 'its log says no reason'}"
        try:
            in_recovery, is_paused = cluster.sql(paused)[0]
        except psycopg.Error:
            in_recovery, is_paused = True, False
        if not in_recovery:
            return ""
        if is_paused:
            return "recovery is paused at its target: the server reads, and takes no write"
        time.sleep(_PAUSE)
    return "recovery did not end within its time"


def _with_evidence(restored: Restored, start: str, failed: str) -> Restored:
    log = restored.log()
    segments = [found[1] for found in map(_READ.search, log) if found]
    commit = next((line.partition("at log time ")[2] for line in reversed(log) if "at log time " in line), "")
    wal_bytes = None
    if not failed and start:
        sql = "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), %s::pg_lsn)"
        replayed = restored.cluster.sql(sql, start)[0][0]
        wal_bytes = None if replayed is None else int(replayed)
    last = segments[-1] if segments else ""
    return replace(restored, failed=failed, wal_bytes=wal_bytes, last_segment=last, last_commit=commit)


def _segments(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if _SEGMENT.fullmatch(file.name)]


def _message(line: str) -> str:
    return line.partition("FATAL:")[2].strip() or line.partition("PANIC:")[2].strip() or line


def _first_words(error: Exception) -> str:
    return f"{error.what}: {error.where}" if isinstance(error, StackError) else str(error)
