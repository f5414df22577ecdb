"""How new standby and archive are until the failure, and whether the outside writer is still there to tell."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from opsproof.errors import PreconditionMissing
from opsproof.profile import load_profile
from opsproof.profile.backups import Heartbeat
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.clock.anchor import Anchor
from opsproof.rehearsal.clock.reconcile import Became
from opsproof.rehearsal.clock.recovery_point import rpo
from opsproof.rehearsal.facts import Proof
from opsproof.rehearsal.procedure import copies as of_copies
from opsproof.rehearsal.procedure.copies import Copies
from opsproof.rehearsal.procedure.outside_writer import OutsideWriter
from opsproof.rehearsal.procedure.surroundings import Surroundings
from opsproof.stack.process import exit_status, wait_for

NAME, SYSTEM, PROFILES = "factory-ai/embedded", "factory-ai", Path(__file__).parents[3] / "profiles"


def load(_, variables):
    return load_profile(NAME, root=PROFILES, variables={**os.environ, **variables}, missing="keep")


@pytest.fixture(scope="module")
def at():
    """Two sites with an archive, backups and a standby."""
    made = Surroundings.open(load(NAME, {}), Asking.alone(NAME), embedded=True, reload=load)
    yield made
    made.close()


class Watched:
    """A writer on the home site, and the looks at its copies."""

    def __init__(self, at, folder):
        self.at, self.anchor, self.folder = at, Anchor.here(), folder
        self.writer = OutsideWriter(at, folder / "ledger.jsonl", rpo=300.0)
        self.copies = Copies(at, self.anchor, folder / "copies.json")
        asyncio.run(self.writer.start())

    @property
    def process(self):
        return self.writer._writing.process

    def more(self, count=20):
        """Wait for so many further acknowledgements; the last of them."""
        writing = self.writer._writing
        return writing.until(len(writing.ledger().acknowledged) + count).acknowledged[-1]

    def archived(self):
        """End the segment that is written, and wait until it has been archived."""
        ((name,),) = self.at.embedded.home.sql("SELECT pg_walfile_name(pg_switch_wal())")
        assert wait_for(lambda: (self.wal / name).exists(), 60, pause=0.05)
        return name

    def look(self):
        asyncio.run(self.copies.look())

    def judged(self, limit=300.0):
        """What is said of the archive; in a sweep of its own."""
        self.at.asking.observer.new_sweep()
        return asyncio.run(self.copies.archive(self.writer.ledger(self.anchor), self.at.archive_of(None), limit))

    def exposure(self, name="archive"):
        (fact,) = [one for one in self.copies.facts() if one.name == name]
        return fact

    @property
    def wal(self):
        return self.at.embedded.backups.wal

    def killed(self, number=signal.SIGKILL):
        self.process.send(number)
        assert wait_for(lambda: exit_status(self.process) is not None, 60, pause=0.05)


@pytest.fixture
def watched(at, tmp_path):
    """A writer that ends with the test."""
    made = Watched(at, tmp_path)
    yield made
    made.process.send(signal.SIGKILL)


@contextlib.contextmanager
def setting(cluster, name, value):
    cluster.sql(f"ALTER SYSTEM SET {name} = '{value}'")
    cluster.reload()
    try:
        yield
    finally:
        cluster.sql(f"ALTER SYSTEM RESET {name}")
        cluster.reload()


@contextlib.contextmanager
def changed(path, content):
    """A segment that holds something else, or is gone; as it was afterwards."""
    kept, told = path.read_bytes(), path.stat()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content(kept))
    try:
        yield
    finally:
        path.write_bytes(kept)
        os.chown(path, told.st_uid, told.st_gid)
        path.chmod(told.st_mode)


def test_an_archive_that_keeps_up_is_new_enough_and_its_worst_look_counts(watched, monkeypatch):
    """It is looked at for as long as a segment may take: 2 s here."""
    monkeypatch.setattr(of_copies, "_LOOKS", 4)
    watched.more(5)
    watched.archived()
    asyncio.run(watched.copies.watch())
    watched.look()

    assert watched.judged() == []
    assert 0 < watched.exposure().exposure < 60
    assert "the newest write of the outside writer up to there; the worst of 5 samples" in watched.exposure().why
    assert watched.exposure("standby").exposure < 60
    assert "newest write of the outside writer on dr; the worst of 5" in watched.exposure("standby").why


def test_an_archiver_that_stopped_before_the_failure_is_told_by_its_seconds(watched):
    """pg_stat_archiver is well with /bin/true; what comes into the archive is what counts."""
    watched.more(5)
    watched.archived()
    with setting(watched.at.embedded.home, "archive_command", "/bin/true"):
        last = watched.more(40)
        watched.look()
    limit = 1.0

    (wrong,) = watched.judged(limit)

    assert last.acked
    assert watched.exposure().exposure > limit
    assert wrong.startswith(f"the archive alone would have lost {watched.exposure().exposure:.1f} s at ")
    assert "the scenario allows 1s: the archive can be recovered to 0/" in wrong
    assert "lower archive_timeout (" in wrong
    assert watched.judged(watched.exposure().exposure + 1) == []
    watched.at.embedded.back_up()  # for the backups before, what was never archived is a hole


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, "is missing, or not whole", id="removed"),
        pytest.param(lambda kept: kept[: len(kept) // 2], "is missing, or not whole", id="truncated"),
        pytest.param(lambda kept: bytes(len(kept)), "cannot be read on", id="zeros"),
        pytest.param(lambda kept: kept[:200] + b"\xff" * 64 + kept[264:], "cannot be read on", id="record-damaged"),
    ],
)
def test_a_hole_in_the_archive_ends_what_it_can_give_back(watched, content, words):
    """The newest name says nothing of it; a recovery ends at the hole, and is well."""
    watched.archived()
    before = watched.more(5)
    watched.archived()
    watched.more(5)
    hole = watched.archived()
    watched.more(5)
    watched.archived()
    watched.look()

    assert watched.judged() == []
    sound = watched.exposure()
    with changed(watched.wal / hole, content):
        watched.judged()
        holed = watched.exposure()

    assert sound.newest > before.sent
    assert holed.exposure > sound.exposure
    assert holed.newest <= before.acked
    assert words in holed.why
    assert hole in holed.why


def test_a_base_backup_behind_the_hole_gives_back_what_follows(watched):
    """Only what no base backup reaches is lost."""
    hole = watched.archived()
    watched.more(5)
    watched.archived()
    watched.at.embedded.back_up()
    watched.more(5)
    watched.archived()
    watched.look()

    with changed(watched.wal / hole, None):
        assert watched.judged() == []
        assert watched.exposure().exposure < 60
        assert "missing" not in watched.exposure().why


def test_an_archive_without_any_write_of_the_writer_is_not_known_to_be_new(at, tmp_path):
    """None is worse than any number."""
    with setting(at.embedded.home, "archive_command", "false"):
        watched = Watched(at, tmp_path)
        try:
            watched.look()
            (wrong,) = watched.judged()
        finally:
            watched.killed()

    assert wrong.startswith(
        "what the archive alone would have lost is not known, the scenario allows 5m: the archive can"
    )
    assert "no write of the outside writer up to there" in wrong
    assert watched.exposure().exposure is None


def test_an_archive_that_nobody_looked_at_before_the_failure_is_not_known(watched):
    """As after a rehearsal that was resumed on another machine."""
    assert "was not looked at before the failure" in watched.judged()[0]


def test_samples_outlive_a_rehearsal_that_is_killed(watched):
    """What was seen before the failure cannot be seen again."""
    watched.archived()
    watched.look()
    watched.judged()

    again = Copies(watched.at, watched.anchor, watched.folder / "copies.json")

    assert again.facts() == watched.copies.facts()
    assert again.facts()


def test_a_standby_is_told_by_a_heartbeat_where_it_has_no_write_of_the_writer(at, tmp_path):
    """And the words say which of the two it was."""
    at.embedded.home.sql("DROP TABLE IF EXISTS opsproof_ledger", database=SYSTEM)
    at.embedded.beat()
    at.embedded.databases.wait_for_replay()
    copies = Copies(at, Anchor.here(), tmp_path / "copies.json")

    asyncio.run(copies.look())

    (fact,) = copies.facts()
    assert fact.exposure is not None
    assert fact.why.startswith("newest heartbeat of opsproof_heartbeat on dr, which has no write of the outside writer")


def test_a_standby_with_neither_is_not_known(at, tmp_path, monkeypatch):
    """Never zero seconds."""
    at.embedded.home.sql("DROP TABLE IF EXISTS opsproof_ledger", database=SYSTEM)
    at.embedded.databases.wait_for_replay()
    named = at.backups.model_copy(update={"heartbeat": Heartbeat(table="no_such_table")})
    monkeypatch.setattr(at, "profile", at.profile.model_copy(update={"backups": named}))
    copies = Copies(at, Anchor.here(), tmp_path / "copies.json")

    asyncio.run(copies.look())

    (fact,) = copies.facts()
    assert fact.exposure is None
    assert fact.why.startswith("neither a write of the outside writer nor no_such_table is on dr")


def test_a_writer_at_work_may_see_the_failure(watched):
    """The sound case."""
    asyncio.run(watched.writer.must_write(watched.anchor))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(signal.SIGKILL, "the outside writer has ended", id="killed"),
        pytest.param(signal.SIGSTOP, "the outside writer takes no acknowledgement any more", id="frozen"),
    ],
)
def test_without_a_writer_at_work_nothing_is_broken(watched, number, words):
    """No acknowledged write is lost where nobody writes; that would prove nothing."""
    watched.process.send(number)
    assert wait_for(lambda: not watched.process.alive() or watched.process.state() == "T", 60)
    asyncio.run(asyncio.sleep(2.1))

    with pytest.raises(PreconditionMissing, match=words) as refused:
        asyncio.run(watched.writer.must_write(watched.anchor))

    assert "s old, at most 2 s are usual" in refused.value.what
    assert "Nothing was broken." in refused.value.next_step


def test_a_writer_that_died_after_the_failure_proves_no_rpo(watched):
    """What a server acknowledged after that, nobody has seen."""
    failure = watched.more(20).acked
    watched.more(5)
    watched.killed()

    found = asyncio.run(watched.writer.reconciled(watched.at.home, watched.anchor))
    fact = rpo(300, failure, found)

    assert Became.LOST not in found.became.values()
    assert (fact.proof, fact.upper) == (Proof.NOT_PROVEN, None)
    assert "the outside writer ended before it was asked to" in fact.why


def test_heartbeats_of_a_cron_job_change_nothing(watched):
    """Production's own job goes on in the copy that is rehearsed on, with the writer's ids."""
    home = watched.at.embedded.home
    first = watched.more(3).id
    home.sql(
        "INSERT INTO opsproof_heartbeat SELECT id + 1000, now(), 'cron' FROM generate_series(%s::bigint, %s) AS id",
        *(first, first + 50),
        database=SYSTEM,
    )
    home.sql("UPDATE opsproof_heartbeat SET id = id - 1000 WHERE writer = 'cron'", database=SYSTEM)
    watched.more(10)

    found = asyncio.run(watched.writer.reconciled(watched.at.home, watched.anchor))

    count = "SELECT count(*) FROM opsproof_heartbeat WHERE writer = 'cron'"
    assert home.sql(count, database=SYSTEM) == [(51,)]
    assert set(found.became.values()) == {Became.OK}
    assert found.conflicts == {}
