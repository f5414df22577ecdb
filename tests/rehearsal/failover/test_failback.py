"""The old primary comes back without a loss that nobody knows of, and the home site serves again."""

import asyncio
import csv
import hashlib
import os
from pathlib import Path

import pytest

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.damage.failover.returns import bring_back, returns
from opsproof.rehearsal.failover.divergence import divergence, fork_of
from opsproof.rehearsal.failover.exports import runs
from opsproof.rehearsal.failover.failback import follow, settled_timeline, switch_over
from opsproof.rehearsal.failover.promotion import first_write, has_token


@pytest.mark.parametrize("stop", ["fast", "immediate"])
def test_the_lost_commits_are_those_that_were_made(grounds, stop):
    """A number that is wrong is worse than none: it goes into the customer's notice."""
    with returns(grounds) as lab:
        lab.diverge(stop=stop)
        asyncio.run(lab.count())
        assert lab.lost is not None
        assert len(lab.lost.commits) == lab.commits
        assert lab.lost.whole
        assert lab.lost.prepared == ()
        assert lab.kept is not None
        assert lab.kept.missing == ()
        assert lab.lost.commits == tuple(sorted(lab.lost.commits, key=lambda one: one.at))
        rows = {one.table: one.rows for one in lab.kept.exports if not one.deleted}
        assert rows == {"public.orders": 4, "public.opsproof_heartbeat": 1}
        [deleted] = [one for one in lab.kept.exports if one.deleted]
        assert [row["id"] for row in csv.DictReader(Path(deleted.file).read_text().splitlines())] == ["2"]
        orders = next(one for one in lab.kept.exports if one.table == "public.orders")
        content = Path(orders.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == orders.sha256
        kept = list(csv.DictReader(content.decode().splitlines()))
        assert [row["note"] for row in kept].count("only on the old primary") == 3
        assert {row["id"] for row in kept if row["note"] == "changed on the old primary"} == {"1"}
        assert not (lab.servers.home.data / "postmaster.pid").exists() or stop == "immediate"


@pytest.mark.parametrize(
    ("statements", "commits", "exported"),
    [
        (
            ("BEGIN", "INSERT INTO orders (note) VALUES ('a')", "PREPARE TRANSACTION 'x'", "COMMIT PREPARED 'x'"),
            1,
            {("public.orders", False): 5},
        ),
        (("DELETE FROM orders WHERE id BETWEEN 100 AND 150",), 1, {("public.orders", True): 52}),
        (("SELECT * FROM orders WHERE id = 4 FOR UPDATE", "ANALYZE orders"), 2, {}),
        (("SELECT lo_from_bytea(777, 'drawing')",), 1, {("pg_catalog.pg_largeobject", False): 1}),
        (
            (
                "INSERT INTO orders VALUES (9999, 'came and went')",
                "DELETE FROM orders WHERE id = 9999",
                "UPDATE orders SET note = 'changed, then deleted' WHERE id = 7",
                "DELETE FROM orders WHERE id = 7",
                "VACUUM orders",
            ),
            4,
            {("public.orders", True): 2},
        ),
        (
            (
                "INSERT INTO orders VALUES (5, 'there') ON CONFLICT (id) DO UPDATE SET note = 'changed'",
                "DO $$ BEGIN BEGIN INSERT INTO orders (note) VALUES ('inside'); "
                "EXCEPTION WHEN unique_violation THEN NULL; END; END $$",
            ),
            2,
            {("public.orders", False): 6},
        ),
    ],
    ids=["two phases", "deleted", "nothing", "large object", "came and went", "on conflict, savepoint"],
)
def test_whatever_rows_were_lost_are_kept(grounds, statements, commits, exported):
    """Each row that a lost transaction left, and each that it deleted, is in a file; a lock is no loss."""
    with returns(grounds) as lab:
        lab.diverge(*statements)
        asyncio.run(lab.count())
        assert lab.lost is not None
        assert lab.kept is not None
        assert lab.kept.missing == ()
        assert len(lab.lost.commits) == lab.commits + commits
        rows = {(one.table, one.deleted): one.rows for one in lab.kept.exports}
        assert rows.items() >= exported.items()


def test_the_way_back_ends_at_home_with_nothing_lost(grounds):
    """Rewound, followed, switched over and followed again: what was written meanwhile is on both."""
    with returns(grounds) as lab:
        servers = lab.servers
        servers.dr.configure(work_mem="7MB")
        lab.diverge()
        asyncio.run(bring_back(lab))
        assert lab.rewound is not None
        assert any("work_mem" in line for line in lab.rewound.replaced["postgresql.conf"])
        home, dr = servers.node(servers.home), servers.node(servers.dr)
        assert asyncio.run(first_write(dr, "while away")).read_back
        done = asyncio.run(switch_over(lab.asking, servers.dr, home))
        assert done.promotion.returned
        assert done.promotion.finished
        assert asyncio.run(has_token(home, "while away", of=dr))
        servers.home.sql("SELECT pg_create_physical_replication_slot('dr', true)")
        follow(servers.dr, servers.upstream(servers.home, "dr"), "dr")
        servers.dr.start()
        assert asyncio.run(first_write(home, "home again")).read_back
        servers.caught_up(servers.home, servers.dr)
        assert asyncio.run(has_token(dr, "home again", of=home))
        assert servers.home.sql("SELECT count(*) FROM orders WHERE note = 'only on the old primary'") == [(0,)]
        assert asyncio.run(settled_timeline(home)) == 3


def test_wal_that_was_recycled_comes_from_the_archive(grounds):
    """The old primary has forgotten what pg_rewind needs; the archive has not."""
    with returns(grounds) as lab:
        lab.diverge(segments=3)
        fork = asyncio.run(fork_of(lab.servers.node(lab.servers.dr), 2))
        assert (fork.parent, fork.timeline) == (1, 2)
        low = int(fork.lsn.split("/")[1], 16) >> 20
        for segment in (lab.servers.home.data / "pg_wal").glob("00000001????????????????"):
            if int(segment.name[16:], 16) < low:
                segment.unlink()
        with pytest.raises(PreconditionMissing, match="could not find previous WAL record"):
            asyncio.run(lab.rewind())
        asyncio.run(lab.rewind(from_archive=True))
        lab.follow()
        lab.servers.caught_up(lab.servers.dr, lab.servers.home)


def test_a_stale_lock_file_is_no_running_server(grounds):
    """SIGKILL leaves the lock file, and its pid is another process's by and by."""
    with returns(grounds) as lab:
        home = lab.servers.home
        assert runs(home)
        home.kill()
        lock = home.data / "postmaster.pid"
        assert lock.exists()
        assert not runs(home)
        lock.write_text(f"{os.getpid()}\n", encoding="ascii")
        assert not runs(home)


def test_wal_with_a_hole_is_not_taken_for_its_end(grounds):
    """pg_waldump stops at a page of zeros as it does at the end; that the rest was not counted is said."""
    with returns(grounds) as lab:
        home, dr = lab.servers.home, lab.servers.dr
        dr.sql("SELECT pg_promote(true, 60)")
        for _ in range(40):
            home.sql("INSERT INTO orders (note) SELECT repeat('x', 100) FROM generate_series(1, 20)")
        home.stop("immediate")
        fork = asyncio.run(fork_of(lab.servers.node(dr), 2))
        sound = asyncio.run(divergence(lab.asking, grounds.programs, home.data, fork))
        assert sound.whole
        assert len(sound.commits) == 40
        number = int(fork.lsn.split("/")[1], 16)
        hole = (number // 8192 + 3) * 8192
        segment = home.data / "pg_wal" / f"00000001{0:08X}{hole >> 20:08X}"
        with segment.open("r+b") as file:
            file.seek(hole & 0xFFFFF)
            file.write(bytes(8192))
        holed = asyncio.run(divergence(lab.asking, grounds.programs, home.data, fork))
        assert 0 < len(holed.commits) < 40
        assert not holed.whole
