"""Data that is not what it was before the failure."""

from opsproof.rehearsal.damage.damage import Damage
from opsproof.rehearsal.damage.site import usual
from opsproof.rehearsal.damage.site.lab import SiteLab
from opsproof.rehearsal.damage.site.service import QUEUE

_COUNTS = "site.the_counts_are_the_usual"
_TOTALS = "site.the_totals_are_those_of_before"
_DONE = "site.work_was_completed"
_VERSION = "site.one_version_of_the_rules_decided"
_STORES = "site.the_stores_know_of_the_same"


def _most_lost(lab: SiteLab) -> None:
    lab.sql("DELETE FROM judgments WHERE right(id, 1) < '6'")


def _few_lost(lab: SiteLab) -> None:
    lab.sql("DELETE FROM judgments WHERE right(id, 2) = '07'")


def _twice(lab: SiteLab) -> None:
    lab.sql("INSERT INTO judgments SELECT id || '-again', result, version, at FROM judgments WHERE right(id, 1) = '3'")


def _old_copy(lab: SiteLab) -> None:
    lab.sql("UPDATE judgments SET at = at - interval '2 days'")


def _failed(lab: SiteLab) -> None:
    lab.sql("UPDATE workflows SET status = 'FAILED' WHERE right(id, 1) = '1'")


def _no_work(lab: SiteLab) -> None:
    lab.sql("TRUNCATE workflows")


def _mixed(lab: SiteLab) -> None:
    lab.sql("UPDATE judgments SET version = 'v1.3.0' WHERE id = 'jud-5'")


def _bad_rules(lab: SiteLab) -> None:
    lab.polluted = True


def _polluted(lab: SiteLab) -> None:
    lab.sql("UPDATE orders SET amount = 7")


def _orders_lost(lab: SiteLab) -> None:
    lab.sql("DELETE FROM orders WHERE right(id, 1) = '4'")


def _queue_lost(lab: SiteLab) -> None:
    with lab.cache() as cache:
        cache.lpop(QUEUE)


def _restored_alone(lab: SiteLab) -> None:
    """As many as before, and others: the database of another moment."""
    lab.sql("UPDATE orders SET id = 'p-9' WHERE id = 'o-9'")


DATA: tuple[Damage[SiteLab], ...] = (
    Damage(
        "most-judgments-lost",
        "",
        {"en": "60 % of the last day's judgments are gone", "ko": "최근 1일 판정의 60%가 사라졌다"},
        _most_lost,
        usual.rows,
        (_COUNTS,),
    ),
    Damage(
        "few-judgments-lost",
        "",
        {"en": "1 % of the judgments are gone, within any tolerance", "ko": "판정 1%가 사라졌다(허용 오차 이내)"},
        _few_lost,
        usual.rows,
        (_COUNTS,),
    ),
    Damage(
        "judgments-twice",
        "",
        {"en": "A part of the judgments was restored twice", "ko": "판정 일부가 두 번 복구되었다"},
        _twice,
        usual.rows,
        (_COUNTS,),
    ),
    Damage(
        "data-of-two-days-ago",
        "A8",
        {"en": "The database is that of two days ago", "ko": "이틀 전 데이터로 복구되었다"},
        _old_copy,
        usual.rows,
        (_COUNTS, _VERSION),
    ),
    Damage(
        "workflows-failed",
        "",
        {"en": "A tenth of the workflows has failed", "ko": "워크플로의 10%가 실패했다"},
        _failed,
        usual.rows,
        (_DONE,),
    ),
    Damage(
        "no-workflow-at-all",
        "A17",
        {"en": "No row, of which no share can be bad", "ko": "워크플로가 한 건도 없다"},
        _no_work,
        usual.rows,
        (_DONE,),
    ),
    Damage(
        "two-versions-decided",
        "",
        {"en": "One row was decided by older rules", "ko": "한 건이 이전 룰 버전으로 판정되었다"},
        _mixed,
        usual.rows,
        (_VERSION,),
    ),
    Damage(
        "polluting-rules-still-there",
        "E10",
        {"en": "After pollution, the newest rules still decide", "ko": "오염 후에도 최신(잘못된) 룰이 판정한다"},
        _bad_rules,
        usual.rows,
        (_VERSION,),
    ),
    Damage(
        "update-without-where",
        "E10",
        {"en": "An UPDATE without WHERE", "ko": "WHERE 없는 UPDATE"},
        _polluted,
        usual.ready,
        (_TOTALS,),
    ),
    Damage(
        "database-older-than-the-queue",
        "E11",
        {"en": "The queue knows orders that the database does not", "ko": "큐에 있는 주문이 DB에 없다"},
        _orders_lost,
        usual.rows,
        (_STORES, _TOTALS),
    ),
    Damage(
        "queue-older-than-the-database",
        "E11",
        {"en": "The database knows an order that the queue has lost", "ko": "DB에 있는 주문이 큐에서 사라졌다"},
        _queue_lost,
        usual.ping,
        (_STORES,),
    ),
    Damage(
        "stores-of-different-moments",
        "E11",
        {"en": "As many in both stores, and not the same", "ko": "개수는 같지만 내용이 다르다"},
        _restored_alone,
        usual.rows,
        (_STORES,),
    ),
)
