"""Damage to what fills the archive."""

from datetime import timedelta

from opsproof.rehearsal.damage.archive import usual
from opsproof.rehearsal.damage.archive.lab import Lab
from opsproof.rehearsal.damage.damage import Damage
from opsproof.stack.process import wait_for

_SET_UP = "backup.the_archiver_is_set_up"
_WAITING = "backup.no_wal_waits_for_the_archiver"
_BELIEVED = "backup.what_was_archived_is_in_the_archive"
_NEWEST = "backup.the_newest_commit_is_in_the_archive"
_FAILS = "SELECT count(*) FROM pg_stat_archiver WHERE last_failed_time > coalesce(last_archived_time, '-infinity')"


def _dropping(lab: Lab) -> None:
    lab.archive_by("/bin/true")
    lab.write()
    lab.archived()


def _dropping_unseen(lab: Lab) -> None:
    """A script that looks like any other, and forgets to fail."""
    script = lab.home / "archive.sh"
    script.write_text('#!/bin/sh\ncp "$1" /nowhere/"$2" 2>/dev/null\nlogger -t archive "$2" 2>/dev/null\nexit 0\n')
    script.chmod(0o755)
    lab.grounds.programs.own(script)
    lab.archive_by(f"{script} %p %f")
    lab.write()
    lab.archived()


def _failure_hidden(lab: Lab) -> None:
    lab.archive_by("cp %p /nowhere/%f 2>/dev/null || true")
    lab.write()
    lab.archived()


def _failing(lab: Lab) -> None:
    lab.archive_by("/bin/false %p")
    lab.write()
    _until_it_fails(lab)


def _full(lab: Lab) -> None:
    lab.archive_by("cp %p /dev/full")
    lab.write()
    _until_it_fails(lab)


def _no_program(lab: Lab) -> None:
    lab.archive_by("/nonexistent/archive %p %f")
    lab.write(4)


def _no_command(lab: Lab) -> None:
    lab.archive_by("")
    lab.write(4)


def _off(lab: Lab) -> None:
    lab.server.stop()
    lab.server.start({"archive_mode": "off"})
    lab.write(4)


def _off_at_the_next_start(lab: Lab) -> None:
    lab.server.configure(archive_mode="off")
    lab.server.reload()
    pending = "SELECT pending_restart FROM pg_settings WHERE name = 'archive_mode'"
    wait_for(lambda: bool(lab.server.sql(pending)[0][0]), 30, pause=0.02)


def _no_timeout(lab: Lab) -> None:
    lab.server.configure(archive_timeout="0")
    lab.server.reload()
    wait_for(lambda: lab.server.sql("SHOW archive_timeout")[0][0] == "0", 30, pause=0.02)


def _stopped_long_ago(lab: Lab) -> None:
    """One commit waits in a segment that nobody closes."""
    lab.server.configure(archive_timeout="0")
    lab.server.reload()
    lab.server.sql(
        "INSERT INTO opsproof_heartbeat SELECT max(id) + 1, clock_timestamp(), 'lab' FROM opsproof_heartbeat"
    )
    lab.later = timedelta(hours=1)


def _other_archive(lab: Lab) -> None:
    """After a move the command fills the old place."""
    old = lab.home / "old-place"
    old.mkdir()
    lab.grounds.programs.own(old)
    lab.archive_by(f"cp %p {old}/%f")
    lab.write(4)
    lab.archived()


def _linked(lab: Lab) -> None:
    lab.archive_by(
        f"test ! -f {lab.archive}/%f && ln %p {lab.archive}/%f && sha256sum {lab.archive}/%f >"
        f" {lab.catalogue}/%f.sha256"
    )
    lab.write(2)
    lab.archived()


def _until_it_fails(lab: Lab) -> None:
    wait_for(lambda: bool(lab.server.sql(_FAILS)[0][0]), 60, pause=0.05)


DAMAGES: tuple[Damage[Lab], ...] = (
    Damage(
        "archive-by-link",
        "",
        {
            "en": "archive_command links the server's own segments in place of copying them",
            "ko": "archive_command가 복사 대신 하드 링크를 만듦",
        },
        _linked,
        usual.statistics,
        ("backup.every_object_of_the_archive_has_a_known_name",),
    ),
    Damage(
        "archive-command-drops",
        "B5",
        {"en": "archive_command is /bin/true", "ko": "archive_command가 /bin/true"},
        _dropping,
        usual.statistics,
        (_SET_UP, _BELIEVED),
    ),
    Damage(
        "archive-script-drops",
        "",
        {"en": "The archive script hides its failure", "ko": "아카이브 스크립트가 실패를 숨김"},
        _dropping_unseen,
        usual.statistics,
        (_BELIEVED,),
    ),
    Damage(
        "archive-failure-hidden",
        "",
        {"en": "archive_command ends in `|| true`", "ko": "archive_command가 `|| true`로 끝남"},
        _failure_hidden,
        usual.statistics,
        (_SET_UP, _BELIEVED),
    ),
    Damage(
        "archive-command-fails",
        "B6",
        {"en": "archive_command fails", "ko": "archive_command가 실패함"},
        _failing,
        usual.settings,
        (_SET_UP, _WAITING),
    ),
    Damage(
        "archive-program-missing",
        "B7",
        {"en": "The program of archive_command is not there", "ko": "archive_command의 프로그램이 없음"},
        _no_program,
        usual.statistics,
        (_SET_UP, _WAITING),
    ),
    Damage(
        "archive-command-empty",
        "B8",
        {"en": "archive_command is empty", "ko": "archive_command가 비어 있음"},
        _no_command,
        usual.statistics,
        (_SET_UP, _WAITING),
    ),
    Damage(
        "archive-full",
        "B9",
        {"en": "The place of the archive is full", "ko": "아카이브 저장소가 가득 참"},
        _full,
        usual.settings,
        (_SET_UP, _WAITING),
    ),
    Damage(
        "archive-mode-off",
        "",
        {"en": "archive_mode is off since the last restart", "ko": "마지막 재시작 이후 archive_mode가 off"},
        _off,
        usual.settings,
        (_SET_UP, _WAITING),
    ),
    Damage(
        "archive-mode-off-at-the-next-start",
        "",
        {
            "en": "archive_mode is off in the files, not yet in force",
            "ko": "설정 파일의 archive_mode가 다음 시작부터 off",
        },
        _off_at_the_next_start,
        usual.settings,
        (_SET_UP,),
    ),
    Damage(
        "archive-timeout-off",
        "",
        {"en": "archive_timeout is 0", "ko": "archive_timeout이 0"},
        _no_timeout,
        usual.statistics,
        (_SET_UP,),
    ),
    Damage(
        "commit-waits-too-long",
        "",
        {"en": "A commit has waited an hour for the archive", "ko": "커밋이 한 시간 동안 아카이브를 기다림"},
        _stopped_long_ago,
        usual.statistics,
        (_NEWEST,),
    ),
    Damage(
        "archive-elsewhere",
        "",
        {"en": "The server archives to another place", "ko": "서버가 다른 곳에 아카이브함"},
        _other_archive,
        usual.statistics,
        (_BELIEVED, _WAITING),
    ),
)
