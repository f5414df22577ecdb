"""
Damage around a promotion: two primaries, one that hangs, one that does half of the old one's work.

One machine does not allow: a full disk of the new primary's archive (/dev/full stands for it), and an old primary that
others reach while we do not (a frozen one stands for it). D14, the jump of a sequence, is no fault: the sound lab has
it.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator

from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.damage.damage import Area, Damage, Found
from opsproof.rehearsal.damage.failover.pair import Pair, Pairs, at_once, pair, rot, until
from opsproof.rehearsal.failover.detectors import everything
from opsproof.rehearsal.failover.promoted import Archive, Inventory, PromotedVerification, inventory
from opsproof.rehearsal.failover.promotion import Promotion, promote
from opsproof.rehearsal.failover.split import SplitVerification
from opsproof.rehearsal.node import Node
from opsproof.stack.clusters import Grounds


class Promotions:
    """
    A pair of which the standby is promoted.

    Args:
        servers: Running.
    """

    def __init__(self, servers: Pair) -> None:
        self.servers = servers
        self.expected = frozenset({"leaf"})
        self.before: Inventory = at_once(inventory(servers.node(servers.home)))
        self.promotion: Promotion | None = None

    def promote(self, *, lose_home: bool = True, wait: int = 60) -> None:
        """Lose the primary, unless it is kept, and promote the standby."""
        if lose_home:
            self.servers.home.kill()
        dr = self.servers.node(self.servers.dr)
        self.promotion = at_once(promote(dr, wait=wait, patience=1.0 if wait == 1 else 60.0))

    def verifications(self) -> tuple[PromotedVerification, SplitVerification]:
        """The questions, asked of the new primary and of every address of the old one."""
        servers = self.servers
        by_tcp = Node("home-tcp", servers.home.url("postgres", "service", "service"), Asking.alone("home-tcp"))
        dr = servers.node(servers.dr)
        return (
            PromotedVerification(
                dr,
                self.before,
                Archive(servers.listing, servers.archived),
                promotion=self.promotion,
                expected=self.expected,
                write=4.0,
                archived=5.0,
            ),
            SplitVerification(dr, [servers.node(servers.home), by_tcp], Asking.alone("addresses"), write=4.0),
        )


@contextlib.contextmanager
def promotions(grounds: Grounds, pairs: Pairs = pair) -> Iterator[Promotions]:
    """A sound pair; the standby is promoted by whoever looks, unless the fault did it."""
    with pairs(grounds) as servers:
        servers.home.sql("SELECT nextval('orders_id_seq'), nextval('orders_id_seq')")
        servers.caught_up(servers.home, servers.dr)
        yield Promotions(servers)


async def detect(lab: Promotions) -> Found:
    """Ask everything of the new primary and of the old one."""
    if lab.promotion is None:
        lab.promote()
    promoted, split = lab.verifications()
    return {**await everything(promoted, "failover"), **await everything(split, "failover")}


def usual(lab: Promotions) -> str:
    """What people look at, on both sides where both live."""
    if lab.promotion is None:
        lab.promote()
    told = f"psql -c 'SELECT pg_promote()': exit 0; dr: {lab.servers.usual(lab.servers.dr)}"
    return f"{told}; home: {lab.servers.usual(lab.servers.home)}" if lab.servers.home.running() else told


def _stuck(lab: Promotions) -> None:
    [(pid,)] = lab.servers.dr.sql("SELECT pid FROM pg_stat_wal_receiver")
    lab.servers.freeze(pid)
    lab.promote(lose_home=False, wait=1)


def _split(lab: Promotions) -> None:
    lab.promote(lose_home=False)


def _came_back(lab: Promotions) -> None:
    lab.promote()
    lab.servers.home.start()


def _old_frozen(lab: Promotions) -> None:
    lab.promote(lose_home=False)
    lab.servers.freeze(lab.servers.home.process.pid)


def _known_history(lab: Promotions) -> None:
    [(file,)] = lab.servers.home.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")
    history = lab.servers.archive / f"{int(file[:8], 16) + 1:08X}.history"
    history.write_text("1\t0/3000000\tno recovery target specified\n", encoding="ascii")


def _slot_gone(lab: Promotions) -> None:
    lab.promote()
    lab.servers.dr.sql("SELECT pg_drop_replication_slot('leaf')")


def _logical_slot_gone(lab: Promotions) -> None:
    home = lab.servers.home
    home.sql("SELECT pg_create_logical_replication_slot('changes', 'test_decoding')")
    lab.before = at_once(inventory(lab.servers.node(home)))
    lab.expected |= {"changes"}
    lab.promote()


def _subscription_off(lab: Promotions) -> None:
    home = lab.servers.home
    home.sql(
        "CREATE SUBSCRIPTION from_elsewhere CONNECTION 'host=127.0.0.1 port=1' PUBLICATION nothing "
        "WITH (connect = false, slot_name = NONE)"
    )
    lab.servers.caught_up(home, lab.servers.dr)
    lab.promote()


def _sequence_behind(lab: Promotions) -> None:
    lab.promote()
    lab.servers.dr.sql("SELECT setval('orders_id_seq', 1)")


def _prepared_left(lab: Promotions) -> None:
    servers = lab.servers
    with servers.home.connect() as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO orders (note) VALUES ('in two phases')")
        connection.execute("PREPARE TRANSACTION 'payment-17'")
    servers.caught_up(servers.home, servers.dr)
    lab.promote()


def _tablespace_gone(lab: Promotions) -> None:
    lab.promote()
    [(oid,)] = lab.servers.dr.sql("SELECT oid FROM pg_tablespace WHERE spcname = 'cold'")
    shutil.rmtree(lab.servers.dr.data / "pg_tblspc" / str(oid))


def _standby_again(lab: Promotions) -> None:
    lab.promote()
    (lab.servers.dr.data / "standby.signal").touch()


def _role_read_only(lab: Promotions) -> None:
    lab.promote()
    lab.servers.dr.sql("ALTER ROLE service SET default_transaction_read_only = on")


def _after(*statements: str) -> Callable[[Promotions], None]:
    def inject(lab: Promotions) -> None:
        lab.promote()
        for statement in statements:
            lab.servers.dr.sql(statement)

    return inject


def _old_site_archive(lab: Promotions) -> None:
    elsewhere = lab.servers.grounds.folder(f"{lab.servers.exports.name}/old-site")
    _set(lab, **lab.servers.archiving(elsewhere))


def _flipped_on_the_way(lab: Promotions) -> None:
    copy = f"{lab.servers.archive}/%f"
    flip = f"printf XXXX | dd of={copy} bs=1 seek=9000 conv=notrunc"
    _set(lab, archive_command=f"cp %p {copy}; case %f in *.history) ;; *) {flip} 2>/dev/null ;; esac")


def _set(lab: Promotions, **settings: str) -> None:
    lab.promote()
    dr = lab.servers.dr
    dr.configure(**settings)
    dr.reload()
    for name, value in settings.items():
        until(lambda name=name, value=value: dr.sql(f"SHOW {name}")[0][0] == value, f"{name} is not in force")


def _setting(**settings: str) -> Callable[[Promotions], None]:
    return lambda lab: _set(lab, **settings)


def _written(**settings: str) -> Callable[[Promotions], None]:
    def inject(lab: Promotions) -> None:
        lab.promote()
        lab.servers.dr.configure(**settings)

    return inject


def _access_broken(lab: Promotions) -> None:
    lab.promote()
    with (lab.servers.dr.home / "access.conf").open("a", encoding="ascii") as file:
        file.write("host all service 10.0.0.0/99 scram-sha-256\n")


def _restarted(**settings: str) -> Callable[[Promotions], None]:
    def inject(lab: Promotions) -> None:
        lab.promote()
        lab.servers.dr.stop("fast")
        lab.servers.dr.start(settings)

    return inject


def _damage(
    name: str, source: str, en: str, ko: str, inject: Callable[[Promotions], None], *caught_by: str
) -> Damage[Promotions]:
    names = tuple(f"failover.{one}" for one in caught_by)
    return Damage(name, source, {"en": en, "ko": ko}, inject, usual, names)


_WRITE = "a_write_is_committed_and_read_back"
_WAITS = "no_commit_waits_for_a_standby_that_is_not_there"
_ARCHIVE = "a_segment_arrives_in_the_archive"
_FENCED = "the_old_primary_takes_no_writes"
_SLOTS = "the_slots_of_the_old_primary_are_there"
_NEXT = "its_next_start_is_like_this_one"
_LIKE = "its_settings_are_those_of_the_old_primary"

DAMAGES = (
    _damage(
        "promotion-role-cannot-log-in",
        "",
        "The service's role may not log in to the new primary.",
        "서비스 역할이 새 주 서버에 로그인할 수 없습니다.",
        _after("ALTER ROLE service NOLOGIN"),
        "who_may_log_in_is_as_before",
    ),
    _damage(
        "promotion-role-has-run-out",
        "",
        "The password of the service's role has run out.",
        "서비스 역할의 유효 기간이 지났습니다.",
        _after("ALTER ROLE service VALID UNTIL '2020-01-01'"),
        "who_may_log_in_is_as_before",
    ),
    _damage(
        "promotion-database-closed",
        "",
        "The database of the new primary lets nobody in.",
        "새 주 서버의 데이터베이스가 접속을 받지 않습니다.",
        _after("ALTER DATABASE template1 CONNECTION LIMIT 0"),
        "who_may_log_in_is_as_before",
    ),
    _damage(
        "promotion-index-not-valid",
        "",
        "The primary key's index is not valid on the new primary.",
        "새 주 서버의 기본 키 인덱스가 유효하지 않습니다.",
        _after("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_pkey'::regclass"),
        "every_index_can_be_used",
    ),
    _damage(
        "promotion-stuck",
        "D8",
        "pg_promote returned false, and the request is pending.",
        "pg_promote가 false를 반환했고 요청이 남아 있습니다.",
        _stuck,
        "the_promotion_was_confirmed",
        "it_has_left_recovery",
        _WRITE,
        "one_server_takes_the_token",
    ),
    _damage(
        "promotion-split-brain",
        "D10",
        "The standby was promoted while the primary lives.",
        "주 서버가 살아 있는데 대기 서버가 승격되었습니다.",
        _split,
        "one_server_is_the_primary",
        "one_server_takes_the_token",
        _FENCED,
    ),
    _damage(
        "promotion-commits-hang",
        "D11",
        "Commits of the new primary wait for a standby that is dead.",
        "새 주 서버의 커밋이 죽은 대기 서버를 기다립니다.",
        _setting(synchronous_standby_names="dead"),
        _WRITE,
        _WAITS,
    ),
    _damage(
        "promotion-any-two",
        "",
        "synchronous_standby_names = ANY 2, and nobody streams yet.",
        "ANY 2 동기 설정인데 연결된 대기 서버가 없습니다.",
        _setting(synchronous_standby_names="ANY 2 (home, leaf)"),
        _WRITE,
        _WAITS,
    ),
    _damage(
        "promotion-archives-nothing",
        "D13",
        "archive_command of the new primary is empty.",
        "새 주 서버의 archive_command가 비어 있습니다.",
        _setting(archive_command=""),
        _ARCHIVE,
    ),
    _damage(
        "promotion-archive-believed",
        "B5",
        "archive_command of the new primary is /bin/true.",
        "새 주 서버의 archive_command가 /bin/true입니다.",
        _setting(archive_command="/bin/true"),
        _ARCHIVE,
    ),
    _damage(
        "promotion-archives-to-the-old-site",
        "",
        "The new primary archives to the old site.",
        "새 주 서버가 옛 사이트에 보관합니다.",
        _old_site_archive,
        _ARCHIVE,
    ),
    _damage(
        "promotion-archive-full",
        "B9",
        "The archive of the new primary is full.",
        "새 주 서버의 보관소가 가득 찼습니다.",
        _setting(archive_command="cp %p /dev/full"),
        _ARCHIVE,
    ),
    _damage(
        "promotion-archives-a-part",
        "",
        "The new primary archives the first bytes of each segment.",
        "새 주 서버가 세그먼트의 앞부분만 보관합니다.",
        lambda lab: _set(lab, archive_command=f"head -c 1000 %p > {lab.servers.archive}/%f"),
        _ARCHIVE,
    ),
    _damage(
        "promotion-archives-other-bytes",
        "",
        "A few bytes of each segment that the new primary archives are others.",
        "새 주 서버가 보관하는 세그먼트의 일부 바이트가 다릅니다.",
        _flipped_on_the_way,
        _ARCHIVE,
    ),
    _damage(
        "promotion-archives-zeros",
        "",
        "The new primary archives files of the right name and size, and of nothing but zeros.",
        "새 주 서버가 이름과 크기만 맞는 빈 파일을 보관합니다.",
        lambda lab: _set(lab, archive_command=f"head -c $(stat -c %%s %p) /dev/zero > {lab.servers.archive}/%f"),
        _ARCHIVE,
    ),
    _damage(
        "promotion-archives-packed",
        "",
        "The new primary archives under other names than a recovery asks for.",
        "새 주 서버가 복구가 찾는 이름과 다른 이름으로 보관합니다.",
        lambda lab: _set(lab, archive_command=f"gzip < %p > {lab.servers.archive}/%f.gz"),
        _ARCHIVE,
    ),
    _damage(
        "promotion-triggers-asleep",
        "",
        "session_replication_role is replica: neither triggers nor foreign keys act.",
        "session_replication_role이 replica라서 트리거와 외래 키가 동작하지 않습니다.",
        _setting(session_replication_role="replica"),
        _LIKE,
    ),
    _damage(
        "promotion-archive-off",
        "",
        "The new primary was started with archive_mode off.",
        "새 주 서버가 archive_mode=off로 시작되었습니다.",
        _restarted(archive_mode="off"),
        _ARCHIVE,
        _LIKE,
    ),
    _damage(
        "promotion-slot-missing",
        "D13",
        "A slot that a standby needs is not on the new primary.",
        "새 주 서버에 필요한 복제 슬롯이 없습니다.",
        _slot_gone,
        _SLOTS,
    ),
    _damage(
        "promotion-logical-slot-lost",
        "D16",
        "The logical slot was lost by the promotion.",
        "승격으로 논리 복제 슬롯이 사라졌습니다.",
        _logical_slot_gone,
        _SLOTS,
    ),
    _damage(
        "promotion-subscription-off",
        "D16",
        "A logical subscription of the new primary receives nothing.",
        "새 주 서버의 논리 구독이 아무것도 받지 못합니다.",
        _subscription_off,
        "subscriptions_have_their_workers",
    ),
    _damage(
        "promotion-sequence-behind",
        "D15",
        "A sequence is behind its table.",
        "시퀀스가 테이블보다 뒤처져 있습니다.",
        _sequence_behind,
        "sequences_are_not_behind_their_tables",
    ),
    _damage(
        "promotion-old-primary-came-back",
        "F14",
        "The old primary started again by itself.",
        "옛 주 서버가 스스로 다시 시작했습니다.",
        _came_back,
        "one_server_is_the_primary",
        "one_server_takes_the_token",
        _FENCED,
    ),
    _damage(
        "promotion-old-primary-silent",
        "",
        "The old primary hangs: it listens, and answers nothing.",
        "옛 주 서버가 응답하지 않지만 살아 있습니다.",
        _old_frozen,
        _FENCED,
    ),
    _damage(
        "promotion-timeline-skipped",
        "B11",
        "The archive had a history of the next timeline already.",
        "보관소에 다음 타임라인의 이력이 이미 있었습니다.",
        _known_history,
        "the_timeline_is_the_next_one",
    ),
    _damage(
        "promotion-read-only",
        "",
        "default_transaction_read_only is on, on the new primary.",
        "새 주 서버의 default_transaction_read_only가 켜져 있습니다.",
        _setting(default_transaction_read_only="on"),
        "transactions_may_write",
        _WRITE,
    ),
    _damage(
        "promotion-service-read-only",
        "",
        "Transactions of the service's role are read-only.",
        "서비스 역할의 트랜잭션이 읽기 전용입니다.",
        _role_read_only,
        "transactions_may_write",
    ),
    _damage(
        "promotion-no-autovacuum",
        "",
        "Autovacuum of the new primary is off.",
        "새 주 서버의 autovacuum이 꺼져 있습니다.",
        _setting(autovacuum="off"),
        "autovacuum_runs",
        _LIKE,
    ),
    _damage(
        "promotion-limits-lower",
        "",
        "The new primary takes fewer connections than the old one.",
        "새 주 서버의 연결 한도가 더 낮습니다.",
        _restarted(max_connections="20"),
        "its_limits_are_those_of_the_old_primary",
    ),
    _damage(
        "promotion-acknowledges-early",
        "",
        "synchronous_commit of the new primary is off.",
        "새 주 서버의 synchronous_commit이 꺼져 있습니다.",
        _setting(synchronous_commit="off"),
        _LIKE,
    ),
    _damage(
        "promotion-prepared-left-over",
        "",
        "A prepared transaction was left over.",
        "준비된 트랜잭션이 남아 있습니다.",
        _prepared_left,
        "no_prepared_transaction_is_left_over",
    ),
    _damage(
        "promotion-tablespace-gone",
        "",
        "A tablespace has no folder on the new primary.",
        "새 주 서버에 테이블스페이스 폴더가 없습니다.",
        _tablespace_gone,
        "the_tablespaces_are_there",
    ),
    _damage(
        "promotion-archives-no-more-after-a-restart",
        "",
        "archive_mode of the new primary is off from the next start on.",
        "새 주 서버를 재시작하면 archive_mode가 꺼집니다.",
        _written(archive_mode="off"),
        _NEXT,
    ),
    _damage(
        "promotion-read-only-after-a-reload",
        "",
        "Transactions of the new primary are read-only from the next reload on.",
        "새 주 서버를 다시 로드하면 트랜잭션이 읽기 전용이 됩니다.",
        _written(default_transaction_read_only="yes"),
        _NEXT,
    ),
    _damage(
        "promotion-does-not-start-again",
        "",
        "A value in postgresql.conf of the new primary is none: it does not start again.",
        "새 주 서버의 postgresql.conf에 잘못된 값이 있어 다시 시작되지 않습니다.",
        _written(shared_buffers="lots"),
        _NEXT,
    ),
    _damage(
        "promotion-access-file-broken",
        "",
        "A line of pg_hba.conf of the new primary is wrong.",
        "새 주 서버의 pg_hba.conf에 잘못된 줄이 있습니다.",
        _access_broken,
        _NEXT,
    ),
    _damage(
        "promotion-reserves-connections",
        "",
        "Nearly all connections of the new primary are reserved for superusers.",
        "새 주 서버의 연결이 거의 모두 관리자 전용입니다.",
        _restarted(superuser_reserved_connections="35"),
        _LIKE,
    ),
    _damage(
        "promotion-page-rotten-unread",
        "",
        "A page of the new primary is rotten, and nobody has read it.",
        "새 주 서버의 한 페이지가 손상되었지만 아무도 읽지 않았습니다.",
        lambda lab: rot(lab.servers),
        "every_page_can_be_read",
    ),
    _damage(
        "promotion-standby-again",
        "",
        "standby.signal is there again: the next start makes it a standby.",
        "standby.signal이 남아 재시작하면 대기 서버가 됩니다.",
        _standby_again,
        "it_has_left_recovery",
    ),
)

AREA = Area("promotion", promotions, detect, DAMAGES)
