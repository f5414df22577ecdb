"""A small archive of real WAL, with the server that fills it: made once, copied for every fault."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsproof.errors import NotObserved, StackError
from opsproof.probes.backup import Objects
from opsproof.profile.backups import Backups, Bases, Wal
from opsproof.profile.targets import StoreTarget
from opsproof.rehearsal.archive import ArchiveVerification, Point, Target
from opsproof.rehearsal.archive.histories import read_label
from opsproof.rehearsal.archive.names import lsn_text
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.damage.damage import Found, NotApplicable
from opsproof.rehearsal.node import Node
from opsproof.stack.clusters import Cluster, Grounds
from opsproof.stack.process import wait_for

_WAIT_SECONDS = 60.0
_LOOKED_AT = 8
_numbers = itertools.count(1)
_BACKUPS = Backups(
    store="backups",
    catalogue="catalogue",
    bases=Bases(prefix="postgres/base/", freshness=86400.0, keep=1),
    wal=Wal(prefix="postgres/wal/", freshness=900.0, waiting=2, reach=86400.0, hashes=True),
)
DETECTORS = (
    "every_object_of_the_archive_has_a_known_name",
    "every_segment_belongs_where_it_is",
    "the_archive_has_no_gap",
    "every_record_of_the_archive_can_be_read",
    "every_segment_is_what_was_archived",
    "every_timeline_is_explained",
    "every_base_backup_has_its_history_file",
    "no_wal_was_made_at_the_minimal_level",
    "the_archiver_is_set_up",
    "no_wal_waits_for_the_archiver",
    "what_was_archived_is_in_the_archive",
    "the_newest_commit_is_in_the_archive",
    "every_moment_can_be_recovered",
    "a_point_in_time_can_be_recovered",
)
_OF_COPIES = tuple(
    name
    for name in DETECTORS
    if name
    not in (
        "the_archiver_is_set_up",
        "no_wal_waits_for_the_archiver",
        "the_newest_commit_is_in_the_archive",
        "a_point_in_time_can_be_recovered",
    )
)
"""What is asked of somebody's own copies: not what only the running server can tell."""

_WITH = {
    "every_segment_is_what_was_archived": "hashes",
    "every_moment_can_be_recovered": "reach",
    "every_timeline_is_explained": "asked",
    "what_was_archived_is_in_the_archive": "asked",
}


@dataclass
class Lab:
    """
    A copy of the archive, with base backups, catalogue and server, that may be damaged.

    Attributes:
        home: The folder of it all.
        grounds: Where it lives.
        running: Runs, and archives; None for copies of somebody's own, whose server is left alone.
        first: Folder of the older base backup; in the lab of timeline 1.
        second: Folder of the newer one; in the lab of timeline 2.
        said: What the profile says.
        timeline: The newest.
        needed: No recovery from `second` needs a segment before this one.
        asked: The server as it is asked; None where it cannot be.
        clock: What time it is.
        later: So far behind the true time the verification's clock is put.
        target: What the operator asks for; None for a target that is proposed.
        before: Its marker before; None for what is proposed.
        after: Its marker behind; None for what is proposed.
    """

    home: Path
    grounds: Grounds
    running: Cluster | None
    first: Path
    second: Path
    said: Backups = _BACKUPS
    timeline: int = 2
    needed: str = ""
    asked: Node | None = None
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    later: timedelta = timedelta()
    target: Target | None = None
    before: Point | None = None
    after: Point | None = None

    @property
    def server(self) -> Cluster:
        """The server. Raises NotApplicable where it is not the lab's."""
        if self.running is None:
            raise NotApplicable("it needs the server, and yours is left alone")
        return self.running

    @property
    def wal(self) -> Wal:
        """What the profile says of the archive."""
        assert self.said.wal is not None
        return self.said.wal

    @property
    def archive(self) -> Path:
        """The folder of the archive."""
        return self.home / "store" / self.wal.prefix

    @property
    def catalogue(self) -> Path:
        """The folder of the archive's entries in the catalogue."""
        return self.home / "catalogue" / self.wal.prefix

    @property
    def hashes(self) -> bool:
        """Whether the catalogue holds a SHA-256 of each segment."""
        return self.wal.hashes

    @property
    def reach(self) -> float | None:
        """How far back a recovery must reach, in seconds."""
        return self.wal.reach

    @property
    def size(self) -> int:
        """Bytes of a segment."""
        return self.segments()[0].stat().st_size

    def segments(self, timeline: int | None = None) -> list[Path]:
        """The segments of a timeline in the archive, oldest first; of the newest timeline those that are needed."""
        number = self.timeline if timeline is None else timeline
        found = sorted(path for path in self.archive.glob(f"{number:08X}*") if len(path.name) == 24)
        return [path for path in found if timeline is not None or path.name >= self.needed]

    def of_two_timelines(self) -> None:
        """Raises NotApplicable for copies that are not those of the lab, with its two timelines."""
        if self.running is None:
            raise NotApplicable("it is made with the lab's own two timelines")

    def middle(self) -> Path:
        """A segment of the newest timeline that everybody needs, with WAL before and behind it."""
        if self.running is not None:
            return self.segments()[2]
        some = self.segments()[2:-1][:_LOOKED_AT]
        if not some:
            raise NotApplicable("the newest base backup has too few segments behind it")
        return max(some, key=lambda path: len(path.read_bytes().rstrip(b"\0")))

    def write(self, times: int = 1) -> None:
        """Commit heartbeats, each time followed by a new segment."""
        write(self.server, times)

    def archived(self) -> None:
        """Wait until nothing waits for the archiver. Raises StackError if it does not come to that."""
        archived(self.server)

    def archive_by(self, command: str) -> None:
        """Let the server archive by another command from now on."""
        self.server.configure(archive_command=command)
        self.server.reload()
        words = "the new archive_command is in force"
        _wait(lambda: self.server.sql("SHOW archive_command")[0][0] == command, words, self.server)

    def copy_of_server(self, name: str, source: Path) -> Cluster:
        """Another server with a copy of a data folder; not started. Raises NotApplicable where it is not the lab's."""
        if self.running is None:
            raise NotApplicable("it needs the server, and yours is left alone")
        return _copied(self.grounds, f"{self.home.name}-{name}", source)


@contextlib.contextmanager
def lab(grounds: Grounds) -> Iterator[Lab]:
    """Sound copies with a running server; everything ends with it."""
    original = _original(grounds)
    home = grounds.folder(f"archive-{next(_numbers)}")
    subprocess.run(["cp", "-a", "--reflink=auto", f"{original}/.", str(home)], check=True)
    server = _copied(grounds, f"{home.name}-server", home / "data")
    first, second = sorted((home / "store/postgres/base").iterdir())
    made = Lab(home, grounds, server, first, second, asked=Node("database", server.conninfo(), Asking.alone("damage")))
    try:
        server.configure(archive_command=_command(home), port=str(server.port))
        server.start()
        made.write(2)
        made.archived()
        yield made
    finally:
        server.kill()
        for folder in grounds.directory.glob(f"{home.name}*"):
            shutil.rmtree(folder, ignore_errors=True) if folder.is_dir() else folder.unlink()


def verification(made: Lab) -> ArchiveVerification:
    """The verification of a lab."""
    asking = Asking.alone("damage")
    store, catalogue = (
        Objects(StoreTarget(kind="store", url=f"local://{made.home / name}")) for name in ("store", "catalogue")
    )
    return ArchiveVerification(
        made.said,
        store,
        catalogue if made.said.catalogue else None,
        made.asked,
        asking,
        made.grounds.programs,
        made.grounds.folder(f"{made.home.name}-scratch"),
        now=lambda: made.clock() + made.later,
    )


async def detect(made: Lab) -> Found:
    """Ask every check of the archive; one that gets no answer is red."""
    verified = verification(made)
    found: dict[str, list[str]] = {}
    for name in DETECTORS if made.running else _OF_COPIES:
        if name in _WITH and not getattr(made, _WITH[name]):
            continue
        try:
            if name == "a_point_in_time_can_be_recovered":
                said = await verified.a_point_in_time_can_be_recovered(made.target, made.before, made.after)
            else:
                said = await getattr(verified, name)()
        except NotObserved as exc:
            said = [f"unknown: {exc.what}"]
        found[f"backup.{name}"] = said
    return found


def write(server: Cluster, times: int) -> None:
    """Commit heartbeats on a server, each time followed by a new segment."""
    with server.connect() as connection:
        for _ in range(times):
            for _ in range(3):
                connection.execute(
                    "INSERT INTO opsproof_heartbeat SELECT coalesce(max(id), 0) + 1, clock_timestamp(), 'lab' "
                    "FROM opsproof_heartbeat"
                )
            connection.execute("INSERT INTO filler SELECT repeat(md5(n::text), 8) FROM generate_series(1, 200) n")
            connection.execute("SELECT pg_switch_wal()")


def archived(server: Cluster) -> None:
    """Wait until nothing waits for a server's archiver. Raises StackError if it does not come to that."""
    sql = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"
    _wait(lambda: server.sql(sql)[0][0] == 0, "nothing waits for the archiver", server)


def promoted(server: Cluster) -> None:
    """Wait until a server has come out of its recovery. Raises StackError if it does not."""
    sql = "SELECT pg_is_in_recovery()"
    _wait(lambda: not server.running() or not server.sql(sql)[0][0], "the recovery has ended", server)
    if not server.running():
        raise StackError("the server ended in its recovery", where=str(server.log), next_step="read the server's log")


def _wait(condition: Callable[[], bool], words: str, server: Cluster) -> None:
    import psycopg

    def met() -> bool:
        try:
            return condition()
        except psycopg.OperationalError:
            return False

    if not wait_for(met, _WAIT_SECONDS, pause=0.05):
        raise StackError(
            f"waited {_WAIT_SECONDS:g} s in vain until {words}",
            where=str(server.log),
            next_step="read the server's log",
        )


def _original(grounds: Grounds) -> Path:
    """Two timelines, a base backup on each, and WAL up to the newest; made by the first that asks."""
    home = grounds.directory / "archive-original"
    if (home / "made").exists():
        return home
    home = grounds.folder("archive-original")
    for name in ("store/postgres/base", "store/postgres/wal", "catalogue/postgres/base", "catalogue/postgres/wal"):
        (home / name).mkdir(parents=True)
    grounds.programs.own(home)
    server = Cluster(grounds, "archive-primary")
    server.initialize("--wal-segsize=1")
    server.configure(archive_mode="on", archive_timeout="60s", archive_command=_command(home), max_wal_size="64MB")
    server.start()
    server.sql("CREATE TABLE opsproof_heartbeat (id bigint PRIMARY KEY, at timestamptz NOT NULL, writer text NOT NULL)")
    server.sql("CREATE TABLE filler (t text)")
    write(server, 1)
    _back_up(server, home, age=timedelta(days=2))
    write(server, 3)
    archived(server)
    server.stop()
    (server.data / "recovery.signal").touch()
    grounds.programs.own(server.data / "recovery.signal")
    server.start({"restore_command": f"cp {home}/store/postgres/wal/%f %p"})
    promoted(server)
    write(server, 3)
    _back_up(server, home, age=timedelta())
    write(server, 2)
    archived(server)
    server.stop()
    server.data.rename(home / "data")
    (home / "made").touch()
    return home


def _command(home: Path) -> str:
    wal, noted = home / "store/postgres/wal", home / "catalogue/postgres/wal"
    return f"test ! -f {wal}/%f && cp %p {wal}/%f && sha256sum {wal}/%f > {noted}/%f.sha256"


def _back_up(server: Cluster, home: Path, age: timedelta) -> None:
    ended = datetime.now(UTC) - age
    name = f"{ended:%Y%m%dT%H%M%SZ}"
    folder = home / "store/postgres/base" / name
    done = server.copy_to(folder)
    if not done.ok:
        raise StackError("pg_basebackup failed", where=done.err.strip(), next_step="read its lines above")
    label = read_label((folder / "backup_label").read_text())
    manifest = json.loads((folder / "backup_manifest").read_text())
    noted = {
        "name": f"postgres/base/{name}",
        "finished": ended.isoformat(),
        "system_identifier": server.control()["Database system identifier"],
        "timeline": label.timeline,
        "start_lsn": lsn_text(label.start),
        "stop_lsn": manifest["WAL-Ranges"][-1]["End-LSN"],
    }
    (home / "catalogue/postgres/base" / f"{name}.json").write_text(json.dumps(noted))


def _copied(grounds: Grounds, name: str, source: Path) -> Cluster:
    server = Cluster(grounds, name)
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(server.data)], check=True)
    server.data.chmod(0o700)
    grounds.programs.own(server.data)
    return server
