"""The outside writer: a process of its own, and acknowledgements that mean something."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from opsproof.errors import OpsproofError, TimedOut
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.clock import ledger_table
from opsproof.rehearsal.clock.ledger import read_ledger
from opsproof.rehearsal.clock.reconcile import Became, reconcile
from opsproof.rehearsal.clock.recovery_point import rpo
from opsproof.rehearsal.clock.writer import ASKED, Orders
from opsproof.rehearsal.clock.writing import Writing
from opsproof.rehearsal.facts import Proof
from opsproof.rehearsal.node import Node
from opsproof.stack.clusters import Cluster
from opsproof.stack.process import Process, belonging_to, exit_status, wait_for

HEARTBEATS = "CREATE TABLE opsproof_heartbeat (id bigint PRIMARY KEY, at timestamptz NOT NULL, writer text NOT NULL)"


@pytest.fixture(scope="module")
def server(grounds):
    """A server with the ledger's table."""
    cluster = Cluster(grounds, "alone")
    cluster.initialize()
    cluster.start()
    asyncio.run(ledger_table.prepare(node(cluster)))
    return cluster


@pytest.fixture
def writing(grounds, tmp_path):
    """Start a writer; it ends with the test."""
    started = []

    def start(**orders):
        told = Orders(**{"ledger": str(tmp_path / "ledger.jsonl"), "interval": 0.02, **orders})
        started.append(Writing.start(told, log=tmp_path / "writer.log", grounds=grounds.directory))
        return started[-1]

    yield start
    for one in started:
        one.process.send(signal.SIGKILL)


def node(cluster, database="postgres"):
    return Node(cluster.name, cluster.conninfo(database), Asking.alone(cluster.name))


def rows(cluster, ledger):
    async def read():
        return [row async for row in ledger_table.found(node(cluster), ledger)]

    return asyncio.run(read())


def gone(writer):
    assert wait_for(lambda: exit_status(writer.process) is not None, 60, pause=0.05)
    return exit_status(writer.process)


def test_a_writer_that_is_asked_to_end_closes_its_ledger(server, writing):
    """Every acknowledged row is there, by its id and its token, and the ledger says who took it."""
    writer = writing(conninfo=server.conninfo())
    writer.until(20)
    ledger = writer.stop()

    found = reconcile(ledger, rows(server, ledger))

    assert ledger.closed
    assert set(found.became.values()) == {Became.OK}
    control = server.control()
    assert {one.server.system for one in ledger.entries} == {control["Database system identifier"]}
    assert {one.server.timeline for one in ledger.entries} == {1}
    assert not writer.process.alive()


def test_a_killed_writer_leaves_a_readable_ledger_that_can_be_continued(server, writing):
    """The rehearsal's own machine may be what fails; ids that were sent are never used again."""
    first = writing(conninfo=server.conninfo())
    before = first.until(10)
    os.kill(first.process.pid, signal.SIGKILL)
    gone(first)
    left = first.ledger()
    second = writing(conninfo=server.conninfo())
    second.until(len(left.acknowledged) + 10)
    ledger = second.stop()

    assert not left.closed
    assert len(left.acknowledged) >= len(before.acknowledged)
    assert ledger.closed
    assert ledger.entries[: len(left.entries)] == left.entries
    classes = set(reconcile(ledger, rows(server, ledger)).became.values())
    assert Became.OK in classes
    assert classes <= {Became.OK, Became.INDETERMINATE_PRESENT, Became.INDETERMINATE_ABSENT}


STARTER = """
import sys, time
from pathlib import Path
from opsproof.rehearsal.clock.writer import Orders
from opsproof.rehearsal.clock.writing import Writing
folder, conninfo, grounds = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
orders = Orders(str(folder / "ledger.jsonl"), 0.02, conninfo)
print(Writing.start(orders, log=folder / "writer.log", grounds=grounds).process.pid, flush=True)
time.sleep(600)
"""


def test_the_writer_outlives_the_rehearsal_that_started_it(grounds, server, tmp_path):
    """A rehearsal that is killed and resumed has a ledger of the time between."""
    argv = [sys.executable, "-c", STARTER, str(tmp_path), server.conninfo(), str(grounds.directory)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as rehearsal:
        writer = Process.of(int(rehearsal.stdout.readline()))
        ledger = tmp_path / "ledger.jsonl"
        assert wait_for(lambda: ledger.exists() and ledger.read_bytes().count(b"\n") > 5, 60, pause=0.05)
        rehearsal.kill()
    count = len(read_ledger(ledger).acknowledged)

    assert wait_for(lambda: len(read_ledger(ledger).acknowledged) > count + 5, 60, pause=0.05)
    assert writer in belonging_to(grounds.directory), "the next start ends it, if nobody resumes"
    writer.send(ASKED)
    assert wait_for(lambda: not writer.alive(), 60, pause=0.05)
    assert read_ledger(ledger).closed


def test_a_ledger_that_was_idle_before_the_failure_proves_nothing(server, writing):
    """No loss was seen because nobody looked."""
    writer = writing(conninfo=server.conninfo())
    writer.until(5)
    ledger = writer.stop()
    found = reconcile(ledger, rows(server, ledger))
    last = ledger.entries[-1].acked

    well = rpo(60, last, found)
    idle = rpo(60, last + (last - last.replace(year=last.year - 1)) / 365, found)

    assert (well.proof, well.lower) == (Proof.PROVEN, 0)
    assert (idle.proof, idle.lower) == (Proof.NOT_PROVEN, 0)


def test_where_acknowledgements_mean_nothing_the_writer_refuses(server, writing):
    """With synchronous_commit off a commit is acknowledged before it is anywhere."""
    writer = writing(conninfo=f"{server.conninfo()} options='-c synchronous_commit=off'")

    assert gone(writer) == 2
    assert "synchronous_commit is off for the writer" in writer.log.read_text()
    with pytest.raises(TimedOut, match="not 1 acknowledgements after 1 s, and has ended"):
        writer.until(1, seconds=1)


def test_acknowledgements_that_stop_meaning_anything_are_none(server, writing):
    """A setting that is changed in the middle of it must not make lost writes look as if they were known."""
    writer = writing(conninfo=server.conninfo())
    writer.until(5)
    server.sql("ALTER SYSTEM SET synchronous_commit = off")
    try:
        server.reload()
        said = "synchronous_commit is off: the acknowledgement means nothing"
        assert wait_for(lambda: writer.ledger().entries[-1].why == said, 60, pause=0.05)
    finally:
        server.sql("ALTER SYSTEM RESET synchronous_commit")
        server.reload()
    writer.until(len(writer.ledger().acknowledged) + 5)

    ledger = writer.stop()

    assert Became.INDETERMINATE_PRESENT in reconcile(ledger, rows(server, ledger)).became.values()


def test_a_cancelled_wait_for_a_standby_is_no_acknowledgement(grounds, server, writing):
    """PostgreSQL commits it on this side alone, and says so in a warning that drivers hide."""
    writer = writing(conninfo=server.conninfo(), seconds=60.0)
    writer.until(5)
    server.sql("ALTER SYSTEM SET synchronous_standby_names = 'dead'")
    waiting = "SELECT pid FROM pg_stat_activity WHERE application_name = 'opsproof-writer' AND wait_event = 'SyncRep'"
    try:
        server.reload()
        assert wait_for(lambda: bool(server.sql(waiting)), 60, pause=0.05)
        hung = writer.ledger().entries[-1]
        server.sql(f"SELECT pg_cancel_backend(pid) FROM ({waiting}) AS one")
        assert wait_for(lambda: bool({one.id: one for one in writer.ledger().entries}[hung.id].why), 60, pause=0.05)
    finally:
        server.sql("ALTER SYSTEM RESET synchronous_standby_names")
        server.reload()
    ledger = writer.stop()

    (entry,) = [one for one in ledger.entries if one.id == hung.id]
    assert entry.acked is None
    assert "canceling wait for synchronous replication" in entry.why
    assert reconcile(ledger, rows(server, ledger)).became[hung.id] is Became.INDETERMINATE_PRESENT


def test_a_write_without_an_answer_is_cut_on_this_side(server, writing):
    """No setting of the server ends such a wait; the next write has another id and connection."""
    writer = writing(conninfo=server.conninfo(), seconds=0.3)
    writer.until(5)
    server.sql("ALTER SYSTEM SET synchronous_standby_names = 'dead'")
    try:
        server.reload()
        assert wait_for(lambda: len([one for one in writer.ledger().entries if one.why]) >= 2, 60, pause=0.05)
    finally:
        server.sql("ALTER SYSTEM RESET synchronous_standby_names")
        server.reload()
    writer.until(len(writer.ledger().acknowledged) + 3)
    ledger = writer.stop()

    assert "no answer within 0.3 s; the connection was cut" in {one.why for one in ledger.entries}
    assert Became.LOST not in reconcile(ledger, rows(server, ledger)).became.values()


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        pytest.param({"conninfo": "password=se cret"}, "the connection string cannot be understood", id="no-conninfo"),
        pytest.param({"conninfo": "x", "ledger": "/dev/full"}, "No space left on device", id="disk-is-full"),
        pytest.param({"conninfo": "x", "ledger": "/nonexistent/l"}, "No such file or directory", id="no-folder"),
    ],
)
def test_a_writer_that_cannot_begin_says_why(writing, orders, words):
    """A rehearsal without a ledger must not start; and no word of a password is in the log."""
    writer = writing(**orders)

    assert gone(writer) == 2
    assert words in writer.log.read_text()
    assert "cret" not in writer.log.read_text()
    assert "Traceback" not in writer.log.read_text()


def test_a_database_without_the_table_is_said(server, writing):
    """The table is made on purpose, never by the way."""
    writer = writing(conninfo=server.conninfo("template1"))

    assert gone(writer) == 2
    assert "Prepare the table first" in writer.log.read_text()


def test_while_nobody_takes_writes_none_is_sent(grounds, writing, tmp_path):
    """An outage is no loss; the log says what the writer waits for."""
    writer = writing(conninfo=f"host={tmp_path} port=1")

    assert wait_for(lambda: "takes writes" in writer.log.read_text(), 60, pause=0.05)
    assert writer.stop().entries == ()


def test_heartbeats_of_a_cron_job_are_none_of_the_ledgers_business(server, writing):
    """Production writes its own all the time, with ids that the writer uses too."""
    server.sql(HEARTBEATS)
    writer = writing(conninfo=server.conninfo())
    ids = [entry.id for entry in writer.until(10).entries]
    for number in (*ids, ids[-1] + 5):
        server.sql("INSERT INTO opsproof_heartbeat VALUES (%s, now(), 'cron')", number)
    writer.until(20)
    ledger = writer.stop()

    found = reconcile(ledger, rows(server, ledger))

    assert set(found.became) == {entry.id for entry in ledger.entries}
    assert set(found.became.values()) == {Became.OK}
    assert found.conflicts == {}
    assert rpo(60, ledger.entries[-1].acked, found).proof is Proof.PROVEN


def test_rows_are_read_page_by_page(server, writing, monkeypatch):
    """A ledger of a day must not fill the memory; no row is left out between two pages."""
    writer = writing(conninfo=server.conninfo())
    writer.until(10)
    ledger = writer.stop()
    monkeypatch.setattr(ledger_table, "_PAGE", 3)

    found = rows(server, ledger)

    assert [row.id for row in found] == [one.id for one in ledger.entries]


def test_a_writer_ends_by_itself_when_everybody_forgot_it(server, writing, tmp_path):
    """It must not write into an environment for ever; and nobody takes its ledger for a whole one."""
    writer = writing(conninfo=server.conninfo(), longest=0.5)

    assert gone(writer) == 0
    assert not read_ledger(tmp_path / "ledger.jsonl").closed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_writer_that_ended_before_it_was_asked_to_proves_nothing(server, writing, number):
    """A server that lived on may have acknowledged more; only the rehearsal's own asking makes a ledger whole."""
    writer = writing(conninfo=server.conninfo())
    writer.until(20)
    writer.process.send(number)
    gone(writer)
    ledger = writer.stop()
    found = reconcile(ledger, rows(server, ledger))

    fact = rpo(60, ledger.acknowledged[-1].acked, found)

    assert not ledger.closed
    assert (fact.proof, fact.lower, fact.upper) == (Proof.NOT_PROVEN, 0, None)
    assert fact.why.startswith("the outside writer ended before it was asked to: its last acknowledgement is of 20")


def test_orders_that_say_nothing_clear_are_refused():
    """Before anything is started."""
    with pytest.raises(ValueError, match="expected"):
        Orders(ledger="x", interval=0.0, conninfo="host=a")


def test_two_writers_of_one_ledger_are_refused(server, writing):
    """The second one says whose it is, and ends."""
    first = writing(conninfo=server.conninfo())
    first.until(1)
    second = writing(conninfo=server.conninfo())

    assert gone(second) == 2
    assert "another writer has the ledger open" in second.log.read_text()
    with pytest.raises(OpsproofError):
        second.until(1)
