"""Faults of a recovery from a base backup: where it ended, what it was made of, and what it reaches."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from opsproof.errors import StackError
from opsproof.rehearsal.damage.damage import Damage
from opsproof.rehearsal.damage.restored.recoveries import Recovery, started
from opsproof.rehearsal.damage.restored.source import DATABASE
from opsproof.rehearsal.restored import RecoveryTarget, Restored, restore_base, time_between
from opsproof.stack.clusters import Cluster
from opsproof.stack.process import wait_for

_END, _ENDED, _WRITE = "the_restore_came_to_its_end", "recovery_has_ended", "a_write_is_read_back"
_MARKERS, _REPLAYED, _TIMELINE = "the_markers_are_right", "the_archive_was_replayed_to_its_end", "the_timeline_advanced"
_ROWS, _TABLES, _OUTSIDE = "every_row_is_what_it_was", "every_table_has_its_rows", "the_copy_reaches_nothing_outside"
_ARCHIVE, _LOG, _CORRUPT = "the_archive_is_untouched", "the_log_tells_of_no_damage", "nothing_is_corrupt"
_TABLE = "core.workflow_instances"


def _fault(
    name: str, source: str, en: str, ko: str, caught_by: tuple[str, ...], inject: Callable[[Recovery], None]
) -> Damage[Recovery]:
    names = tuple(f"restored.{check}" for check in caught_by)
    return Damage(name, source, {"en": en, "ko": ko}, inject, Recovery.usual, names)


def _past_the_end(recovery: Recovery) -> None:
    recovery.target = RecoveryTarget("time", (recovery.source.after.committed + timedelta(hours=1)).isoformat())


def _paused(recovery: Recovery) -> None:
    at = time_between(recovery.source.before, recovery.source.after)
    recovery.target = RecoveryTarget("time", at.value, action="pause")


def _too_early(recovery: Recovery) -> None:
    first, second = recovery.source.early
    recovery.target = time_between(first, second)
    recovery.before, recovery.after = (first.name,), (second.name,)


def _not_given(recovery: Recovery) -> None:
    recovery.target = None


def _without_segment(recovery: Recovery) -> None:
    recovery.target = None
    _segment(recovery, 2).unlink()


def _with_broken_segment(recovery: Recovery) -> None:
    recovery.target = None
    segment = _segment(recovery, 2)
    content = bytearray(segment.read_bytes())
    content[24:64] = bytes(40)
    segment.write_bytes(content)


def _cut_short(recovery: Recovery) -> None:
    recovery.target = None
    names = sorted(path for path in _archive(recovery).iterdir() if len(path.name) == 24)
    first = next(at for at, path in enumerate(names) if path.name == _segment(recovery, 0).name)
    for path in names[first:]:
        path.unlink()
    recovery.after = ("nobody",)


def _without_label(recovery: Recovery) -> None:
    (recovery.base / "backup_label").unlink()


def _as_after_a_crash(recovery: Recovery) -> None:
    def start(one: Recovery, cluster: Cluster) -> None:
        (cluster.data / "backup_label").unlink()
        started(one, cluster, signal=None)

    recovery.by_hand = start


def _with_archiving(recovery: Recovery) -> None:
    def start(one: Recovery, cluster: Cluster) -> None:
        archive = _archive(one)
        command = f'test ! -f "{archive}/%f" && cp "%p" "{archive}/%f"'
        started(one, cluster, signal="recovery.signal", archive_mode="on", archive_command=command)
        wait_for(lambda: any(archive.glob("*.history")), 30, pause=0.05)

    recovery.by_hand = start


def _as_standby(recovery: Recovery) -> None:
    def start(one: Recovery, cluster: Cluster) -> None:
        one.target = None
        upstream = one.source.cluster.conninfo()
        started(
            one, cluster, signal="standby.signal", primary_conninfo=upstream, hot_standby="on", max_wal_senders="10"
        )
        wait_for(lambda: bool(cluster.sql("SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'")), 30)

    recovery.by_hand = start


def _after(do: Callable[[Restored], None]) -> Callable[[Recovery], None]:
    def inject(recovery: Recovery) -> None:
        recovery.afterwards = do

    return inject


def _with_connection_outside(recovery: Recovery) -> None:
    port = recovery.source.cluster.port
    there = f"host=127.0.0.1 port={port} dbname=postgres user=app_report password=lab-report"

    def connect(restored: Restored) -> None:
        restored.cluster.sql("CREATE EXTENSION dblink")
        recovery.session = restored.cluster.connect()
        recovery.session.execute("SELECT dblink_connect('outside', %s)", (there,))

    recovery.afterwards = connect


def _with_subscription(restored: Restored) -> None:
    sql = (
        "CREATE SUBSCRIPTION outside CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false, slot_name = 's')",
        "ALTER SUBSCRIPTION outside ENABLE",
    )
    for statement in sql:
        restored.cluster.sql(statement, database=DATABASE)
    restored.cluster.stop()
    restored.cluster.start({"max_logical_replication_workers": "2", "archive_mode": "off", "max_connections": "100"})


def _read_only(restored: Restored) -> None:
    restored.cluster.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    restored.cluster.reload()
    wait_for(lambda: restored.cluster.sql("SHOW default_transaction_read_only")[0][0] == "on", 30)


def _dead(restored: Restored) -> None:
    restored.cluster.kill()


def _undeclared(recovery: Recovery) -> None:
    recovery.unlogged = ()


def _damaged_before_backup(recovery: Recovery) -> None:
    """Recover, damage a page of the stopped server, start it, and take the base backup of that: nothing objects."""
    made = restore_base(recovery.grounds, recovery.base, recovery.wal, f"{recovery.name}-origin", recovery.target)
    if made.failed:
        raise StackError("the lab's origin did not recover", where=made.failed, next_step="read the line above")
    path = _file_of(made.cluster)
    made.cluster.stop()
    _flip(made.cluster.data / path)
    made.cluster.start()
    base = recovery.grounds.folder(f"{recovery.name}-stored") / "base-of-damaged"
    taken = made.cluster.copy_to(base)
    made.cluster.kill()
    if not taken.ok:
        raise StackError("the base backup failed", where=taken.err, next_step="read its lines above")
    recovery.base, recovery.wal, recovery.target = base, None, None


def _commits_forgotten(recovery: Recovery) -> None:
    """Two bits of pg_xact for each transaction: 10 is rolled back."""
    for path in (recovery.base / "pg_xact").iterdir():
        path.write_bytes(b"\xaa" * path.stat().st_size)


def _zeroed(find: Callable[[Recovery], Path], size: int | None = None) -> Callable[[Recovery], None]:
    """Zeros in place of the first bytes of a file of the backup, or of all of them."""

    def inject(recovery: Recovery) -> None:
        path = recovery.base / find(recovery)
        content = path.read_bytes()
        path.write_bytes(bytes(size or len(content)) + content[size or len(content) :])

    return inject


def _map_of_database(recovery: Recovery) -> Path:
    return _file_of(recovery.source.cluster).parent / "pg_filenode.map"


def _page_flipped(recovery: Recovery) -> None:
    _flip(recovery.base / _file_of(recovery.source.cluster))


def _index_zeroed(recovery: Recovery) -> None:
    path = recovery.base / _file_of(recovery.source.cluster, "core.workflow_instances_by_workflow")
    content = bytearray(path.read_bytes())
    content[8192 + 200 : 8192 + 600] = bytes(400)
    path.write_bytes(content)


def _file_cut(recovery: Recovery) -> None:
    path = recovery.base / _file_of(recovery.source.cluster)
    path.write_bytes(path.read_bytes()[: -2 * 8192])


def _file_of(cluster: Cluster, relation: str = _TABLE) -> Path:
    return Path(cluster.sql("SELECT pg_relation_filepath(%s)", relation, database=DATABASE)[0][0])


def _flip(path: Path) -> None:
    content = path.read_bytes()
    if b"summary 0123 of" not in content:
        raise StackError("the row to be damaged is not in the file", where=str(path), next_step="see the lab")
    path.write_bytes(content.replace(b"summary 0123 of", b"summary 0122 of", 1))


def _archive(recovery: Recovery) -> Path:
    if recovery.wal is None:
        raise StackError("this recovery has no archive", where=recovery.name, next_step="see the lab")
    return recovery.wal


def _segment(recovery: Recovery, number: int) -> Path:
    """The segment that many after the one in which the base backup ended."""
    archive = _archive(recovery)
    ended = max(path.name[:24] for path in archive.glob("*.backup"))
    later = sorted(path for path in archive.iterdir() if len(path.name) == 24 and path.name > ended)
    return later[number]


RECOVERIES = (
    _fault("target-past-the-end", "C1", "The target lies after the end of the archive",
        "목표 시점이 아카이브 끝보다 뒤임",
        (_END,), _past_the_end),
    _fault("paused-at-target", "C5", "Recovery is paused at its target", "복구가 목표 시점에서 일시 중지됨",
        (_END, _ENDED, _WRITE, _TIMELINE), _paused),
    _fault("target-before-backup-end", "C3", "The target lies before the end of the backup",
        "목표 시점이 백업 종료보다 앞섬", (_MARKERS,), _too_early),
    _fault("target-not-given", "D7", "Everything was replayed, the pollution too", "오염까지 모두 재생됨",
        (_MARKERS,), _not_given),
    _fault("segment-missing", "B1", "A segment in the middle is missing, and no target was set",
        "중간 WAL 세그먼트가 없음", (_REPLAYED,), _without_segment),
    _fault("segment-broken", "B2", "A segment in the middle cannot be read, and no target was set",
        "중간 WAL 세그먼트가 손상됨", (_REPLAYED,), _with_broken_segment),
    _fault("archive-ends-early", "", "The archive ends soon after the backup", "아카이브가 백업 직후에 끝남",
        (_MARKERS, _TABLES), _cut_short),
    _fault("backup-label-missing", "A21", "backup_label is missing", "backup_label이 없음", (_END,), _without_label),
    _fault("started-as-after-a-crash", "A21", "The base was started as if it were a server that had crashed",
        "베이스 백업을 장애 후 서버처럼 시작함", (_TIMELINE, _MARKERS), _as_after_a_crash),
    _fault("unlogged-not-declared", "C8", "Unlogged tables are empty, and nobody said that they would be",
        "UNLOGGED 테이블이 비었고 선언되지 않음", ("unlogged_tables_are_declared", _TABLES), _undeclared),
    _fault("page-damaged-before-backup", "A6", "A page was damaged before the backup was taken, without checksums",
        "백업 전에 페이지가 손상됨", (_ROWS,), _damaged_before_backup),
    _fault("commits-forgotten", "", "pg_xact of the backup says that every transaction was rolled back",
        "백업의 pg_xact가 모든 트랜잭션이 롤백되었다고 말함", (_CORRUPT,), _commits_forgotten),
    _fault("fates-zeroed-in-backup", "", "pg_xact of the backup is all zeros", "백업의 pg_xact가 모두 0임",
        (_CORRUPT,), _zeroed(lambda _: Path("pg_xact/0000"))),
    _fault("map-zeroed-in-backup", "", "The map of the database's catalogues is all zeros in the backup",
        "백업의 pg_filenode.map이 모두 0임", (_WRITE,), _zeroed(_map_of_database)),
    _fault("first-page-zeroed-in-backup", "", "The first page of a table is all zeros in the backup",
        "백업의 테이블 첫 페이지가 모두 0임", (_TABLES, _ROWS),
        _zeroed(lambda recovery: _file_of(recovery.source.cluster), 8192)),
    _fault("page-damaged-in-backup", "A1", "One byte of a table was flipped in the backup", "백업의 한 바이트가 뒤집힘",
        (_ROWS,), _page_flipped),
    _fault("index-damaged-in-backup", "A1", "A page of an index was damaged in the backup",
        "백업의 인덱스 페이지가 손상됨",
        (_CORRUPT,), _index_zeroed),
    _fault("table-cut-off-in-backup", "A2", "A table's file was cut off in the backup", "백업의 테이블 파일이 잘림",
        (_TABLES, _ROWS), _file_cut),
    _fault("archives-to-production", "B11", "The scratch server archives into the archive of production",
        "연습 서버가 운영 아카이브에 기록함", (_OUTSIDE, _ARCHIVE), _with_archiving),
    _fault("streams-from-production", "", "The scratch server streams from production",
        "연습 서버가 운영에서 스트리밍함",
        (_OUTSIDE, _ENDED), _as_standby),
    _fault("subscription-served", "", "A subscription is served by the copy in place of production",
        "복사본이 구독을 처리함", (_OUTSIDE,), _after(_with_subscription)),
    _fault("connection-outside", "F8", "A session of the copy holds a connection to another server",
        "복사본이 외부 서버에 접속함", (_OUTSIDE,), _with_connection_outside),
    _fault("takes-no-write", "C5", "The server is no longer in recovery, and takes no write", "서버가 쓰기를 받지 않음",
        (_WRITE,), _after(_read_only)),
    _fault("died-after-start", "C1", "The server came up, and died a moment later", "서버가 시작 직후 종료됨",
        (_END,), _after(_dead)),
)  # fmt: skip
