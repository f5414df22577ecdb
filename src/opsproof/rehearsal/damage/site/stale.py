"""Pools and caches that still serve what was before the failure."""

import json
import signal

from opsproof.rehearsal.damage.damage import Damage
from opsproof.rehearsal.damage.site import usual
from opsproof.rehearsal.damage.site.lab import SiteLab
from opsproof.rehearsal.damage.site.service import PREFIX
from opsproof.stack.process import wait_for

_POOL = "site.every_connection_is_to_the_new_primary"
_SEES = "site.the_service_sees_what_the_new_primary_commits"
_OLD = "site.the_old_primary_takes_no_writes"
_PLANTED = "site.the_planted_key_is_gone"
_BESIDES = "site.nothing_but_the_cache_was_cleared"
_REBUILT = "site.the_cache_is_rebuilt"
_SAYS = "site.the_cache_says_what_the_database_says"


def _on_old(lab: SiteLab, share: int) -> None:
    lab.fence(up=False)
    old, new = f"port={lab.original.home.port} ", f"port={lab.original.dr.port} "
    lab.service.pool = [
        one.replace(new, old) if number % share == 0 else one for number, one in enumerate(lab.service.pool)
    ]
    lab.service.reconnect()


def _all_old(lab: SiteLab) -> None:
    _on_old(lab, 1)


def _half_old(lab: SiteLab) -> None:
    _on_old(lab, 2)


def _told_before(lab: SiteLab) -> None:
    status, told = lab.service._told()
    for one in told["connections"]:
        one["pid"] = 4_000_000 + one["pid"]
    lab.service.replaced["GET /api/v1/admin/database"] = status, told


def _unfenced(lab: SiteLab) -> None:
    lab.fence(up=False)


def _frozen(lab: SiteLab) -> None:
    home = lab.original.home.process
    home.send(signal.SIGSTOP)
    lab.afterwards.callback(home.send, signal.SIGCONT)
    wait_for(lambda: home.state() == "T", 30)


def _sites_swapped(lab: SiteLab) -> None:
    """Seen from the DR site: what answers here is the home site, whose address the name no longer has."""
    name = lab.profile["names"]["api"]
    name["home"], name["dr"] = name["dr"], name["home"]


def _one_left(lab: SiteLab) -> None:
    """Everything is cleared, the planted key too, but for one."""

    def clear(lab: SiteLab) -> None:
        with lab.cache() as cache:
            for one in cache.scan_iter(f"{PREFIX}*"):
                if one != f"{PREFIX}old-7":
                    cache.unlink(one)

    lab.clearing = clear


def _not_cleared(lab: SiteLab) -> None:
    lab.clearing = lambda _: None


def _wrong_number(lab: SiteLab) -> None:
    def clear(lab: SiteLab) -> None:
        with lab.cache(4) as cache:
            cache.flushdb()

    lab.clearing = clear


def _flush_all(lab: SiteLab) -> None:
    def clear(lab: SiteLab) -> None:
        with lab.cache() as cache:
            cache.flushall()

    lab.clearing = clear


def _flush_own(lab: SiteLab) -> None:
    def clear(lab: SiteLab) -> None:
        with lab.cache() as cache:
            cache.flushdb()

    lab.clearing = clear


def _no_write(lab: SiteLab) -> None:
    lab.service.keeps_in_cache = False


def _no_read(lab: SiteLab) -> None:
    lab.service.looks_in_cache = False


def _other_cache(lab: SiteLab) -> None:
    lab.service.cache_url = lab.service.cache_url.replace("/3", "/5")
    lab.service.reconnect()


def _refilled_stale(lab: SiteLab) -> None:
    """Somebody warms the cache from a copy of the old one, right after clearing."""
    import hashlib

    body = {key: value for key, value in _body(lab).items() if key != "use_cache"}
    key = PREFIX + hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

    def clear(lab: SiteLab) -> None:
        with lab.cache() as cache:
            for one in cache.scan_iter(f"{PREFIX}*"):
                cache.unlink(one)
            cache.set(key, "WARNING")

    lab.clearing = clear


def _layer(lab: SiteLab) -> None:
    """A proxy before the service answers from what it kept."""
    lab.service.layer = {}
    lab.service._judge(dict(_body(lab)))
    for answer in lab.service.layer.values():
        answer["execution_id"] = "jud-from-before"


def _body(lab: SiteLab) -> dict[str, object]:
    body: dict[str, object] = lab.profile["recovered"]["cache"]["fill"]["body"]
    return body


STALE: tuple[Damage[SiteLab], ...] = (
    Damage(
        "pool-on-the-old-primary",
        "F2",
        {"en": "All connections of the pool are to the old primary", "ko": "커넥션 풀이 모두 이전 Primary에 붙어 있다"},
        _all_old,
        usual.health,
        (_POOL, _SEES),
    ),
    Damage(
        "half-of-the-pool-old",
        "F2",
        {"en": "Half of the pool is to the old primary", "ko": "풀의 절반이 이전 Primary에 붙어 있다"},
        _half_old,
        usual.health,
        (_POOL, _SEES),
    ),
    Damage(
        "pool-told-from-memory",
        "",
        {"en": "The service tells connections that nobody has", "ko": "서비스가 존재하지 않는 연결을 보고한다"},
        _told_before,
        usual.health,
        (_POOL,),
    ),
    Damage(
        "old-primary-takes-writes",
        "F2",
        {"en": "The old primary takes writes at its old address", "ko": "이전 Primary가 이전 주소에서 쓰기를 받는다"},
        _unfenced,
        usual.ready,
        (_OLD,),
    ),
    Damage(
        "old-primary-frozen",
        "F14",
        {
            "en": "The old primary is frozen, and will go on",
            "ko": "멈춘 이전 Primary가 다시 살아날 수 있다",
        },
        _frozen,
        usual.ready,
        (_OLD,),
    ),
    Damage(
        "old-site-takes-writes",
        "F1",
        {"en": "At the home site's address the service still takes writes", "ko": "이전 사이트 주소가 쓰기를 받는다"},
        _sites_swapped,
        usual.health,
        ("site.the_old_address_serves_no_writes",),
    ),
    Damage(
        "one-key-left",
        "F3",
        {"en": "One old key of the cache was left behind", "ko": "캐시 키 하나가 남아 있다"},
        _one_left,
        usual.ping,
        (_PLANTED,),
    ),
    Damage(
        "cache-not-cleared",
        "F3",
        {"en": "The cache was not cleared", "ko": "캐시를 비우지 않았다"},
        _not_cleared,
        usual.ping,
        (_PLANTED,),
    ),
    Damage(
        "cache-cleared-in-another-database",
        "",
        {"en": "Another database number was cleared", "ko": "다른 DB 번호의 캐시를 비웠다"},
        _wrong_number,
        usual.ping,
        (_PLANTED, _BESIDES),
    ),
    Damage(
        "everything-flushed",
        "",
        {"en": "FLUSHALL, as the runbook has it: the queue is gone", "ko": "FLUSHALL로 큐까지 지워졌다"},
        _flush_all,
        usual.ping,
        (_BESIDES, "site.the_stores_know_of_the_same"),
    ),
    Damage(
        "own-database-flushed",
        "",
        {"en": "FLUSHDB: queue and sessions are gone", "ko": "FLUSHDB로 큐와 세션이 지워졌다"},
        _flush_own,
        usual.ping,
        (_BESIDES,),
    ),
    Damage(
        "cache-takes-no-writes",
        "F4",
        {"en": "The service writes nothing into its cache", "ko": "서비스가 캐시에 쓰지 않는다"},
        _no_write,
        usual.ping,
        (_REBUILT,),
    ),
    Damage(
        "cache-never-hit",
        "F4",
        {"en": "The service never finds anything in its cache", "ko": "캐시가 한 번도 적중하지 않는다"},
        _no_read,
        usual.ping,
        (_REBUILT,),
    ),
    Damage(
        "service-has-another-cache",
        "",
        {"en": "The service uses another database of the cache", "ko": "서비스가 다른 캐시 DB를 쓴다"},
        _other_cache,
        usual.ping,
        (_REBUILT,),
    ),
    Damage(
        "cache-refilled-with-old-values",
        "F3",
        {"en": "The cache was filled again from a copy of the old one", "ko": "이전 캐시 사본으로 다시 채워졌다"},
        _refilled_stale,
        usual.ping,
        (_REBUILT, _SAYS),
    ),
    Damage(
        "another-layer-answers",
        "",
        {"en": "A cache before the service answers from before the failure", "ko": "앞단 캐시가 장애 전 응답을 준다"},
        _layer,
        usual.health,
        (_SAYS, _REBUILT),
    ),
)
