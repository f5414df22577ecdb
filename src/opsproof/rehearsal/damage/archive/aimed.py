"""Targets of a recovery that do not mean what they say."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from opsproof.rehearsal.archive import Point, Target
from opsproof.rehearsal.damage.archive import usual
from opsproof.rehearsal.damage.archive.lab import Lab
from opsproof.rehearsal.damage.damage import Damage

_CHECK = "backup.a_point_in_time_can_be_recovered"
_SEOUL = timezone(timedelta(hours=9))


def _with(change: Callable[[Target, datetime], Target]) -> Callable[[Lab], None]:
    """Aim between the two newest heartbeats of a segment, which is sound, and then change the target."""

    def inject(lab: Lab) -> None:
        newest, earlier = (
            row[0] for row in lab.server.sql("SELECT at FROM opsproof_heartbeat ORDER BY id DESC LIMIT 2")
        )
        middle = earlier + (newest - earlier) / 2
        sound = Target(time=middle.isoformat(), inclusive=True, timeline=2, action="promote")
        lab.before, lab.after = Point("marker before", earlier), Point("marker behind", newest)
        lab.target = change(sound, middle)

    return inject


def _before_the_backup(target: Target, _: datetime) -> Target:
    long_ago = datetime.fromisoformat(target.time or "") - timedelta(days=3)
    return replace(target, time=long_ago.isoformat())


def _damage(name: str, source: str, en: str, ko: str, change: Callable[[Target, datetime], Target]) -> Damage[Lab]:
    return Damage(name, source, {"en": en, "ko": ko}, _with(change), usual.restored_to_target, (_CHECK,))


DAMAGES: tuple[Damage[Lab], ...] = (
    _damage(
        "target-behind-the-last-commit",
        "C2",
        "The target is behind the last commit in the archive",
        "대상 시점이 아카이브의 마지막 커밋보다 뒤임",
        lambda target, at: replace(target, time=(at + timedelta(hours=1)).isoformat()),
    ),
    _damage(
        "target-before-the-backup",
        "C3",
        "The target is before the end of every base backup",
        "대상 시점이 모든 베이스 백업의 종료보다 앞섬",
        _before_the_backup,
    ),
    _damage(
        "two-targets",
        "C6",
        "A time and a name are both set",
        "시각과 이름이 함께 설정됨",
        lambda target, _: replace(target, name="before-the-release"),
    ),
    _damage(
        "target-without-an-offset",
        "",
        "The target's time has no offset",
        "대상 시각에 UTC 오프셋이 없음",
        lambda target, at: replace(target, time=at.replace(tzinfo=None).isoformat(sep=" ")),
    ),
    _damage(
        "target-with-a-zone-name",
        "",
        "The target's time has a zone's letters in place of an offset",
        "대상 시각에 오프셋 대신 시간대 약자가 있음",
        lambda target, at: replace(target, time=f"{at.astimezone(_SEOUL):%Y-%m-%d %H:%M:%S.%f} KST"),
    ),
    _damage(
        "target-in-the-wrong-zone",
        "",
        "The target is local time with the offset of UTC",
        "현지 시각에 UTC 오프셋이 붙음",
        lambda target, at: replace(target, time=f"{at.astimezone(_SEOUL):%Y-%m-%d %H:%M:%S.%f}+00:00"),
    ),
    _damage(
        "target-in-the-other-wrong-zone",
        "",
        "The target is UTC with the offset of local time",
        "UTC 시각에 현지 오프셋이 붙음",
        lambda target, at: replace(target, time=f"{at.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S.%f}+09:00"),  # noqa: UP017 - the pair is read together
    ),
    _damage(
        "target-stays-paused",
        "C5",
        "The action at the target is left out, so that the server pauses",
        "대상 도달 시 동작이 없어 서버가 일시 정지됨",
        lambda target, _: replace(target, action=None),
    ),
    _damage(
        "target-on-an-unknown-timeline",
        "",
        "The target's timeline is not in the archive",
        "대상 타임라인이 아카이브에 없음",
        lambda target, _: replace(target, timeline=9),
    ),
    _damage(
        "target-transaction-unknown",
        "",
        "The target is a transaction that committed nothing",
        "대상 트랜잭션이 커밋된 적 없음",
        lambda target, _: replace(target, time=None, xid=4_000_000),
    ),
)
