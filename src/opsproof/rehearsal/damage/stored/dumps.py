"""Faults of custom dumps."""

import json
import os
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from opsproof.rehearsal.damage.damage import Area, Damage
from opsproof.rehearsal.damage.stored import origin
from opsproof.rehearsal.damage.stored.lab import StoredLab, changed, damage, detect, lab
from opsproof.rehearsal.damage.stored.usual import look_at_custom

_WHOLE = "every_dump_reads_to_its_end"
_STORED = "every_dump_is_what_was_stored"
_TABLES = "every_table_is_in_its_dump"
_ROWS = "every_dump_holds_the_rows_of_its_time"
_FRESH = "a_dump_is_fresh"
_BEAT = "the_newest_dump_holds_fresh_rows"
_DEFINED = "every_dump_defines_what_it_holds"
_SMALL = "no_dump_is_too_small"
_NAMES = "every_dump_is_named_by_its_time"
_KEPT = "enough_whole_dumps_are_kept"
_LATEST = "latest_is_the_newest_dump"
_GONE = "no_dump_of_the_catalogue_is_gone"
_SAME = "no_two_dumps_are_the_same"
_FIT = "every_dump_is_of_a_fitting_version"
_ONE = "all_dumps_are_of_one_database"


def _stale(lab: StoredLab) -> None:
    lab.later = timedelta(seconds=lab.series.freshness, days=2)
    fresh = (lab.clock() + lab.later).timestamp()
    for path in (lab.newest, *(lab.store / lab.prefix).glob("latest.*")):
        os.utime(path, (fresh, fresh))


def _old_as_new(lab: StoredLab) -> None:
    lab.pack(lab.newest, lab.raw(lab.at_least(2)[0]))
    lab.cover_up(lab.newest)


def _old_copied(lab: StoredLab) -> None:
    lab.write(lab.newest, lab.at_least(2)[-2].read_bytes())
    lab.cover_up(lab.newest)


def _swapped(lab: StoredLab) -> None:
    one, other = lab.at_least(2)[-2:]
    first, second = one.read_bytes(), other.read_bytes()
    lab.write(one, second)
    lab.write(other, first)
    for path in (one, other):
        lab.cover_up(path)


def _content(change: Callable[[bytes], bytes], *, which: int = -1, cover: bool = False) -> Callable[[StoredLab], None]:
    def inject(lab: StoredLab) -> None:
        path = lab.backups[which]
        lab.write(path, changed(path.read_bytes(), change))
        if cover:
            lab.cover_up(path)

    return inject


def _unpacked(change: Callable[[bytes], bytes], *, which: int = -1, cover: bool = False) -> Callable[[StoredLab], None]:
    def inject(lab: StoredLab) -> None:
        path = lab.backups[which]
        lab.pack(path, changed(lab.raw(path), change))
        if cover:
            lab.cover_up(path)

    return inject


def _dumped(*options: str, database: str = "shop", before: str = "") -> Callable[[StoredLab], None]:
    """The newest was made in another way, and its hash noted honestly."""

    def inject(lab: StoredLab) -> None:
        lab.only_in_the_lab()
        cluster, path = origin.origin(lab.grounds), lab.newest
        if database != "shop" and not cluster.sql("SELECT FROM pg_database WHERE datname = %s", database):
            cluster.sql(f'CREATE DATABASE "{database}" TEMPLATE shop')
        if before:
            cluster.sql(before, database=database)
        other = lab.store / path.name
        origin.dump(cluster, other, *options, database=database)
        lab.write(path, other.read_bytes())
        other.unlink()
        lab.cover_up(path)

    return inject


def _cut(share: float) -> Callable[[bytes], bytes]:
    return lambda content: content[: int(len(content) * share)]


def _flip(content: bytes) -> bytes:
    at = content.index(b"customer ") + 2
    return content[:at] + b"z" + content[at + 1 :]


def _flip_middle(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


def _older_tool(content: bytes) -> bytes:
    """The head holds two versions, each behind its length: the server's, and pg_dump's."""
    tool = list(re.finditer(rb"\0\0\0(\d\d\.\d+)", content[:300]))[1]
    return content[: tool.start(1)] + b"9.2.18"[: len(tool[1])] + content[tool.end(1) :]


def _renamed(days: int) -> Callable[[StoredLab], None]:
    def inject(lab: StoredLab) -> None:
        path, entry = lab.newest, lab.entry_of(lab.newest)
        at = lab.clock() + timedelta(days=days)
        to = path.with_name(f"{at:%Y%m%dT%H%M%SZ}{''.join(path.suffixes)}")
        path.rename(to)
        entry.rename(lab.entry_of(to))
        lab.note(to, name=f"{lab.prefix}{to.name}")

    return inject


def _stray(lab: StoredLab) -> None:
    to = lab.newest.with_name(f"backup-final{''.join(lab.newest.suffixes)}")
    to.write_bytes(lab.newest.read_bytes())


def _only_one(lab: StoredLab) -> None:
    for path in lab.at_least(2)[:-1]:
        lab.entry_of(path).unlink()
        path.unlink()


def _deleted(lab: StoredLab) -> None:
    lab.at_least(2)[0].unlink()


def _newest_deleted(lab: StoredLab) -> None:
    lab.later = timedelta(seconds=lab.series.freshness / 2)
    newest = lab.at_least(2)[-1]
    lab.entry_of(newest).unlink()
    newest.unlink()


def _forgotten(lab: StoredLab) -> None:
    lab.entry_of(lab.newest).unlink()


def _entry_broken(lab: StoredLab) -> None:
    file = lab.entry_of(lab.newest)
    lab.put(file, file.read_bytes()[:100])


def _entry_of_another(lab: StoredLab) -> None:
    lab.put(lab.entry_of(lab.newest), lab.entry_of(lab.at_least(2)[0]).read_bytes())


def _catalogue_of_another_cluster(lab: StoredLab) -> None:
    lab.note(lab.newest, system_identifier="7000000000000000001")


def _latest(make: Callable[[StoredLab, Path], None]) -> Callable[[StoredLab], None]:
    return lambda lab: make(lab, lab.latest)


def _latest_old(lab: StoredLab, latest: Path) -> None:
    latest.write_bytes(lab.at_least(2)[-2].read_bytes())


def _latest_gone(lab: StoredLab, latest: Path) -> None:
    latest.unlink()


def _heartbeat_forged(lab: StoredLab) -> None:
    noted = json.loads(lab.entry_of(lab.newest).read_bytes())
    later = datetime.fromisoformat(noted["heartbeat"]) + timedelta(minutes=40)
    lab.note(lab.newest, heartbeat=later.isoformat())


def _one(
    name: str, source: str, english: str, korean: str, inject: Callable[[StoredLab], None], *caught_by: str
) -> Damage[StoredLab]:
    return damage(name, source, english, korean, inject, look_at_custom, *caught_by)


AREA = Area(
    "stored-dumps",
    lab("custom"),
    detect,
    (
        _one(
            "dump-job-stopped",
            "A8",
            "No dump for three days; the file was touched",
            "사흘째 덤프 없음, 파일 시각만 갱신",
            _stale,
            _FRESH,
            _BEAT,
        ),
        _one(
            "dump-of-another-day",
            "A8",
            "An old dump under today's name, noted as new",
            "오래된 덤프가 오늘 이름으로 등록됨",
            _old_as_new,
            _BEAT,
            _ROWS,
        ),
        _one(
            "dump-twice",
            "",
            "Yesterday's dump copied under today's name",
            "어제 덤프가 오늘 이름으로 복사됨",
            _old_copied,
            _SAME,
            _ROWS,
        ),
        _one(
            "dumps-swapped",
            "",
            "Two days' dumps swapped, hashes noted anew",
            "두 날짜의 덤프가 뒤바뀌고 해시가 다시 기록됨",
            _swapped,
            _ROWS,
        ),
        _one(
            "dump-empty",
            "A11",
            "The newest dump has 0 bytes",
            "최신 덤프가 0바이트",
            _content(lambda _: b""),
            _WHOLE,
            _SMALL,
            _STORED,
        ),
        _one(
            "dump-zeros",
            "",
            "The newest dump is all zeros, at its full size",
            "최신 덤프가 같은 크기의 0으로 채워짐",
            _content(lambda old: bytes(len(old))),
            _WHOLE,
            _STORED,
        ),
        _one(
            "dump-cut-off",
            "A12",
            "The newest custom dump ends after 60 %, in a whole gzip file",
            "최신 덤프가 60%에서 끊겼으나 gzip은 온전함",
            _unpacked(_cut(0.6), cover=True),
            _WHOLE,
        ),
        _one(
            "dump-cut-off-raw",
            "A12",
            "An uncompressed custom dump ends after 90 %",
            "압축되지 않은 덤프가 90%에서 끊김",
            _content(_cut(0.9), which=0, cover=True),
            _WHOLE,
        ),
        _one(
            "dump-gzip-cut-off",
            "A15",
            "The gzip file of the newest dump is cut off",
            "최신 덤프의 gzip 파일이 잘림",
            _content(_cut(0.7), cover=True),
            _WHOLE,
        ),
        _one(
            "dump-gzip-garbage",
            "",
            "Garbage behind the end of the gzip file",
            "gzip 끝 뒤에 쓰레기 바이트",
            _content(lambda old: old + b"garbage", cover=True),
            _WHOLE,
        ),
        _one(
            "dump-letter-changed",
            "A16",
            "One letter changed in an uncompressed custom dump",
            "압축되지 않은 덤프에서 글자 하나가 바뀜",
            _content(_flip, which=0),
            _STORED,
        ),
        _one(
            "dump-bit-flipped",
            "A16",
            "One bit flipped in a packed dump",
            "압축된 덤프에서 비트 하나가 뒤집힘",
            _content(_flip_middle, which=1),
            _STORED,
            _WHOLE,
        ),
        _one(
            "dump-without-a-table's-rows",
            "A17",
            "The rows of orders were left out",
            "orders 행이 제외된 덤프",
            _dumped("-Fc", "--exclude-table-data=orders"),
            _TABLES,
        ),
        _one(
            "dump-without-a-table",
            "A17",
            "A table is not in the dump at all",
            "테이블 하나가 덤프에 없음",
            _dumped("-Fc", "--exclude-table=items"),
            _TABLES,
        ),
        _one(
            "dump-without-heartbeats",
            "A17",
            "The heartbeat's table is not in the dump",
            "하트비트 테이블이 덤프에 없음",
            _dumped("-Fc", "--exclude-table=opsproof_heartbeat"),
            _BEAT,
            _ROWS,
            _TABLES,
        ),
        _one(
            "dump-schema-only",
            "",
            "Only the schema was dumped",
            "스키마만 덤프됨",
            _dumped("-Fc", "--schema-only"),
            _TABLES,
            _SMALL,
        ),
        _one(
            "dump-of-data-alone",
            "",
            "Only the data were dumped",
            "데이터만 덤프됨",
            _dumped("-Fc", "--data-only"),
            _DEFINED,
        ),
        _one(
            "dump-without-indexes",
            "",
            "Keys, constraints and indexes were left out",
            "키와 제약 조건, 인덱스가 제외됨",
            _dumped("-Fc", "--section=pre-data", "--section=data"),
            _DEFINED,
        ),
        _one(
            "dump-of-another-database",
            "",
            "The newest dump is of another database",
            "최신 덤프가 다른 데이터베이스의 것",
            _dumped("-Fc", database="staging"),
            _ONE,
        ),
        _one(
            "dump-in-another-form",
            "",
            "A plain dump under the name of a custom one",
            "커스텀 이름의 평문 덤프",
            _dumped("-Fp"),
            _WHOLE,
        ),
        _one(
            "dump-by-an-older-tool",
            "A19",
            "The header names pg_dump 9.2",
            "헤더에 pg_dump 9.2로 기록됨",
            _unpacked(_older_tool, cover=True),
            _FIT,
        ),
        _one(
            "dump-tool-failed",
            "A19",
            "pg_dump failed in the pipe: a whole gzip file of nothing",
            "파이프 안의 pg_dump 실패: 빈 gzip",
            _unpacked(lambda _: b"", cover=True),
            _WHOLE,
            _SMALL,
        ),
        _one(
            "dump-of-words",
            "A19",
            "An error message was stored in place of a dump",
            "덤프 대신 오류 메시지가 저장됨",
            _unpacked(lambda _: b"pg_dump: error: connection refused\n" * 100, cover=True),
            _WHOLE,
            _TABLES,
        ),
        _one(
            "dump-encrypted",
            "A22",
            "The newest dump is encrypted, and the key is not here",
            "최신 덤프가 암호화되었고 키가 없음",
            _content(lambda old: b"Salted__" + os.urandom(len(old)), cover=True),
            _WHOLE,
        ),
        _one(
            "dumps-removed", "A23", "Retention left a single dump", "보존 정책으로 덤프가 하나만 남음", _only_one, _KEPT
        ),
        _one(
            "dump-removed",
            "A23",
            "A dump is gone, and still in the catalogue",
            "덤프가 사라졌으나 카탈로그에는 있음",
            _deleted,
            _GONE,
        ),
        _one(
            "newest-dump-removed",
            "A23",
            "The newest dump and its note are gone",
            "최신 덤프와 그 기록이 사라짐",
            _newest_deleted,
            _FRESH,
            _LATEST,
            _BEAT,
        ),
        _one(
            "dump-not-noted",
            "",
            "The newest dump is not in the catalogue",
            "최신 덤프가 카탈로그에 없음",
            _forgotten,
            _STORED,
            _FRESH,
        ),
        _one("note-broken", "", "The catalogue's entry is cut off", "카탈로그 항목이 잘림", _entry_broken, _STORED),
        _one(
            "note-of-another",
            "",
            "The entry is that of another dump",
            "카탈로그 항목이 다른 덤프의 것",
            _entry_of_another,
            _STORED,
            _ROWS,
            _NAMES,
        ),
        _one(
            "note-of-another-cluster",
            "",
            "The catalogue names another system identifier",
            "카탈로그의 시스템 식별자가 다름",
            _catalogue_of_another_cluster,
            _ONE,
        ),
        _one(
            "note-of-another-heartbeat",
            "",
            "The catalogue notes a newer heartbeat than is inside",
            "카탈로그의 하트비트가 내용보다 새로움",
            _heartbeat_forged,
            _ROWS,
        ),
        _one(
            "catalogue-partly-forged",
            "",
            "Rows removed, size and hash noted anew, row counts forgotten",
            "행 삭제 후 해시만 다시 기록됨",
            _dumped("-Fc", database="forged", before="DELETE FROM items WHERE id % 2 = 0"),
            _TABLES,
            _ONE,
        ),
        _one(
            "dump-of-the-future", "", "A dump is named by a time to come", "덤프 이름이 미래 시각", _renamed(2), _NAMES
        ),
        _one(
            "dump-without-a-time",
            "",
            "An object that is not named by a time lies among the dumps",
            "이름에 시각이 없는 객체",
            _stray,
            _NAMES,
            _STORED,
        ),
        _one(
            "latest-is-old",
            "",
            "The latest is the dump of the day before",
            "latest가 전날 덤프임",
            _latest(_latest_old),
            _LATEST,
        ),
        _one("latest-is-gone", "", "The latest is gone", "latest가 없음", _latest(_latest_gone), _LATEST),
    ),
)
