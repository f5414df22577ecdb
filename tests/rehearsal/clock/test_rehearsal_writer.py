"""The outside writer: a process of its own, and acknowledgements that mean something."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from opsproof.errors import OpsproofError, TimedOut
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.clock import heartbeat
from opsproof.rehearsal.clock.ledger import read_ledger
from opsproof.rehearsal.clock.reconcile import Became, reconcile
from opsproof.rehearsal.clock.recovery_point import rpo
from opsproof.rehearsal.clock.writer import Orders
from opsproof.rehearsal.clock.writing import Writing
from opsproof.rehearsal.facts import Proof
from opsproof.rehearsal.node import Node
from opsproof.stack.clusters import Cluster
from opsproof.stack.process import Process, belonging_to, exit_status, wait_for


@pytest.fixture(scope="module")
def server(grounds):
    """A server with the heartbeat's table."""
    cluster = Cluster(grounds, "alone")
    cluster.initialize()
    cluster.start()
    asyncio.run(heartbeat.prepare(node(cluster)))
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
        return [row async for row in heartbeat.found(node(cluster), ledger)]

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
orders = Orders(str(folder / "ledger.jsonl"), 0.02, conninfo=conninfo)
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
    writer.send(signal.SIGTERM)
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


def test_the_address_may_be_what_a_command_says(server, writing, tmp_path):
    """Where the address of the primary is asked of Patroni, or of a name."""
    (tmp_path / "address").write_text(server.conninfo())

    writer = writing(command=("cat", str(tmp_path / "address")))

    writer.until(3)


def test_the_command_that_says_the_address_has_its_secrets_and_not_the_writers_orders(grounds, server, tmp_path):
    """Its credentials come from the profile, and nobody else's are told to it."""
    script = 'test -z "$OPSPROOF_WRITER" && echo "$ADDRESS"'
    orders = Orders(str(tmp_path / "ledger.jsonl"), 0.02, command=("sh", "-c", script))
    secrets = {"ADDRESS": server.conninfo()}
    writer = Writing.start(orders, log=tmp_path / "writer.log", grounds=grounds.directory, secrets=secrets)
    writer.until(3)

    assert writer.stop().closed


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        pytest.param({"command": ("false",)}, "ended with status 1 and no address", id="command-fails"),
        pytest.param({"command": ("/nonexistent",)}, "No such file or directory", id="no-such-command"),
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


def test_rows_are_read_page_by_page(server, writing, monkeypatch):
    """A ledger of a day must not fill the memory; no row is left out between two pages."""
    writer = writing(conninfo=server.conninfo())
    writer.until(10)
    ledger = writer.stop()
    monkeypatch.setattr(heartbeat, "_PAGE", 3)

    found = rows(server, ledger)

    assert [row.id for row in found] == [one.id for one in ledger.entries]


def test_a_table_without_tokens_is_brought_up_to_them(grounds, server):
    """The heartbeat of an environment may be older than the ledger."""
    server.sql("CREATE DATABASE older")
    plain = "CREATE TABLE opsproof_heartbeat (id bigint PRIMARY KEY, at timestamptz NOT NULL, writer text NOT NULL)"
    server.sql(plain, database="older")
    server.sql("INSERT INTO opsproof_heartbeat VALUES (7, '2026-11-21T03:00:00Z', 'cron')", database="older")
    older = node(server, "older")
    asyncio.run(heartbeat.prepare(older))
    asyncio.run(heartbeat.prepare(older))

    assert asyncio.run(heartbeat.newest(older)).isoformat() == "2026-11-21T03:00:00+00:00"
    assert server.sql("SELECT value FROM opsproof_heartbeat", database="older") == [("",)]


@pytest.fixture
def service():
    """A service that takes a write at a time as the test says: a status, or None for no answer."""
    taken, answers, release = [], [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            row = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = answers[min(len(taken), len(answers) - 1)]
            taken.append((row, self.headers["Authorization"]))
            if status is None:
                release.wait(60)
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/heartbeats", taken, answers
    release.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_only_a_2xx_of_the_service_is_its_acknowledgement(service, writing, tmp_path):
    """A redirect to a login page, an error and silence all are none; the token is the service's own."""
    url, taken, answers = service
    answers += [201, 302, 503, None, 200]
    writer = writing(url=url, token="a-token", seconds=1.0)
    writer.until(2)
    ledger = writer.stop()

    said = [one.why for one in ledger.entries[:5]]
    assert said == ["", "the service answered 302", "the service answered 503", "no whole answer within 1 s", ""]
    assert {token for _, token in taken} == {"Bearer a-token"}
    assert [row["value"] for row, _ in taken[:5]] == [one.value for one in ledger.entries[:5]]
    assert "a-token" not in (tmp_path / "ledger.jsonl").read_text() + writer.log.read_text()


def test_a_writer_ends_by_itself_when_everybody_forgot_it(server, writing, tmp_path):
    """It must not write into an environment for ever."""
    writer = writing(conninfo=server.conninfo(), longest=0.5)

    assert gone(writer) == 0
    assert read_ledger(tmp_path / "ledger.jsonl").closed


@pytest.mark.parametrize("orders", [{}, {"conninfo": "host=a", "url": "http://b"}, {"url": "http://b", "seconds": 0}])
def test_orders_that_say_nothing_clear_are_refused(orders):
    """Before anything is started."""
    with pytest.raises(ValueError, match="expected"):
        Orders(ledger="x", interval=1.0, **orders)


def test_two_writers_of_one_ledger_are_refused(server, writing):
    """The second one says whose it is, and ends."""
    first = writing(conninfo=server.conninfo())
    first.until(1)
    second = writing(conninfo=server.conninfo())

    assert gone(second) == 2
    assert "another writer has the ledger open" in second.log.read_text()
    with pytest.raises(OpsproofError):
        second.until(1)
