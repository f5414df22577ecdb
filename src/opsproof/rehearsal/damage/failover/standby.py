"""
Damage to a standby before the disaster, nearly all of it behind green signals.

One machine does not allow: a cut network (a dead port and a frozen sender stand for it), a clock that is off (both
servers have the machine's), and another sorting library (its version is changed where the database keeps it).
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from opsproof.rehearsal.damage.damage import Area, Damage, Found
from opsproof.rehearsal.damage.failover.pair import IN_A_ROW, Pair, Pairs, pair, quiet_table, rot, until
from opsproof.rehearsal.failover.detectors import everything
from opsproof.rehearsal.failover.readiness import StandbyVerification
from opsproof.stack.clusters import Cluster, Grounds

if TYPE_CHECKING:
    import psycopg

_MEGABYTE = 1 << 20
_RECEIVERS = "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'"


class Standbys:
    """
    What is looked at: a pair, and which of its servers is taken for what.

    Args:
        servers: Running.
    """

    def __init__(self, servers: Pair) -> None:
        self.servers = servers
        self.primary: Cluster = servers.home
        self.looked_at: Cluster = servers.dr
        self.upstream: Cluster | None = None
        self.connections: list[psycopg.Connection[Any]] = []

    def verification(self) -> StandbyVerification:
        """The questions, asked of what is looked at."""
        node = self.servers.node
        upstream = node(self.upstream) if self.upstream is not None else None
        return StandbyVerification(
            node(self.primary), node(self.looked_at), self.servers.heartbeat, self.servers.limits, upstream
        )


@contextlib.contextmanager
def standbys(grounds: Grounds, pairs: Pairs = pair) -> Iterator[Standbys]:
    """A sound primary and standby; a leaf behind it can be started."""
    with pairs(grounds) as servers:
        lab = Standbys(servers)
        yield lab
        for connection in lab.connections:
            connection.close()


async def detect(lab: Standbys) -> Found:
    """Ask everything of the standby that is looked at."""
    return await everything(lab.verification(), "backup")


def usual(lab: Standbys) -> str:
    """What people look at."""
    return lab.servers.usual(lab.looked_at, lab.upstream or lab.primary)


def _set(cluster: Cluster, **settings: str) -> None:
    cluster.configure(**settings)
    cluster.reload()


def _restart(cluster: Cluster, wait: float = 30.0, **settings: str) -> None:
    cluster.stop("fast")
    cluster.start(settings, wait=wait)


def _streams(cluster: Cluster, count: int) -> None:
    until(lambda: cluster.sql(_RECEIVERS)[0][0] == count, f"{cluster.name} has not {count} streaming receivers")


def _replay_paused(lab: Standbys) -> None:
    lab.servers.dr.sql("SELECT pg_wal_replay_pause()")
    lab.servers.beat(lab.servers.home)


def _cut_off(lab: Standbys) -> None:
    _set(lab.servers.dr, primary_conninfo="host=127.0.0.1 port=1 user=postgres")
    _streams(lab.servers.dr, 0)
    lab.servers.beat(lab.servers.home)


def _link_frozen(lab: Standbys) -> None:
    servers = lab.servers
    servers.home.sql("UPDATE opsproof_heartbeat SET at = at - interval '1 hour'")
    servers.caught_up(servers.home, servers.dr)
    [(pid,)] = servers.home.sql("SELECT pid FROM pg_stat_replication WHERE application_name = 'dr'")
    servers.freeze(pid)
    servers.beat(servers.home)


def _page_broken(lab: Standbys) -> None:
    import psycopg

    servers = lab.servers
    servers.home.sql("CREATE TABLE orders_of_old AS SELECT generate_series(1, 500) AS id")
    servers.home.sql("CHECKPOINT")
    servers.beat(servers.home)
    servers.caught_up(servers.home, servers.dr)
    ((path,),) = servers.dr.sql("SELECT pg_relation_filepath('orders_of_old')")
    servers.dr.stop("fast")
    with (servers.dr.data / path).open("r+b") as file:
        file.seek(IN_A_ROW)
        file.write(b"\xff\xff\xff\xff")
    servers.dr.start()
    with contextlib.suppress(psycopg.Error):  # whoever reads the page is told, and the server counts it
        servers.dr.sql("SELECT count(*) FROM orders_of_old")


def _page_rotten_unread(lab: Standbys) -> None:
    rot(lab.servers)


def _other_rows(lab: Standbys) -> None:
    servers = lab.servers
    file = quiet_table(servers)
    servers.dr.stop("fast")
    file.write_bytes(file.read_bytes().replace(b"aaaa", b"bbbb"))
    for option in ("--disable", "--enable"):  # the checksums are right again
        servers.dr.must("pg_checksums", option, "-D", str(servers.dr.data))
    servers.dr.start()
    servers.caught_up(servers.home, servers.dr)


def _other_timeline(lab: Standbys) -> None:
    servers = lab.servers
    servers.dr.sql("SELECT pg_promote(true, 60)")
    servers.beat(servers.home)
    servers.home.stop("immediate")
    servers.home.configure(primary_conninfo=servers.upstream(servers.dr, "home"))
    signal = servers.home.data / "standby.signal"
    signal.touch()
    servers.grounds.programs.own(signal)
    servers.dr.sql("SELECT pg_logical_emit_message(true, 'lab', repeat('x', 500000))")
    servers.beat(servers.dr)
    servers.home.start()
    lab.primary, lab.looked_at = servers.dr, servers.home


def _cascade_broken(lab: Standbys) -> None:
    servers = lab.servers
    servers.start_leaf()
    lab.looked_at, lab.upstream = servers.leaf, servers.dr
    servers.dr.stop("immediate")
    _streams(servers.leaf, 0)
    servers.beat(servers.home)


def _delayed(lab: Standbys) -> None:
    _set(lab.servers.dr, recovery_min_apply_delay="30s")
    until(lambda: lab.servers.dr.sql("SELECT current_setting('recovery_min_apply_delay')")[0][0] == "30s", "no reload")
    lab.servers.beat(lab.servers.home)


def _limits_raised(lab: Standbys) -> None:
    home = lab.servers.home
    _restart(home, max_connections="60")
    until(
        lambda: lab.servers.dr.sql("SELECT pg_get_wal_replay_pause_state()")[0][0] == "paused", "replay did not pause"
    )


def _slot_dropped(lab: Standbys) -> None:
    servers = lab.servers
    _set(servers.dr, primary_slot_name="", restore_command="")
    until(
        lambda: not servers.home.sql("SELECT active FROM pg_replication_slots WHERE slot_name = 'dr'")[0][0],
        "the slot is still used",
    )
    servers.home.sql("SELECT pg_drop_replication_slot('dr')")
    _streams(servers.dr, 1)


def _slot_invalid(lab: Standbys) -> None:
    home, dr = lab.servers.home, lab.servers.dr
    [(size,)] = home.sql("SELECT setting::int FROM pg_settings WHERE name = 'wal_segment_size'")
    least = f"{2 * size // _MEGABYTE}MB"
    dr.stop("fast")
    _set(home, max_slot_wal_keep_size=f"{size // _MEGABYTE}MB", max_wal_size=least, min_wal_size=least)

    def lost() -> bool:
        home.sql("SELECT pg_logical_emit_message(true, 'lab', repeat('x', %s))", size * 3 // 2)
        home.sql("CHECKPOINT")
        return bool(home.sql("SELECT wal_status = 'lost' FROM pg_replication_slots WHERE slot_name = 'dr'")[0][0])

    until(lost, "the slot is not lost")
    dr.configure(primary_slot_name="")
    dr.start()
    _streams(dr, 1)


def _another_cluster(lab: Standbys) -> None:
    other = Cluster(lab.servers.grounds, lab.servers.home.name.replace("home", "other"))
    lab.servers.scratch.append(other)
    other.initialize()
    other.start()
    other.sql("CREATE TABLE opsproof_heartbeat (id bigint PRIMARY KEY, at timestamptz NOT NULL, writer text NOT NULL)")
    lab.primary = other


def _follows_itself(lab: Standbys) -> None:
    dr = lab.servers.dr
    _set(dr, primary_conninfo=lab.servers.upstream(dr, "dr"), primary_slot_name="", restore_command="")
    until(
        lambda: str(dr.home) in str(dr.sql("SELECT coalesce(min(conninfo), '') FROM pg_stat_wal_receiver")[0][0]),
        "it does not follow itself",
    )
    lab.servers.beat(lab.servers.home)


def _wrong_password(lab: Standbys) -> None:
    servers = lab.servers
    servers.home.sql("CREATE ROLE follower REPLICATION LOGIN PASSWORD 'right'")
    words = f"host=127.0.0.1 port={servers.home.port} user=follower password=wrong application_name=dr"
    _set(servers.dr, primary_conninfo=words)
    _streams(servers.dr, 0)


def _nobody_comes_in(lab: Standbys) -> None:
    _restart(lab.servers.dr, wait=0, hot_standby="off")


def _waits_for_two(lab: Standbys) -> None:
    _set(lab.servers.home, synchronous_standby_names="ANY 2 (dr, ghost)")
    until(lambda: lab.servers.home.sql("SHOW synchronous_standby_names")[0][0] != "", "the setting is not in force")


def _waits_after_promotion(lab: Standbys) -> None:
    _set(lab.servers.dr, synchronous_standby_names="old_site")
    until(lambda: lab.servers.dr.sql("SHOW synchronous_standby_names")[0][0] != "", "the setting is not in force")


def _tablespace_gone(lab: Standbys) -> None:
    [(oid,)] = lab.servers.home.sql("SELECT oid FROM pg_tablespace WHERE spcname = 'cold'")
    shutil.rmtree(lab.servers.dr.data / "pg_tblspc" / str(oid))


def _file_broken(lab: Standbys) -> None:
    with (lab.servers.dr.data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("work_mem = 64 megabytes please\n")


def _access_broken(lab: Standbys) -> None:
    with (lab.servers.dr.home / "access.conf").open("a", encoding="utf-8") as file:
        file.write("host all service 10.0.0.0/99 scram-sha-256\n")


def _service_rejected(lab: Standbys) -> None:
    access = lab.servers.dr.home / "access.conf"
    access.write_text(f"host all service all reject\n{access.read_text(encoding='ascii')}", encoding="ascii")


def _service_not_let_in(lab: Standbys) -> None:
    access = lab.servers.dr.home / "access.conf"
    lines = access.read_text(encoding="ascii").splitlines(keepends=True)
    access.write_text("".join(line for line in lines if not line.startswith("host")), encoding="ascii")


def _rule(line: str) -> Callable[[Standbys], None]:
    def inject(lab: Standbys) -> None:
        access = lab.servers.dr.home / "access.conf"
        access.write_text(f"{line}\n{access.read_text(encoding='ascii')}", encoding="ascii")

    return inject


def _off_at_the_next_start(lab: Standbys) -> None:
    lab.servers.dr.configure(archive_mode="off")


def _from_the_future(lab: Standbys) -> None:
    servers = lab.servers
    sql = "INSERT INTO opsproof_heartbeat SELECT max(id) + 1, '2099-01-01', 'lab' FROM opsproof_heartbeat"
    servers.home.sql(sql)
    servers.caught_up(servers.home, servers.dr)


def _unlogged(lab: Standbys) -> None:
    servers = lab.servers
    servers.home.sql("CREATE UNLOGGED TABLE carts AS SELECT n FROM generate_series(1, 100) n")
    servers.caught_up(servers.home, servers.dr)


def _startup_frozen(lab: Standbys) -> None:
    sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'startup'"
    [(pid,)] = lab.servers.dr.sql(sql)
    lab.servers.freeze(pid)
    lab.servers.beat(lab.servers.home)


def _replay_blocked(lab: Standbys) -> None:
    servers = lab.servers
    _set(servers.dr, max_standby_streaming_delay="-1")
    until(lambda: servers.dr.sql("SHOW max_standby_streaming_delay")[0][0] == "-1", "the setting is not in force")
    reader = servers.dr.connect()
    lab.connections.append(reader)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM orders")
    servers.home.sql("TRUNCATE orders")
    servers.beat(servers.home)


def _library_gone(lab: Standbys) -> None:
    servers = lab.servers
    servers.home.sql("CREATE FUNCTION sums(internal) RETURNS internal LANGUAGE internal AS 'int8_avg_accum_inv'")
    servers.home.sql("UPDATE pg_proc SET probin = '$libdir/gone', prosrc = 'gone' WHERE proname = 'sums'")
    servers.caught_up(servers.home, servers.dr)


def _extension_unknown(lab: Standbys) -> None:
    servers = lab.servers
    servers.home.sql("UPDATE pg_extension SET extversion = '99.0' WHERE extname = 'plpgsql'")
    servers.caught_up(servers.home, servers.dr)


def _sorts_otherwise(lab: Standbys) -> None:
    servers = lab.servers
    servers.home.sql("UPDATE pg_collation SET collversion = '153.14' WHERE collname = 'C'")
    servers.caught_up(servers.home, servers.dr)


def _no_rewind(lab: Standbys) -> None:
    servers = lab.servers
    for cluster in (servers.dr, servers.home):
        cluster.stop("fast")
        cluster.must("pg_checksums", "--disable", "-D", str(cluster.data))
    for cluster in (servers.home, servers.dr):
        cluster.start()
    servers.caught_up(servers.home, servers.dr)


def _logical_slot(lab: Standbys) -> None:
    servers = lab.servers
    servers.home.sql("SELECT pg_create_logical_replication_slot('changes', 'test_decoding')")


def _setting(name: str, value: str, *, restart: bool = False) -> Callable[[Standbys], None]:
    def inject(lab: Standbys) -> None:
        dr = lab.servers.dr
        if restart:
            _restart(dr, 30.0, **{name: value})
        else:
            _set(dr, **{name: value})
            until(lambda: dr.sql(f"SHOW {name}")[0][0] == value, f"{name} is not in force")

    return inject


def _damage(
    name: str, en: str, ko: str, inject: Callable[[Standbys], None], *caught_by: str, source: str = ""
) -> Damage[Standbys]:
    names = tuple(f"backup.{one}" for one in caught_by)
    return Damage(name, source, {"en": en, "ko": ko}, inject, usual, names)


_FOLLOWS = "the_standby_replays_what_the_primary_wrote"
_STREAMS = "the_standby_streams"
_SEEN = "the_primary_sees_the_standby"
_AGREE = "the_settings_of_both_agree"

DAMAGES = (
    _damage(
        "standby-replay-paused",
        "Replay is paused on the standby.",
        "대기 서버의 재생이 멈춰 있습니다.",
        _replay_paused,
        "the_standby_replays",
        _FOLLOWS,
        source="D1",
    ),
    _damage(
        "standby-cut-off",
        "The standby's primary_conninfo leads nowhere.",
        "대기 서버가 주 서버에 연결하지 못합니다.",
        _cut_off,
        _STREAMS,
        _SEEN,
        _FOLLOWS,
        source="D2",
    ),
    _damage(
        "standby-link-frozen",
        "The sender is frozen; both sides say streaming.",
        "전송이 얼어 있지만 양쪽 모두 streaming이라고 합니다.",
        _link_frozen,
        _FOLLOWS,
        "the_newest_writes_are_on_the_standby",
        source="D3",
    ),
    _damage(
        "standby-other-timeline",
        "The old primary was started as a standby without a rewind.",
        "옛 주 서버가 되감기 없이 대기 서버로 시작되었습니다.",
        _other_timeline,
        "the_standby_is_a_copy_of_the_primary",
        _FOLLOWS,
        source="D5",
    ),
    _damage(
        "standby-cascade-broken",
        "The server between the primary and the leaf is gone.",
        "중간 서버가 사라져 말단 서버가 끊겼습니다.",
        _cascade_broken,
        _STREAMS,
        _SEEN,
        _FOLLOWS,
        source="D6",
    ),
    _damage(
        "standby-delayed",
        "recovery_min_apply_delay was left on.",
        "recovery_min_apply_delay 설정이 남아 있습니다.",
        _delayed,
        "the_standby_applies_at_once",
        _FOLLOWS,
        source="D7",
    ),
    _damage(
        "standby-limits-lower",
        "max_connections of the primary was raised, and not the standby's.",
        "주 서버의 max_connections만 올렸습니다.",
        _limits_raised,
        "the_limits_of_the_standby_suffice",
        "the_standby_replays",
    ),
    _damage(
        "standby-slot-dropped",
        "The standby streams without a slot, and nothing else keeps WAL for it.",
        "복제 슬롯이 없고 WAL을 보관하는 것도 없습니다.",
        _slot_dropped,
        "the_slots_hold_what_the_standby_needs",
    ),
    _damage(
        "standby-slot-invalid",
        "The standby's slot has lost its WAL.",
        "복제 슬롯이 필요한 WAL을 잃었습니다.",
        _slot_invalid,
        "the_slots_hold_what_the_standby_needs",
    ),
    _damage(
        "standby-of-another-cluster",
        "The standby is of another cluster.",
        "다른 클러스터의 대기 서버입니다.",
        _another_cluster,
        "the_standby_is_a_copy_of_the_primary",
        _SEEN,
    ),
    _damage(
        "standby-follows-itself",
        "The standby's primary_conninfo leads to itself.",
        "대기 서버가 자기 자신을 따라갑니다.",
        _follows_itself,
        _SEEN,
        _FOLLOWS,
    ),
    _damage(
        "standby-password-wrong",
        "The password of the replication role is wrong.",
        "복제 역할의 비밀번호가 틀립니다.",
        _wrong_password,
        _STREAMS,
        _SEEN,
    ),
    _damage(
        "standby-lets-nobody-in",
        "hot_standby is off: the standby cannot be asked.",
        "hot_standby가 꺼져 있어 대기 서버를 확인할 수 없습니다.",
        _nobody_comes_in,
        "the_standby_replays",
        _STREAMS,
    ),
    _damage(
        "standby-commits-wait-for-a-ghost",
        "synchronous_standby_names of the primary wants two, and one is not there.",
        "동기 대기 서버 두 대 중 한 대가 없습니다.",
        _waits_for_two,
        "no_commit_waits_for_a_standby_that_is_not_there",
    ),
    _damage(
        "standby-would-wait-after-promotion",
        "synchronous_standby_names of the standby names who is not connected to it.",
        "승격 후 커밋이 연결되지 않은 서버를 기다리게 됩니다.",
        _waits_after_promotion,
        "no_commit_waits_for_a_standby_that_is_not_there",
    ),
    _damage(
        "standby-tablespace-gone",
        "A tablespace has no folder on the standby.",
        "대기 서버에 테이블스페이스 폴더가 없습니다.",
        _tablespace_gone,
        "the_tablespaces_are_on_the_standby",
    ),
    _damage(
        "standby-configuration-broken",
        "A line of the standby's postgresql.conf is wrong.",
        "대기 서버의 postgresql.conf에 잘못된 줄이 있습니다.",
        _file_broken,
        "the_configuration_files_of_the_standby_can_be_read",
    ),
    _damage(
        "standby-access-file-broken",
        "A line of the standby's pg_hba.conf is wrong.",
        "대기 서버의 pg_hba.conf에 잘못된 줄이 있습니다.",
        _access_broken,
        "the_configuration_files_of_the_standby_can_be_read",
    ),
    _damage(
        "standby-library-gone",
        "A library that functions need is not on the standby.",
        "함수에 필요한 라이브러리가 대기 서버에 없습니다.",
        _library_gone,
        "the_extensions_are_installed_on_the_standby",
    ),
    _damage(
        "standby-extension-older",
        "The standby's machine lacks the version of an extension.",
        "대기 서버에 확장의 해당 버전이 없습니다.",
        _extension_unknown,
        "the_extensions_are_installed_on_the_standby",
    ),
    _damage(
        "standby-sorts-otherwise",
        "Texts sort by another version of the library than the indexes.",
        "정렬 라이브러리의 버전이 인덱스와 다릅니다.",
        _sorts_otherwise,
        "the_collations_sort_as_on_the_primary",
    ),
    _damage(
        "standby-no-rewind",
        "Neither data checksums nor wal_log_hints: pg_rewind will refuse.",
        "체크섬도 wal_log_hints도 없어 pg_rewind가 불가능합니다.",
        _no_rewind,
        "both_could_be_rewound",
        source="F9",
    ),
    _damage(
        "standby-logical-slot-lost",
        "A logical slot exists on the primary only.",
        "논리 복제 슬롯이 주 서버에만 있습니다.",
        _logical_slot,
        "the_slots_hold_what_the_standby_needs",
        source="D16",
    ),
    _damage(
        "standby-archives-nothing",
        "The standby's archive_command is /bin/true.",
        "대기 서버의 archive_command가 아무것도 보관하지 않습니다.",
        _setting("archive_command", "/bin/true"),
        "the_standby_would_archive",
    ),
    _damage(
        "standby-read-only-by-default",
        "default_transaction_read_only is on, on the standby.",
        "대기 서버의 default_transaction_read_only가 켜져 있습니다.",
        _setting("default_transaction_read_only", "on"),
        _AGREE,
    ),
    _damage(
        "standby-wal-level-lower",
        "wal_level of the standby is lower than the primary's.",
        "대기 서버의 wal_level이 더 낮습니다.",
        _setting("wal_level", "replica", restart=True),
        _AGREE,
    ),
    _damage(
        "standby-half-pages",
        "full_page_writes is off on the standby.",
        "대기 서버의 full_page_writes가 꺼져 있습니다.",
        _setting("full_page_writes", "off"),
        _AGREE,
        "both_could_be_rewound",
    ),
    _damage(
        "standby-fewer-slots",
        "max_replication_slots of the standby is lower than the primary's.",
        "대기 서버의 max_replication_slots가 더 낮습니다.",
        _setting("max_replication_slots", "3", restart=True),
        "the_limits_of_the_standby_suffice",
    ),
    _damage(
        "standby-rejects-the-service",
        "pg_hba.conf of the standby rejects the service.",
        "대기 서버의 pg_hba.conf가 서비스를 거부합니다.",
        _service_rejected,
        "the_standby_lets_in_whom_the_primary_lets_in",
    ),
    _damage(
        "standby-knows-no-clients",
        "pg_hba.conf of the standby lacks the clients' rules.",
        "대기 서버의 pg_hba.conf에 클라이언트 규칙이 없습니다.",
        _service_not_let_in,
        "the_standby_lets_in_whom_the_primary_lets_in",
    ),
    _damage(
        "standby-trusts-everybody",
        "pg_hba.conf of the standby lets in everybody without a password.",
        "대기 서버의 pg_hba.conf가 비밀번호 없이 모두를 허용합니다.",
        _rule("host all all 0.0.0.0/0 trust"),
        "the_standby_lets_in_whom_the_primary_lets_in",
    ),
    _damage(
        "standby-open-to-all-addresses",
        "pg_hba.conf of the standby lets in from every address.",
        "대기 서버의 pg_hba.conf가 모든 주소의 접속을 허용합니다.",
        _rule("host all all 0.0.0.0/0 scram-sha-256"),
        "the_standby_lets_in_whom_the_primary_lets_in",
    ),
    _damage(
        "standby-reserves-connections",
        "Nearly all connections of the standby are reserved for superusers.",
        "대기 서버의 연결이 거의 모두 관리자 전용입니다.",
        _setting("superuser_reserved_connections", "38", restart=True),
        _AGREE,
    ),
    _damage(
        "standby-small-temporary-files",
        "temp_file_limit of the standby is lower: large sorts fail there.",
        "대기 서버의 temp_file_limit이 낮아 큰 정렬이 실패합니다.",
        _setting("temp_file_limit", "1MB"),
        _AGREE,
    ),
    _damage(
        "standby-archives-no-more-after-a-restart",
        "archive_mode of the standby is off from the next start on.",
        "대기 서버를 재시작하면 archive_mode가 꺼집니다.",
        _off_at_the_next_start,
        "the_configuration_files_of_the_standby_can_be_read",
    ),
    _damage(
        "standby-page-rotten-unread",
        "A page of the standby is rotten, and nobody has read it.",
        "대기 서버의 한 페이지가 손상되었지만 아무도 읽지 않았습니다.",
        _page_rotten_unread,
        "every_page_of_the_standby_can_be_read",
    ),
    _damage(
        "standby-other-rows",
        "Rows of a table are others on the standby, with right checksums.",
        "대기 서버의 행이 다르지만 체크섬은 맞습니다.",
        _other_rows,
        "tables_at_rest_have_the_same_rows_on_both",
    ),
    _damage(
        "standby-heartbeat-from-the-future",
        "A heartbeat from the future hides how old the copy is.",
        "미래 시각의 하트비트가 복제본의 나이를 숨깁니다.",
        _from_the_future,
        "the_newest_writes_are_on_the_standby",
    ),
    _damage(
        "standby-unlogged-table",
        "A table that holds something is not logged, and empty after a promotion.",
        "로그되지 않는 테이블은 승격 후 비어 있습니다.",
        _unlogged,
        "no_table_is_left_behind",
        source="C8",
    ),
    _damage(
        "standby-replay-frozen",
        "The process that replays is frozen.",
        "재생 프로세스가 얼어 있습니다.",
        _startup_frozen,
        _FOLLOWS,
    ),
    _damage(
        "standby-replay-blocked",
        "A reader on the standby blocks replay without a limit.",
        "대기 서버의 조회가 재생을 막고 있습니다.",
        _replay_blocked,
        _FOLLOWS,
    ),
    _damage(
        "standby-keeps-its-timeline",
        "recovery_target_timeline is current: it follows no promotion.",
        "recovery_target_timeline이 current라 승격을 따라가지 않습니다.",
        _setting("recovery_target_timeline", "current", restart=True),
        "nothing_ends_its_recovery_by_itself",
    ),
    _damage(
        "standby-recovery-target-left",
        "A recovery target was left in the standby's settings.",
        "대기 서버에 복구 목표 설정이 남아 있습니다.",
        _setting("recovery_target_name", "before_upgrade", restart=True),
        "nothing_ends_its_recovery_by_itself",
    ),
    _damage(
        "standby-page-broken",
        "A page of the standby failed its checksum when somebody read it.",
        "대기 서버의 페이지가 읽을 때 체크섬 검사에 실패했습니다.",
        _page_broken,
        "no_page_of_the_standby_is_known_to_be_broken",
    ),
)

AREA = Area("standby", standbys, detect, DAMAGES)
