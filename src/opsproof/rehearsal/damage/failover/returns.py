"""
Damage on the way back: an old primary that is no true standby afterwards, or whose lost commits nobody kept.

One machine does not allow: a reboot of the old primary's machine (the start of its server stands for it). F15, a stale
lock file after SIGKILL, harms no server here: who starts one removes it; `exports.runs` sees through it.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from opsproof.errors import NotObserved
from opsproof.rehearsal.archive.names import read_lsn, segment_name
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.damage.damage import Area, Damage, Found
from opsproof.rehearsal.damage.failover.pair import IN_A_ROW, Pair, Pairs, at_once, pair
from opsproof.rehearsal.failover import asked
from opsproof.rehearsal.failover.detectors import everything
from opsproof.rehearsal.failover.divergence import Divergence, divergence, fork_of
from opsproof.rehearsal.failover.exports import Kept, keep
from opsproof.rehearsal.failover.failback import Rewound, follow, rewind
from opsproof.rehearsal.failover.readiness import StandbyVerification
from opsproof.rehearsal.failover.rewound import RewoundVerification
from opsproof.stack.clusters import Cluster, Grounds
from opsproof.stack.process import wait_for

_LETS_IN_SECONDS = 10.0
REWOUND = "failback.the_old_primary_is_rewound"
"""Not a question of a verification: the rewind itself was refused, or failed."""


class Returns:
    """
    A promoted standby, and the old primary with commits of its own, stopped.

    Args:
        servers: Running.
    """

    def __init__(self, servers: Pair) -> None:
        self.servers = servers
        self.asking = Asking.alone("failback")
        self.settings = at_once(asked.settings(servers.node(servers.home)))
        self.timeline = at_once(asked.timeline(servers.node(servers.home)))
        self.size = int(self.settings["wal_segment_size"])
        self.gate = 30.0
        self.commits = 0
        self.diverged = False
        self.back = False
        self.lost: Divergence | None = None
        self.kept: Kept | None = None
        self.rewound: Rewound | None = None

    def diverge(self, *also: str, segments: int = 0, stop: str = "fast") -> None:
        """
        Promote the standby while the old primary lives, let both write, and stop the old one.

        Args:
            also: Statements that the old one executes besides, one session for all.
            segments: WAL segments between the last common checkpoint and the fork.
            stop: Mode of pg_ctl stop of the old primary.
        """
        home, dr = self.servers.home, self.servers.dr
        home.sql("CHECKPOINT")
        for _ in range(segments):
            home.sql("SELECT pg_logical_emit_message(true, 'lab', 'x')")
            home.sql("SELECT pg_switch_wal()")
        self.servers.caught_up(home, dr)
        dr.sql("SELECT pg_promote(true, 60)")
        dr.sql("SELECT pg_drop_replication_slot('leaf')")
        dr.sql("SELECT pg_create_physical_replication_slot('home', true)")
        home.sql("INSERT INTO orders (note) SELECT 'only on the old primary' FROM generate_series(1, 3)")
        home.sql("UPDATE orders SET note = 'changed on the old primary' WHERE id = 1")
        home.sql("DELETE FROM orders WHERE id = 2")
        self.servers.beat(home)
        self.commits = 4
        with home.connect() as session:
            for statement in also:
                session.execute(statement.encode())
        home.stop(stop)
        dr.sql("INSERT INTO orders (note) VALUES ('on the new primary')")
        self.servers.beat(dr)
        self.diverged = True

    def fork(self) -> int:
        """Where the new primary left the timeline of the old one."""
        return read_lsn(at_once(fork_of(self.servers.node(self.servers.dr), self.timeline + 1)).lsn)

    async def count(self) -> None:
        """Count and keep what only the old primary has."""
        servers = self.servers
        dr = servers.node(servers.dr)
        fork = await fork_of(dr, await asked.timeline(dr))
        self.lost = await divergence(self.asking, servers.grounds.programs, servers.home.data, fork)
        scratch = Cluster(servers.grounds, servers.home.name.replace("home", "copy"))
        servers.scratch.append(scratch)
        self.kept = await keep(self.asking, servers.home, scratch, dr, self.lost, fork, servers.exports)

    async def rewind(self, *, from_archive: bool = False) -> None:
        """Rewind the old primary."""
        dr = self.servers.node(self.servers.dr)
        self.rewound = await rewind(self.asking, self.servers.home, dr, from_archive=from_archive, gate=self.gate)

    def follow(self, upstream: Cluster | None = None, slot: str = "home") -> None:
        """Start the old primary as a standby of the new one, or of whom is said; without WAL it may let nobody in."""
        home = self.servers.home
        follow(home, self.servers.upstream(upstream or self.servers.dr, "home"), slot)
        home.start(wait=0)
        wait_for(home.answers, _LETS_IN_SECONDS)
        self.back = True

    def verifications(self) -> Sequence[tuple[object, str]]:
        """The questions, each with the folder of its checks."""
        servers = self.servers
        dr, home = servers.node(servers.dr), servers.node(servers.home)
        back = RewoundVerification(dr, home, self.lost, self.kept, self.settings, seconds=4.0)
        if not self.back:
            return ((back, "failback"),)
        return ((back, "failback"), (StandbyVerification(dr, home, servers.heartbeat, servers.limits), "backup"))


@contextlib.contextmanager
def returns(grounds: Grounds, pairs: Pairs = pair) -> Iterator[Returns]:
    """A sound pair, that diverges and comes back when somebody looks, unless the fault did it."""
    with pairs(grounds) as servers:
        yield Returns(servers)


async def bring_back(lab: Returns) -> None:
    """The whole way, as it should be: count, keep, rewind, follow."""
    if not lab.diverged:
        lab.diverge()
    await lab.count()
    await lab.rewind()
    lab.follow()


async def detect(lab: Returns) -> Found:
    """Bring it back unless the fault did, then ask everything of it."""
    found: dict[str, list[str]] = {REWOUND: []}
    if not lab.back:
        try:
            await bring_back(lab)
        except NotObserved as exc:
            found[REWOUND].append(exc.what)
    for verification, folder in lab.verifications():
        found |= await everything(verification, folder)
    return found


def usual(lab: Returns) -> str:
    """What people look at: pg_rewind's exit status where one ran, and the server that came back."""
    told = f"pg_rewind: exit 0, '{lab.rewound.words.splitlines()[-1]}'; " if lab.rewound is not None else ""
    return told + lab.servers.usual(lab.servers.home if lab.back else lab.servers.dr, lab.servers.dr)


def _rewind_usual(lab: Returns) -> str:
    """What pg_rewind itself says, tried without a change on the stopped old primary."""
    source = lab.servers.dr.conninfo()
    argv = ["-D", str(lab.servers.home.data), f"--source-server={source}", "--dry-run"]
    done = lab.servers.grounds.programs.run("pg_rewind", *argv)
    return f"pg_rewind --dry-run: exit {done.status}, '{done.err.strip().splitlines()[-1]}'; {usual(lab)}"


def _no_checksums(lab: Returns) -> None:
    home, dr = lab.servers.home, lab.servers.dr
    for cluster in (dr, home):
        cluster.stop("fast")
        cluster.must("pg_checksums", "--disable", "-D", str(cluster.data))
    for cluster in (home, dr):
        cluster.start()
    lab.servers.caught_up(home, dr)
    lab.diverge()


def _no_checkpoint(lab: Returns) -> None:
    sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
    [(pid,)] = lab.servers.dr.sql(sql)
    lab.servers.freeze(pid)
    lab.gate = 3.0
    lab.diverge()


def _recycled(lab: Returns) -> None:
    lab.diverge(segments=3)
    needed = segment_name(lab.timeline, lab.fork(), lab.size)
    for segment in (lab.servers.home.data / "pg_wal").glob(f"{lab.timeline:08X}????????????????"):
        if segment.name < needed:
            segment.unlink()


def _without_rewind(lab: Returns) -> None:
    lab.diverge(stop="immediate")
    at_once(lab.count())
    lab.follow()


def _uncounted(lab: Returns) -> None:
    lab.diverge()
    at_once(lab.rewind())
    lab.follow()


def _source_configuration(lab: Returns) -> None:
    lab.servers.dr.configure(work_mem="7MB", log_min_duration_statement="77")
    lab.diverge()
    at_once(lab.count())
    at_once(lab.rewind())
    theirs = lab.servers.dr.data / "postgresql.conf"
    (lab.servers.home.data / "postgresql.conf").write_bytes(theirs.read_bytes())
    lab.follow()


def _follows_itself(lab: Returns) -> None:
    lab.diverge()
    at_once(lab.count())
    at_once(lab.rewind())
    lab.follow(lab.servers.home, slot="")


def _no_slot(lab: Returns) -> None:
    lab.diverge()
    at_once(lab.count())
    at_once(lab.rewind())
    lab.follow(slot="forgotten")


def _came_back_as_primary(lab: Returns) -> None:
    lab.diverge()
    at_once(lab.count())
    lab.servers.home.start()
    lab.back = True


def _still_runs(lab: Returns) -> None:
    lab.diverge()
    lab.servers.home.start()


def _written(**settings: str) -> Callable[[Returns], None]:
    def inject(lab: Returns) -> None:
        at_once(bring_back(lab))
        lab.servers.home.configure(**settings)

    return inject


def _page_rotten(lab: Returns) -> None:
    home = lab.servers.home
    home.sql("CREATE TABLE quiet AS SELECT n AS id, 'aaaa' AS note FROM generate_series(1, 500) n")
    [(path,)] = home.sql("SELECT pg_relation_filepath('quiet')")
    lab.diverge()
    at_once(lab.count())
    at_once(lab.rewind())
    with (home.data / str(path)).open("r+b") as file:
        file.seek(IN_A_ROW)
        file.write(b"\xff\xff\xff\xff")
    lab.follow()


def _exported(change: Callable[[Path], None]) -> Callable[[Returns], None]:
    def inject(lab: Returns) -> None:
        at_once(bring_back(lab))
        assert lab.kept is not None
        change(Path(lab.kept.exports[0].file))

    return inject


def _lost(*also: str) -> Callable[[Returns], None]:
    return lambda lab: lab.diverge(*also)


_IN_TWO_PHASES = ("BEGIN", "INSERT INTO orders (note) VALUES ('in two phases')", "PREPARE TRANSACTION 'payment-17'")


def _two_phases_forgotten(lab: Returns) -> None:
    home, dr = lab.servers.home, lab.servers.dr
    dr.sql("SELECT pg_promote(true, 60)")
    dr.sql("SELECT pg_create_physical_replication_slot('home', true)")
    with home.connect() as session:
        for statement in (*_IN_TWO_PHASES, "COMMIT PREPARED 'payment-17'"):
            session.execute(statement.encode())
    home.stop("fast")
    lab.diverged = True
    at_once(bring_back(lab))
    lab.kept = None


def _deleted_and_changed(lab: Returns) -> None:
    lab.diverge("DELETE FROM orders WHERE id BETWEEN 100 AND 150")
    lab.servers.dr.sql("UPDATE orders SET note = 'changed on the new primary' WHERE id = 120")


def _large_object_gone(lab: Returns) -> None:
    lab.diverge("SELECT lo_from_bytea(777, 'drawing')")
    at_once(bring_back(lab))
    assert lab.kept is not None
    [file] = [Path(one.file) for one in lab.kept.exports if one.table == "pg_catalog.pg_largeobject"]
    file.unlink()


def _wal_copy_gone(lab: Returns) -> None:
    at_once(bring_back(lab))
    assert lab.kept is not None
    (Path(lab.kept.folder) / "wal" / min(lab.kept.wal)).unlink()


def _changed(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b",", b";", 1))


def _wal_damaged(lab: Returns) -> None:
    lab.diverge()
    fork = lab.fork()
    segment = lab.servers.home.data / "pg_wal" / segment_name(lab.timeline, fork, lab.size)
    with segment.open("r+b") as file:
        file.seek(fork % lab.size + 200)
        file.write(b"\xff" * 64)


def _damage(
    name: str,
    source: str,
    en: str,
    ko: str,
    inject: Callable[[Returns], None],
    *caught_by: str,
    said: Callable[[Returns], str] = usual,
) -> Damage[Returns]:
    return Damage(name, source, {"en": en, "ko": ko}, inject, said, caught_by)


_KEPT = "failback.what_only_the_old_timeline_had_is_kept"
_ARRIVES = "failback.what_is_written_now_arrives"
_STREAMS = "backup.the_standby_streams"

DAMAGES = (
    _damage(
        "rewind-impossible",
        "F9",
        "pg_rewind is impossible: neither checksums nor wal_log_hints.",
        "체크섬도 wal_log_hints도 없어 pg_rewind가 불가능합니다.",
        _no_checksums,
        REWOUND,
        said=_rewind_usual,
    ),
    _damage(
        "rewind-before-the-checkpoint",
        "F10",
        "pg_rewind before the first checkpoint of the new primary.",
        "새 주 서버의 첫 체크포인트 전에 pg_rewind를 실행했습니다.",
        _no_checkpoint,
        REWOUND,
        "failback.the_new_primary_has_settled_on_its_timeline",
        said=_rewind_usual,
    ),
    _damage(
        "rewind-lacks-wal",
        "F11",
        "The old primary has recycled WAL that pg_rewind needs.",
        "pg_rewind에 필요한 WAL이 재사용되어 없습니다.",
        _recycled,
        REWOUND,
        said=_rewind_usual,
    ),
    _damage(
        "return-without-rewind",
        "D5",
        "The old primary follows without a rewind, and shows its own rows.",
        "되감기 없이 대기 서버로 시작되어 옛 행이 남아 있습니다.",
        _without_rewind,
        _ARRIVES,
        "failback.nothing_is_left_that_only_it_has",
    ),
    _damage(
        "return-uncounted",
        "",
        "The lost commits were rewound away uncounted.",
        "잃은 커밋을 세지 않고 되감았습니다.",
        _uncounted,
        _KEPT,
        "failback.nothing_is_left_that_only_it_has",
    ),
    _damage(
        "return-with-foreign-configuration",
        "",
        "The old primary runs with the new one's configuration.",
        "옛 주 서버가 새 주 서버의 설정으로 실행됩니다.",
        _source_configuration,
        "failback.its_configuration_is_its_own",
    ),
    _damage(
        "return-follows-itself",
        "",
        "primary_conninfo of the rewound server leads to itself.",
        "되감은 서버가 자기 자신을 따라갑니다.",
        _follows_itself,
        _ARRIVES,
        "backup.the_primary_sees_the_standby",
    ),
    _damage(
        "return-slot-missing",
        "",
        "The slot of the rewound server was not made on the new primary.",
        "새 주 서버에 되감은 서버의 슬롯이 없습니다.",
        _no_slot,
        _ARRIVES,
        _STREAMS,
    ),
    _damage(
        "return-as-primary",
        "F14",
        "The old primary came back as a primary.",
        "옛 주 서버가 주 서버로 돌아왔습니다.",
        _came_back_as_primary,
        _ARRIVES,
        "backup.the_standby_replays",
    ),
    _damage(
        "rewind-unfenced",
        "",
        "The old primary runs while it is to be rewound.",
        "되감으려는데 옛 주 서버가 실행 중입니다.",
        _still_runs,
        REWOUND,
    ),
    _damage(
        "return-does-not-start-again",
        "",
        "A value in postgresql.conf of the rewound server is none: it does not start again.",
        "되감은 서버의 postgresql.conf에 잘못된 값이 있어 다시 시작되지 않습니다.",
        _written(shared_buffers="lots"),
        "failback.its_next_start_is_like_this_one",
    ),
    _damage(
        "return-page-rotten-unread",
        "",
        "A page of the rewound server is rotten, and nobody has read it.",
        "되감은 서버의 한 페이지가 손상되었지만 아무도 읽지 않았습니다.",
        _page_rotten,
        "failback.every_page_can_be_read",
    ),
    _damage(
        "lost-rows-changed",
        "",
        "The file with the lost rows was changed.",
        "잃은 행을 보관한 파일이 변경되었습니다.",
        _exported(_changed),
        _KEPT,
    ),
    _damage(
        "lost-rows-gone",
        "",
        "The file with the lost rows is gone.",
        "잃은 행을 보관한 파일이 없습니다.",
        _exported(Path.unlink),
        _KEPT,
    ),
    _damage(
        "lost-two-phase-commit-forgotten",
        "",
        "A commit in two phases was rewound away, and nothing of it is kept.",
        "2단계 커밋이 보관되지 않은 채 되감겼습니다.",
        _two_phases_forgotten,
        _KEPT,
    ),
    _damage(
        "lost-transaction-undecided",
        "",
        "A prepared transaction of the old timeline was never decided.",
        "옛 타임라인의 준비된 트랜잭션이 결정되지 않았습니다.",
        _lost(*_IN_TWO_PHASES),
        _KEPT,
    ),
    _damage(
        "lost-truncate",
        "",
        "The old primary emptied a table after the fork, and no row tells of it.",
        "분기 이후 옛 주 서버가 테이블을 비웠고, 남은 행이 없습니다.",
        _lost("TRUNCATE kept_cold"),
        _KEPT,
    ),
    _damage(
        "lost-drop",
        "",
        "The old primary dropped a table after the fork.",
        "분기 이후 옛 주 서버가 테이블을 삭제했습니다.",
        _lost("DROP TABLE kept_cold"),
        _KEPT,
    ),
    _damage(
        "lost-ddl",
        "",
        "The old primary made a view after the fork, and no row tells of it.",
        "분기 이후 옛 주 서버가 뷰를 만들었습니다.",
        _lost("CREATE VIEW noted AS SELECT 1"),
        _KEPT,
    ),
    _damage(
        "lost-message",
        "",
        "The old primary wrote a logical message after the fork, which is in no table.",
        "분기 이후 옛 주 서버가 테이블에 없는 논리 메시지를 기록했습니다.",
        _lost("SELECT pg_logical_emit_message(true, 'outbox', 'order 17')"),
        _KEPT,
    ),
    _damage(
        "lost-deletes-changed",
        "",
        "The old primary deleted rows after the fork, and the new one has changed one of them.",
        "옛 주 서버가 삭제한 행을 새 주 서버가 변경했습니다.",
        _deleted_and_changed,
        _KEPT,
    ),
    _damage(
        "lost-large-object-gone",
        "",
        "The file with a lost large object is gone.",
        "잃은 대형 객체를 보관한 파일이 없습니다.",
        _large_object_gone,
        _KEPT,
    ),
    _damage(
        "lost-wal-gone",
        "",
        "The copy of the old timeline's WAL is gone.",
        "옛 타임라인의 WAL 사본이 없습니다.",
        _wal_copy_gone,
        _KEPT,
    ),
    _damage(
        "lost-commits-unreadable",
        "",
        "The WAL of the old timeline is damaged after the fork.",
        "분기 이후 옛 타임라인의 WAL이 손상되었습니다.",
        _wal_damaged,
        _KEPT,
        REWOUND,
    ),
)

AREA = Area("failback", returns, detect, DAMAGES)
