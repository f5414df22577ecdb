"""Damage to what lies in the archive."""

import shutil

from opsproof.rehearsal.damage.archive import usual
from opsproof.rehearsal.damage.archive.lab import Lab, promoted
from opsproof.rehearsal.damage.damage import Damage, NotApplicable
from opsproof.stack.clusters import Cluster

_NAMES = "backup.every_object_of_the_archive_has_a_known_name"
_PLACES = "backup.every_segment_belongs_where_it_is"
_GAPS = "backup.the_archive_has_no_gap"
_RECORDS = "backup.every_record_of_the_archive_can_be_read"
_HASHES = "backup.every_segment_is_what_was_archived"
_TIMELINES = "backup.every_timeline_is_explained"
_HISTORIES = "backup.every_base_backup_has_its_history_file"
_MINIMAL = "backup.no_wal_was_made_at_the_minimal_level"
_BELIEVED = "backup.what_was_archived_is_in_the_archive"
_REACH = "backup.every_moment_can_be_recovered"


def _remove_middle(lab: Lab) -> None:
    lab.middle().unlink()


def _corrupt_middle(lab: Lab) -> None:
    _overwrite(lab, 20_000, b"\xde\xad\xbe\xef")


def _cut_off(lab: Lab) -> None:
    with lab.middle().open("r+b") as file:
        file.truncate(lab.size // 2)


def _zero_tail(lab: Lab) -> None:
    _overwrite(lab, 30_000, bytes(lab.size - 30_000))


def _hole(lab: Lab) -> None:
    _overwrite(lab, 2 * 8192, bytes(8192))


def _byte_behind_the_switch(lab: Lab) -> None:
    _overwrite(lab, lab.size - 100, b"\x01")


def _empty(lab: Lab) -> None:
    lab.middle().write_bytes(b"")


def _longer(lab: Lab) -> None:
    with lab.middle().open("ab") as file:
        file.write(bytes(512))


def _under_another_name(lab: Lab) -> None:
    shutil.copy(lab.segments()[1], lab.middle())


def _swapped(lab: Lab) -> None:
    first, second = lab.segments()[1:3]
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def _of_another_cluster(lab: Lab) -> None:
    """The same position on the same timeline, of another cluster: only its head tells."""
    lab.of_two_timelines()
    other = Cluster(lab.grounds, f"{lab.home.name}-other")
    other.initialize("--wal-segsize=1")
    name = lab.segments(1)[-1].name
    other.start()
    other.sql("CREATE TABLE filler (t text)")
    while other.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")[0][0] <= name:
        other.sql("INSERT INTO filler SELECT repeat(md5(n::text), 8) FROM generate_series(1, 100) n")
        other.sql("SELECT pg_switch_wal()")
    theirs = next(path for path in sorted((other.data / "pg_wal").iterdir()) if path.name >= name)
    shutil.copy(theirs, lab.archive / theirs.name)
    other.kill()


def _of_a_history_given_up(lab: Lab) -> None:
    """The former primary's last segment, behind the point where it was left, under the name of today's timeline."""
    lab.of_two_timelines()
    left = next(lab.archive.glob("00000001*.partial"))
    shutil.copy(left, lab.archive / f"00000002{left.name[8:24]}")


def _partial_in_its_place(lab: Lab) -> None:
    lab.middle().rename(lab.middle().with_suffix(".partial"))


def _newest_gone(lab: Lab) -> None:
    for path in lab.segments()[-2:]:
        path.unlink()


def _archive_gone(lab: Lab) -> None:
    lab.archive.rename(lab.archive.with_name("wal-elsewhere"))


def _expired_below_the_base(lab: Lab) -> None:
    lab.of_two_timelines()
    shutil.rmtree(lab.second)
    for path in lab.segments(1)[-2:]:
        path.unlink()


def _old_base_gone(lab: Lab) -> None:
    lab.of_two_timelines()
    shutil.rmtree(lab.first)


def _half_copied(lab: Lab) -> None:
    middle = lab.middle()
    middle.with_name(f"{middle.name}.tmp").write_bytes(middle.read_bytes()[: lab.size // 3])


def _in_a_folder(lab: Lab) -> None:
    folder = lab.archive / "host-b"
    folder.mkdir()
    shutil.copy(lab.segments()[1], folder / lab.middle().name)


def _history_gone(lab: Lab) -> None:
    (lab.archive / "00000002.history").unlink()


def _history_edited(lab: Lab) -> None:
    path = lab.archive / "00000002.history"
    parent, position, why = path.read_text().rstrip("\n").split("\t")
    upper, lower = position.split("/")
    path.write_text(f"{parent}\t{upper}/{int(lower, 16) - 8 * 1024:X}\t{why}\n")


def _history_garbage(lab: Lab) -> None:
    (lab.archive / "00000002.history").write_bytes(b"\x00\xffgarbage\n")


def _history_of_the_future(lab: Lab) -> None:
    (lab.archive / "00000007.history").write_text("2\t0/1300000\tno recovery target specified\n")


def _polluted(lab: Lab) -> None:
    """A rehearsal restores a backup, keeps production's archive_command, and is promoted."""
    copy = lab.copy_of_server("rehearsal", lab.first)
    (copy.data / "recovery.signal").touch()
    copy.configure(archive_command=f"cp %p {lab.archive}/%f", restore_command=f"cp {lab.archive}/%f %p")
    lab.grounds.programs.own(copy.data)
    copy.start()
    promoted(copy)
    copy.sql("SELECT pg_switch_wal()")
    copy.stop()  # which archives what is ready
    lab.write(2)
    lab.archived()


def _two_primaries(lab: Lab) -> None:
    """A clone that was never fenced writes on, on the same timeline, and archives over the other's segments."""
    copy = lab.copy_of_server("clone", lab.home / "data")
    copy.configure(archive_command=f"cp %p {lab.archive}/%f", port=str(copy.port))
    copy.start()
    copy.sql("INSERT INTO filler SELECT repeat(md5((n * 7)::text), 5) FROM generate_series(1, 300) n")
    copy.sql("SELECT pg_switch_wal()")
    copy.stop()


def _minimal_in_between(lab: Lab) -> None:
    minimal = {"wal_level": "minimal", "archive_mode": "off", "max_wal_senders": "0"}
    lab.server.stop()
    lab.server.start(minimal)
    lab.server.sql("INSERT INTO filler SELECT 'made at the minimal level'")
    lab.server.stop()
    lab.server.start()
    lab.write(2)
    lab.archived()


def _backup_history_gone(lab: Lab) -> None:
    for path in lab.archive.glob("*.backup"):
        path.unlink()


def _backup_history_edited(lab: Lab) -> None:
    path = max(lab.archive.glob("*.backup"))
    path.write_text(path.read_text().replace("START WAL LOCATION: 0/", "START WAL LOCATION: 1/"))


def _overwrite(lab: Lab, at: int, content: bytes) -> None:
    with lab.middle().open("r+b") as file:
        file.seek(at)
        if file.read(len(content)) == content:
            raise NotApplicable("there is nothing but zeros in that place of the segment")
        file.seek(at)
        file.write(content)


DAMAGES: tuple[Damage[Lab], ...] = (
    Damage(
        "segment-missing",
        "B1",
        {"en": "A segment in the middle is missing", "ko": "중간 세그먼트가 없음"},
        _remove_middle,
        usual.restored,
        (_GAPS, _HASHES, _REACH),
    ),
    Damage(
        "segment-corrupt",
        "B2",
        {"en": "Four bytes of a segment are other ones", "ko": "세그먼트의 4바이트가 바뀜"},
        _corrupt_middle,
        usual.restored,
        (_RECORDS, _HASHES, _REACH),
    ),
    Damage(
        "segment-cut-off",
        "",
        {"en": "A segment ends in its middle", "ko": "세그먼트가 중간에서 끝남"},
        _cut_off,
        usual.restored,
        (_NAMES, _GAPS, _HASHES, _REACH),
    ),
    Damage(
        "segment-longer",
        "",
        {"en": "A segment is longer than one is", "ko": "세그먼트가 정해진 크기보다 큼"},
        _longer,
        usual.restored,
        (_NAMES, _GAPS, _HASHES),
    ),
    Damage(
        "segment-empty",
        "",
        {"en": "A segment has no bytes", "ko": "세그먼트가 0바이트임"},
        _empty,
        usual.restored,
        (_NAMES, _GAPS),
    ),
    Damage(
        "segment-ends-in-zeros",
        "",
        {
            "en": "A segment of full size ends in zeros (a copy that was cut short)",
            "ko": "크기는 맞지만 뒤가 0으로 채워짐",
        },
        _zero_tail,
        usual.restored,
        (_RECORDS, _HASHES),
    ),
    Damage(
        "segment-with-a-hole",
        "",
        {"en": "A page in the middle of a segment is zeros", "ko": "세그먼트 중간의 한 페이지가 0임"},
        _hole,
        usual.restored,
        (_PLACES, _RECORDS, _HASHES),
    ),
    Damage(
        "byte-behind-the-switch",
        "",
        {"en": "A byte that no record covers is another one", "ko": "어떤 레코드도 덮지 않는 바이트가 바뀜"},
        _byte_behind_the_switch,
        usual.restored,
        (_PLACES, _HASHES),
    ),
    Damage(
        "segment-under-another-name",
        "",
        {"en": "A segment is a copy of the one before it", "ko": "세그먼트가 앞 세그먼트의 사본임"},
        _under_another_name,
        usual.restored,
        (_PLACES, _RECORDS, _HASHES),
    ),
    Damage(
        "segments-swapped",
        "",
        {"en": "Two segments have each other's name", "ko": "두 세그먼트의 이름이 뒤바뀜"},
        _swapped,
        usual.restored,
        (_PLACES, _RECORDS, _HASHES),
    ),
    Damage(
        "segment-of-another-cluster",
        "",
        {"en": "A segment is of another cluster", "ko": "다른 클러스터의 세그먼트"},
        _of_another_cluster,
        usual.listing,
        (_PLACES, _HASHES),
    ),
    Damage(
        "segment-of-a-history-given-up",
        "",
        {
            "en": "The segment with the switch is that of the timeline that was left",
            "ko": "타임라인 전환 세그먼트가 버려진 쪽의 것임",
        },
        _of_a_history_given_up,
        usual.restored,
        (_RECORDS, _HASHES),
    ),
    Damage(
        "partial-in-place-of-a-segment",
        "",
        {"en": "There is only the .partial of a segment", "ko": "세그먼트 대신 .partial만 있음"},
        _partial_in_its_place,
        usual.restored,
        (_GAPS,),
    ),
    Damage(
        "newest-segments-gone",
        "",
        {"en": "The newest segments are gone", "ko": "가장 최근 세그먼트들이 없음"},
        _newest_gone,
        usual.statistics,
        (_BELIEVED, _HASHES),
    ),
    Damage(
        "archive-gone",
        "",
        {"en": "The folder of the archive is not there (not mounted)", "ko": "아카이브 폴더가 없음(마운트 안 됨)"},
        _archive_gone,
        usual.statistics,
        (_NAMES, _GAPS, _BELIEVED),
    ),
    Damage(
        "wal-expired-below-the-base",
        "",
        {
            "en": "Retention removed WAL that the only base backup needs",
            "ko": "유일한 베이스 백업에 필요한 WAL이 보존 정책으로 삭제됨",
        },
        _expired_below_the_base,
        usual.listing,
        (_GAPS, _REACH),
    ),
    Damage(
        "old-base-expired",
        "A23",
        {
            "en": "Retention removed the base backup that the oldest moments need",
            "ko": "오래된 시점에 필요한 베이스 백업이 삭제됨",
        },
        _old_base_gone,
        usual.listing,
        (_REACH,),
    ),
    Damage(
        "half-copied-file",
        "",
        {"en": "A copy that was broken off lies about", "ko": "중단된 복사본이 남아 있음"},
        _half_copied,
        usual.listing,
        (_NAMES,),
    ),
    Damage(
        "name-twice",
        "B12",
        {"en": "A name is there twice with different content", "ko": "같은 이름이 다른 내용으로 두 번 있음"},
        _in_a_folder,
        usual.listing,
        (_NAMES,),
    ),
    Damage(
        "history-gone",
        "",
        {"en": "The history file of the current timeline is gone", "ko": "현재 타임라인의 history 파일이 없음"},
        _history_gone,
        usual.restored,
        (_GAPS, _TIMELINES),
    ),
    Damage(
        "history-edited",
        "",
        {"en": "A history file names another position", "ko": "history 파일의 위치가 바뀜"},
        _history_edited,
        usual.restored,
        (_TIMELINES, _HASHES),
    ),
    Damage(
        "history-garbage",
        "",
        {"en": "A history file cannot be read", "ko": "history 파일을 읽을 수 없음"},
        _history_garbage,
        usual.restored,
        (_TIMELINES, _HASHES),
    ),
    Damage(
        "history-of-the-future",
        "",
        {
            "en": "There is a history file of a timeline that nobody made",
            "ko": "아무도 만들지 않은 타임라인의 history 파일",
        },
        _history_of_the_future,
        usual.listing,
        (_TIMELINES,),
    ),
    Damage(
        "archive-polluted-by-a-rehearsal",
        "B11",
        {"en": "A rehearsal archived its own timeline here", "ko": "리허설이 자기 타임라인을 이 아카이브에 남김"},
        _polluted,
        usual.restored,
        (_TIMELINES,),
    ),
    Damage(
        "two-primaries",
        "B12",
        {"en": "Two servers archive here on one timeline", "ko": "두 서버가 같은 타임라인으로 이곳에 아카이브함"},
        _two_primaries,
        usual.statistics,
        (_BELIEVED, _HASHES),
    ),
    Damage(
        "minimal-in-between",
        "B13",
        {"en": "wal_level was minimal for a while", "ko": "한동안 wal_level이 minimal이었음"},
        _minimal_in_between,
        usual.restored,
        (_MINIMAL,),
    ),
    Damage(
        "backup-history-gone",
        "",
        {"en": "The backup history files are gone", "ko": "백업 history 파일이 없음"},
        _backup_history_gone,
        usual.restored,
        (_HISTORIES, _HASHES),
    ),
    Damage(
        "backup-history-edited",
        "",
        {"en": "A backup history file names another start", "ko": "백업 history 파일의 시작 위치가 바뀜"},
        _backup_history_edited,
        usual.restored,
        (_HISTORIES, _HASHES),
    ),
)
