"""The ledger's lost writes are those that an independent count finds, on real clusters."""

import asyncio
import contextlib
import signal

from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.clock import ledger_table
from opsproof.rehearsal.clock.exposure import newest_below
from opsproof.rehearsal.clock.objectives import rto
from opsproof.rehearsal.clock.reconcile import Became, reconcile
from opsproof.rehearsal.clock.recovery_point import polluted_rpo, rpo
from opsproof.rehearsal.clock.stopwatch import Stopwatch
from opsproof.rehearsal.clock.writer import Orders
from opsproof.rehearsal.clock.writing import Writing
from opsproof.rehearsal.facts import Proof
from opsproof.rehearsal.node import Node
from opsproof.stack.clusters import Cluster
from opsproof.stack.process import Process, descendants, wait_for

IDS = "SELECT id FROM opsproof_ledger WHERE writer = %s"
SENDERS = "SELECT pid FROM pg_stat_replication"


class Pair:
    """A primary and its standby, with a writer that finds whichever takes writes."""

    def __init__(self, grounds, name, *, interval=0.02, seconds=1.0):
        self.old, self.new = Cluster(grounds, f"{name}-old"), Cluster(grounds, f"{name}-new")
        self.old.initialize()
        self.old.start()
        assert self.old.copy_to(self.new.data, "-R").ok
        self.new.start()
        assert wait_for(lambda: bool(self.old.sql(f"{SENDERS} WHERE state = 'streaming'")), 60, pause=0.05)
        asyncio.run(ledger_table.prepare(self.node(self.old)))
        both = (
            f"host={self.old.home},{self.new.home} port={self.old.port},{self.new.port} dbname=postgres user=postgres"
        )
        ledger = grounds.folder(name) / "ledger.jsonl"
        orders = Orders(str(ledger), interval, both, seconds=seconds)
        self.watch = Stopwatch()
        self.writer = Writing.start(orders, log=grounds.log(f"{name}-writer"), grounds=grounds.directory)
        self.writer.until(10)

    def node(self, cluster):
        return Node(cluster.name, cluster.conninfo(), Asking.alone(cluster.name))

    def more(self, count=20):
        """Wait for so many further acknowledgements."""
        return self.writer.until(len(self.writer.ledger().acknowledged) + count)

    def see_standby_have(self, number):
        there = "SELECT count(*) FROM opsproof_ledger WHERE id = %s"
        assert wait_for(lambda: self.new.sql(there, number) == [(1,)], 60, pause=0.05)

    def fail_over(self):
        """The loss of the machine, and the promotion; until the writer's rows are taken again."""
        everybody = [self.old.process, *descendants(self.old.process)]
        for one in everybody:
            one.send(signal.SIGKILL)  # at once: what is frozen must not be thawed before, and send what it holds
        assert wait_for(lambda: not any(one.alive() for one in everybody), 60)
        self.watch.note("t0")
        assert self.new.sql("SELECT pg_promote(true, 60)") == [(True,)]
        assert wait_for(lambda: self.writer.ledger().acknowledged[-1].server.timeline == 2, 60, pause=0.05)
        self.watch.note("t3")
        self.more(5)

    def rows(self, cluster, ledger):
        return asyncio.run(collected(self.node(cluster), ledger))

    def settle(self):
        """End the writer, start the old primary's folder by itself, and count on both sides by plain SQL."""
        ledger = self.writer.stop()
        if not self.old.running():
            self.old.start({"synchronous_standby_names": ""})
        old = {number for (number,) in self.old.sql(IDS, ledger.writer)}
        new = {number for (number,) in self.new.sql(IDS, ledger.writer)}
        found = reconcile(ledger, self.rows(self.new, ledger), self.rows(self.old, ledger))
        return ledger, found, old - new


@contextlib.contextmanager
def frozen(cluster):
    """Freeze what sends the WAL, and see it frozen."""
    senders = [Process.of(pid) for (pid,) in cluster.sql(SENDERS)]
    for sender in senders:
        sender.send(signal.SIGSTOP)
    assert wait_for(lambda: all(sender.state() == "T" for sender in senders), 60)
    yield


def lost_equals(found, counted, *, at_least):
    """What was acknowledged is lost exactly where the count misses it; the rest of the count was never answered."""
    lost = set(found.ids(Became.LOST))
    assert len(lost) >= at_least
    assert lost <= counted
    assert counted - lost <= set(found.ids(Became.INDETERMINATE_ABSENT))
    assert len(counted - lost) <= 1


def test_asynchronous_failover(grounds):
    """A standby that was cut off calls itself caught up; the ledger knows better."""
    pair = Pair(grounds, "async")
    pair.see_standby_have(pair.writer.ledger().acknowledged[-1].id)
    pair.new.sql("ALTER SYSTEM SET primary_conninfo = 'host=/nonexistent'")
    pair.new.reload()
    assert wait_for(lambda: not pair.old.sql(SENDERS), 60, pause=0.05)
    pair.more(20)
    pair.fail_over()

    _, found, counted = pair.settle()

    lost_equals(found, counted, at_least=15)
    assert not found.conflicts
    fact = rpo(600, pair.watch.moments.t0, found)
    assert fact.proof is Proof.PROVEN, fact.why
    assert 0 < fact.lower < fact.upper
    assert rpo(fact.lower / 2, pair.watch.moments.t0, found).proof is Proof.FAILED


def test_frozen_link_failover(grounds):
    """Both sides say that they stream, and what was received was replayed; the exposure grows all the same."""
    pair = Pair(grounds, "frozen")
    with frozen(pair.old):
        acknowledged = pair.more(25).acknowledged[-1].sent
        newest = asyncio.run(ledger_table.newest(pair.node(pair.new)))
        replayed = "SELECT pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()"
        assert wait_for(lambda: pair.new.sql(replayed) == [(True,)], 60, pause=0.05)
        assert pair.old.sql("SELECT state FROM pg_stat_replication") == [("streaming",)]
        pair.fail_over()

    _, found, counted = pair.settle()

    lost_equals(found, counted, at_least=20)
    fact = rpo(600, pair.watch.moments.t0, found, embedded=True)
    assert fact.proof is Proof.PROVEN, fact.why
    assert newest < acknowledged
    assert fact.upper >= fact.lower > 0
    assert rto(600, pair.watch.moments).why.startswith("T4 was not measured")


def test_synchronous_failover_loses_nothing(grounds):
    """What a synchronous standby did not confirm was never acknowledged, however much was written meanwhile."""
    pair = Pair(grounds, "sync", seconds=0.3)
    pair.old.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    pair.old.reload()
    in_force = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
    assert wait_for(lambda: bool(pair.old.sql(in_force)), 60, pause=0.05)
    pair.more(20)
    with frozen(pair.old):
        unanswered = "no answer within 0.3 s; the connection was cut"
        answers = pair.writer.ledger
        assert wait_for(lambda: [one.why for one in answers().entries].count(unanswered) >= 3, 60, pause=0.05)
        pair.fail_over()

    _, found, counted = pair.settle()

    assert found.ids(Became.LOST) == ()
    assert len(counted) >= 3, "what was not confirmed is on the old primary alone"
    assert counted <= set(found.ids(Became.INDETERMINATE_ABSENT))
    assert rpo(600, pair.watch.moments.t0, found).lower == 0


def test_a_primary_that_was_frozen_and_comes_back(grounds):
    """What it had been sent may be applied at any later time: that is no loss, and no acknowledgement either."""
    pair = Pair(grounds, "thawed", seconds=5.0)
    everybody = [pair.old.process, *descendants(pair.old.process)]
    for one in everybody:
        one.send(signal.SIGSTOP)
    assert wait_for(lambda: all(one.state() == "T" for one in everybody), 60)
    pair.watch.note("t0")
    assert pair.new.sql("SELECT pg_promote(true, 60)") == [(True,)]
    assert wait_for(lambda: pair.writer.ledger().acknowledged[-1].server.timeline == 2, 120, pause=0.05)
    pair.more(5)
    for one in everybody:
        one.send(signal.SIGCONT)
    assert wait_for(pair.old.answers, 60, pause=0.05)
    pair.more(5)

    ledger, found, counted = pair.settle()

    lost_equals(found, counted, at_least=0)
    assert "no answer within 5 s; the connection was cut" in {one.why for one in ledger.entries}
    assert not found.conflicts


def test_split_brain_is_conflicting(grounds):
    """Both are healthy, and take writes; which of them is read decides what looks lost."""
    pair = Pair(grounds, "split")
    assert pair.new.sql("SELECT pg_promote(true, 60)") == [(True,)]
    for cluster in (pair.new, pair.old):
        pair.writer.stop()
        orders = Orders(pair.writer.orders.ledger, 0.02, cluster.conninfo())
        pair.writer = Writing.start(orders, log=pair.writer.log, grounds=grounds.directory)
        pair.more(10)
    ledger = pair.writer.stop()

    found = reconcile(ledger, pair.rows(pair.new, ledger), pair.rows(pair.old, ledger))

    on_old_after = {one.id for one in ledger.acknowledged if one.server.timeline == 1 and one.id > first_of(ledger, 2)}
    assert on_old_after
    assert on_old_after == set(found.ids(Became.CONFLICTING))
    assert rpo(600, ledger.entries[-1].acked, found).proof is Proof.FAILED


def first_of(ledger, timeline):
    return min(one.id for one in ledger.acknowledged if one.server.timeline == timeline)


class Archived:
    """A primary with an archive, a base backup of it to recover from, and a writer."""

    def __init__(self, grounds, name):
        self.grounds = grounds
        self.primary, self.scratch = Cluster(grounds, name), Cluster(grounds, f"{name}-scratch")
        self.archive = grounds.folder(f"{name}-archive")
        self.primary.initialize()
        self.primary.start({"archive_mode": "on", "archive_command": f"cp %p {self.archive}/%f"})
        assert self.primary.copy_to(self.scratch.data).ok
        node = Node(name, self.primary.conninfo(), Asking.alone(name))
        asyncio.run(ledger_table.prepare(node))
        orders = Orders(str(grounds.folder(name) / "ledger.jsonl"), 0.02, self.primary.conninfo())
        self.writer = Writing.start(orders, log=grounds.log(f"{name}-writer"), grounds=grounds.directory)
        self.writer.until(10)

    def more(self, count=10):
        """Wait for so many further acknowledgements."""
        return self.writer.until(len(self.writer.ledger().acknowledged) + count)

    def switch(self):
        """End the segment that is written, and wait until it is in the archive."""
        ((segment,),) = self.primary.sql("SELECT pg_walfile_name(pg_switch_wal())")
        archived = "SELECT 1 FROM pg_stat_archiver WHERE last_archived_wal >= %s"
        assert wait_for(lambda: bool(self.primary.sql(archived, segment)), 60, pause=0.05)
        return segment

    def recover(self, **target):
        """Recover the scratch copy from the archive alone, and let it take writes."""
        self.scratch.configure(restore_command=f"cp {self.archive}/%f %p", **target)
        (self.scratch.data / "recovery.signal").touch()
        self.grounds.programs.own(self.scratch.data)
        self.scratch.start({"archive_mode": "off"})
        assert wait_for(lambda: self.scratch.sql("SELECT pg_is_in_recovery()") == [(False,)], 60, pause=0.05)


def test_an_archive_gives_back_what_lies_below_its_end(grounds):
    """The newest heartbeat of an archive is what a recovery from it alone finds, or the one before: never a later."""
    archived = Archived(grounds, "archived")
    segment = archived.switch()
    archived.more()
    archived.primary.kill()
    ledger = archived.writer.stop()
    end = (int(segment[8:16], 16) << 32) + ((int(segment[16:], 16) + 1) << 24)

    claimed = newest_below(ledger, end, 1)

    archived.recover()
    there = {number for (number,) in archived.scratch.sql(IDS, ledger.writer)}
    recovered = [one for one in ledger.acknowledged if one.id in there]
    assert recovered[-1].id < ledger.acknowledged[-1].id
    assert claimed in [one.sent for one in recovered[-2:]]


def test_recovery_to_a_moment_before_a_pollution(grounds):
    """Commits given up before it and to be replayed after it are those that an independent count finds."""
    archived = Archived(grounds, "polluted")
    target = archived.more().acknowledged[-1].acked
    archived.more()
    archived.primary.sql("CREATE TABLE orders AS SELECT generate_series(1, 9) AS id, 0 AS total")
    pollution = archived.more(1).acknowledged[-1].acked  # no write is under way then
    archived.more()
    ledger = archived.writer.stop()
    archived.switch()
    archived.recover(recovery_target_time=target.isoformat(), recovery_target_action="promote")

    node = Node("scratch", archived.scratch.conninfo(), Asking.alone("scratch"))
    found = reconcile(ledger, asyncio.run(collected(node, ledger)))
    fact = polluted_rpo(600, pollution, target, found)

    gone = "SELECT id, at < %s FROM opsproof_ledger WHERE writer = %s"
    there = {number for (number,) in archived.scratch.sql(IDS, ledger.writer)}
    missing = [early for number, early in archived.primary.sql(gone, pollution, ledger.writer) if number not in there]
    assert set(found.became.values()) == {Became.OK, Became.LOST}
    assert len(found.ids(Became.LOST)) == len(missing)
    assert f"{sum(missing)} acknowledged writes before it are given up" in fact.why
    assert f"{len(missing) - sum(missing)} acknowledged writes after it are gone and must be replayed" in fact.why
    assert fact.proof is Proof.PROVEN, fact.why
    assert 0 < fact.lower <= (pollution - target).total_seconds() <= fact.upper


async def collected(node, ledger):
    return [row async for row in ledger_table.found(node, ledger)]
