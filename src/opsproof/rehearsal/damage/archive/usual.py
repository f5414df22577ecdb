"""What people usually look at, and what it says of a damaged archive."""

from pathlib import Path

from opsproof.errors import StackError
from opsproof.rehearsal.archive.targets import Target
from opsproof.rehearsal.damage.archive.lab import Lab, promoted
from opsproof.stack.clusters import Cluster


def listing(lab: Lab) -> str:
    """`ls | wc -l`."""
    try:
        return f"ls | wc -l: {len(list(lab.archive.iterdir()))} files"
    except OSError as exc:
        return f"ls: {exc.strerror}"


def statistics(lab: Lab) -> str:
    """pg_stat_archiver."""
    row = lab.server.sql("SELECT archived_count, failed_count, last_archived_wal FROM pg_stat_archiver")[0]
    return f"pg_stat_archiver: archived_count {row[0]}, failed_count {row[1]}, last_archived_wal {row[2]}"


def settings(lab: Lab) -> str:
    """Whether the server answers, and archive_mode."""
    answer = "accepting connections" if lab.server.answers() else "no response"
    return f"pg_isready: {answer}; archive_mode {_shown(lab, 'archive_mode')}"


def restored(lab: Lab) -> str:
    """A restore of the older base backup with all WAL of the archive, as far as its exit status and a row count go."""
    return _restored(lab, lab.first, {})


def restored_to_target(lab: Lab) -> str:
    """A restore of the newest base backup to the target, as far as its exit status and a row count go."""
    wanted = lab.target or Target()
    return _restored(lab, lab.second, {"recovery_target_action": "pause", **wanted.settings()})


def _restored(lab: Lab, base: Path, wanted: dict[str, str]) -> str:
    import psycopg

    copy = lab.copy_of_server("usual", base)
    (copy.data / "recovery.signal").touch()
    lab.grounds.programs.own(copy.data / "recovery.signal")
    told = {"archive_mode": "off", "restore_command": f"cp {lab.archive}/%f %p", **wanted}
    try:
        copy.start(told)
        if not wanted:
            promoted(copy)
        return f"restore: started, {_rows(copy)} rows; the server has {_rows(lab.server)}"
    except (StackError, psycopg.OperationalError):
        lines = [line for line in copy.log.read_text().splitlines() if "FATAL:" in line and "starting up" not in line]
        return f"restore: started and ended: {lines[-1].partition('FATAL:')[2].strip() if lines else 'no reason given'}"
    finally:
        copy.kill()


def _rows(server: Cluster) -> int:
    return int(server.sql("SELECT count(*) FROM opsproof_heartbeat")[0][0])


def _shown(lab: Lab, name: str) -> str:
    return str(lab.server.sql("SELECT current_setting(%s)", name)[0][0])
