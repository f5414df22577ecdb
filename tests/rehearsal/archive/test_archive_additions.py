"""What came into an archive while a rehearsal ran: its own servers' WAL is well, anybody else's is told by name."""

import asyncio
import shutil

import pytest

from opsproof.probes.backup import Objects
from opsproof.profile.targets import StoreTarget
from opsproof.rehearsal.archive.additions import additions
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.bases import restore_base
from opsproof.stack.clusters import Cluster
from opsproof.stack.process import wait_for

PREFIX = "wal/"


class Archiving:
    """A server that archives, what was there before, and a base backup of it."""

    def __init__(self, grounds, number):
        self.grounds = grounds
        self.store = grounds.folder(f"store-{number}")
        self.wal = grounds.folder(f"store-{number}/wal")
        self.server = Cluster(grounds, f"primary-{number}")
        self.server.initialize("--wal-segsize=1")
        self.archive_by(self.server)
        self.server.start()
        self.base = grounds.folder(f"base-{number}") / "base"
        assert self.server.copy_to(self.base).ok
        self.switch()
        self.before = self.listing()

    def archive_by(self, server):
        server.configure(
            archive_mode="on",
            archive_command=f"cp %p {self.wal}/.%f.part && mv {self.wal}/.%f.part {self.wal}/%f",
            restore_command=f"cp {self.wal}/%f %p",
        )

    def switch(self, times=1, server=None):
        server = server or self.server
        for _ in range(times):
            server.sql("SELECT pg_logical_emit_message(true, 'test', 'x')")
            server.sql("SELECT pg_switch_wal()")
        waiting = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"
        assert wait_for(lambda: server.sql(waiting)[0][0] == 0, 30, pause=0.05)

    def listing(self):
        return {path.name: path.stat().st_size for path in self.wal.iterdir() if not path.name.startswith(".")}

    def told(self, *servers):
        nodes = [Node(one.name, one.conninfo(), Asking.alone(one.name)) for one in servers or (self.server,)]
        objects = Objects(StoreTarget(kind="store", url=f"local://{self.store}"))
        return asyncio.run(additions(self.before, self.listing(), nodes, {1}, objects, PREFIX))


@pytest.fixture
def archiving(grounds, request):
    made = Archiving(grounds, abs(hash(request.node.name)) % 10**6)
    yield made
    made.server.kill()


def names(told):
    return [one.split(" ")[0] for one in told]


def test_what_the_server_itself_archives_is_well(archiving):
    """Segments of its timeline; then those of the next one, with its history, after a promotion."""
    archiving.switch(2)
    assert archiving.told() == []

    archiving.server.stop()
    (archiving.server.data / "recovery.signal").touch()
    archiving.grounds.programs.own(archiving.server.data)
    archiving.server.start()
    assert wait_for(lambda: not archiving.server.sql("SELECT pg_is_in_recovery()")[0][0], 30)
    archiving.switch(2)

    assert "00000002.history" in archiving.listing()
    assert archiving.told() == []


def test_a_scratch_copy_that_archives_is_told(archiving):
    """Restored, promoted to a timeline of its own, and with the archive of the true one."""
    scratch = restore_base(archiving.grounds, archiving.base, archiving.wal, f"{archiving.server.name}-copy").cluster
    scratch.stop()
    archiving.archive_by(scratch)
    scratch.start()
    archiving.switch(server=scratch)
    scratch.kill()

    told = archiving.told()

    assert told
    assert all(name.startswith("00000002000000") for name in names(told))
    assert all("nobody of this environment is on timeline 2" in one for one in told)
    assert all("move it out of" in one for one in told)


def test_a_timeline_is_nobodys_where_no_primary_answers(archiving):
    """Who cannot be asked vouches for nothing."""
    (archiving.wal / "00000007.history").write_text("1\t0/3000000\tno recovery target specified\n")
    archiving.server.stop()

    (told,) = archiving.told()

    assert told.startswith("00000007.history came into the archive")
    assert "no primary answers" in told


def test_another_history_of_the_servers_own_timeline_is_told(archiving):
    """A scratch copy that was promoted to the same number, elsewhere."""
    archiving.server.stop()
    (archiving.server.data / "recovery.signal").touch()
    archiving.grounds.programs.own(archiving.server.data)
    archiving.server.start()
    assert wait_for(lambda: not archiving.server.sql("SELECT pg_is_in_recovery()")[0][0], 30)
    archiving.switch()
    (archiving.wal / "00000002.history").write_text("1\t0/1234568\tbefore transaction 700\n")

    (told,) = archiving.told()

    assert told.startswith("00000002.history came into the archive, and is not the one of ")


def test_a_segment_ahead_of_the_server_is_told(archiving):
    """It wrote there what it had not come to."""
    newest = max(name for name in archiving.listing() if len(name) == 24)
    ahead = f"{newest[:16]}{int(newest[16:], 16) + 9:08X}"
    shutil.copy(archiving.wal / newest, archiving.wal / ahead)

    (told,) = archiving.told()

    assert told.startswith(f"{ahead} came into the archive")
    assert "has only come to" in told


def test_a_new_segment_that_the_server_wrote_otherwise_is_told(archiving):
    """Two servers with one archive: the name is right, the content is not."""
    archiving.switch()
    newest = max(name for name in archiving.listing() if len(name) == 24)
    content = bytearray((archiving.wal / newest).read_bytes())
    content[5000] ^= 1
    (archiving.wal / newest).write_bytes(content)

    (told,) = archiving.told()

    assert told.startswith(f"{newest} in the archive is not what")


def test_a_file_that_was_cut_and_one_that_is_gone_are_told(archiving):
    """A copy must not change what is there; the oldest may go, for that is retention."""
    archiving.switch(3)
    archiving.before = archiving.listing()
    first, second, third, *_ = sorted(name for name in archiving.before if len(name) == 24)
    (archiving.wal / first).unlink()
    assert archiving.told() == []

    (archiving.wal / third).unlink()
    (archiving.wal / second).write_bytes(b"short")

    assert sorted(archiving.told()) == sorted(
        [
            f"{third} is gone from the archive",
            f"{second} was changed in the archive: 5 bytes, it had {1 << 20}",
        ]
    )


def test_a_file_that_was_still_being_written_is_well(archiving):
    """The first listing saw half of it."""
    newest = max(name for name in archiving.before if len(name) == 24)
    archiving.before = {**archiving.before, newest: 4096}

    assert archiving.told() == []
