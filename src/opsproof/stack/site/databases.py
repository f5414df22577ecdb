"""The databases of the two sites: the primary at home, its standby at the DR site, the standby's own standby."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsproof.errors import StackError
from opsproof.stack.clusters import Cluster, Grounds
from opsproof.stack.logs import log_tail
from opsproof.stack.ports import HOST
from opsproof.stack.process import wait_for

if TYPE_CHECKING:
    from psycopg import Connection

SYSTEM = "factory-ai"
WAL_SEGMENT_MEGABYTES = 1
"""PostgreSQL's least: an archive_timeout of seconds would fill the disk with segments of 16 MB."""

_REPLAY_SECONDS = 60.0
_ARCHIVE = (
    "if test -f {to}/%f; then cmp -s %p {to}/%f; else "
    "cp %p {draft}/$$.%f && mv {draft}/$$.%f {to}/%f; fi && "
    "sha256sum < %p > {draft}/$$.%f.sha256 && mv {draft}/$$.%f.sha256 {noted}/%f.sha256"
)
_HEARTBEAT = """
    CREATE TABLE opsproof_heartbeat (id bigint PRIMARY KEY, at timestamptz NOT NULL, writer text NOT NULL);
    ALTER TABLE opsproof_heartbeat OWNER TO "factory-ai";
    CREATE TABLE opsproof_environment (name text NOT NULL);
    GRANT SELECT ON opsproof_environment TO PUBLIC;
    INSERT INTO opsproof_environment VALUES ('rehearsal')
"""


class Databases:
    """
    Three servers of one cluster, and the folder where the primary archives its log.

    Args:
        grounds: Where they live.
        wal: Folder of the archive.
        secrets: Passwords by name: `postgres`, `factory-ai.database`, `replicator`.
    """

    def __init__(self, grounds: Grounds, wal: Path, secrets: dict[str, str]) -> None:
        self._grounds = grounds
        self._wal = wal
        self._secrets = secrets
        self.home = Cluster(grounds, "home", tcp=True)
        self.dr = Cluster(grounds, "dr", tcp=True)
        self.cascade = Cluster(grounds, "cascade", tcp=True)

    def start_home(self) -> None:
        """Make the primary with the service's role and its empty database."""
        from psycopg import sql

        self.home.initialize("--data-checksums", f"--wal-segsize={WAL_SEGMENT_MEGABYTES}")
        self.home.configure(**self.settings)
        self.home.start()
        with self.home.connect() as connection:
            for role, rights, password in (
                ("postgres", "SUPERUSER", self._secrets["postgres"]),
                ("replicator", "REPLICATION", self._secrets["replicator"]),
                (SYSTEM, "", self._secrets[f"{SYSTEM}.database"]),
            ):
                verb = "ALTER" if role == "postgres" else "CREATE"
                statement = sql.SQL(f"{verb} ROLE {{}} LOGIN {rights} PASSWORD {{}}")
                connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
            name = sql.Identifier(SYSTEM)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
        self.home.sql(_HEARTBEAT, database=SYSTEM)

    def start_standbys(self) -> None:
        """Make both standbys and start them; the copies are taken at the same time. Raises StackError."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            copied = pool.submit(self.copy, self.home, self.cascade)
            self.reserve(self.home, self.dr)
            self.copy(self.home, self.dr)
            self.attach(self.home, self.dr)
            copied.result()
        self.attach(self.dr, self.cascade)

    def wait_for_replay(self) -> None:
        """Wait until both standbys have replayed all that the primary has written. Raises StackError."""
        ((lsn,),) = self.home.sql("SELECT pg_current_wal_lsn()::text")
        for cluster in (self.dr, self.cascade):
            with cluster.connect() as connection:
                if not wait_for(functools.partial(_has_replayed, connection, lsn), _REPLAY_SECONDS, pause=0.02):
                    raise StackError(
                        f"{cluster.name} has not replayed {lsn} after {_REPLAY_SECONDS:g} s",
                        where=f"{cluster.log}{log_tail(cluster.log, self._secrets)}",
                        next_step="read the lines above; they are the last of its log",
                    )

    def copy(self, source: Cluster, target: Cluster) -> None:
        """Fill a cluster without data from a server that runs. Raises StackError."""
        source.must(
            "pg_basebackup",
            *("-D", str(target.data), "-h", str(source.home), "-p", str(source.port), "-U", "replicator"),
            *("--checkpoint=fast", "--no-sync", "--wal-method=stream"),
        )

    @property
    def settings(self) -> dict[str, str]:
        """What a primary of either site has in its postgresql.conf."""
        return {
            "cluster_name": SYSTEM,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "wal_level": "replica",
            "wal_log_hints": "on",
            "full_page_writes": "on",
            "track_commit_timestamp": "on",
            "archive_mode": "on",
            "archive_timeout": "2s",
            "archive_command": _ARCHIVE.format(
                to=self._wal,
                draft=self._grounds.folder("archiving"),
                noted=self._grounds.folder("catalogue/postgres/wal"),
            ),
            "restore_command": f"cp {self._wal}/%f %p",
            "wal_retrieve_retry_interval": "200ms",
            "wal_receiver_status_interval": "1s",
            "max_replication_slots": "10",
            "max_wal_senders": "10",
        }

    def attach(self, primary: Cluster, standby: Cluster) -> None:
        """
        Start a copy as a standby that streams from a server through a slot of its own.

        Args:
            primary: The server that it streams from; may itself be a standby.
            standby: A copy that was never started, or was rewound to the server's history.

        Raises:
            StackError: It does not start.
        """
        self.reserve(primary, standby)
        self.follow(primary, standby)
        # One that was rewound is consistent with the next record after that; an idle server writes it in 15 seconds.
        primary.sql("SELECT CASE WHEN NOT pg_is_in_recovery() THEN txid_current() END")
        standby.start()

    def reserve(self, primary: Cluster, standby: Cluster) -> None:
        """Make the slot of a standby on a server, if it is not there."""
        slot = _slot(standby)
        primary.sql(
            "SELECT pg_create_physical_replication_slot(%s, true)"
            " WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)",
            *(slot, slot),
        )

    def follow(self, primary: Cluster, standby: Cluster) -> None:
        """Write down that a server that does not run is a standby of another one, from its next start."""
        (standby.data / "standby.signal").touch()
        self._grounds.programs.own(standby.data / "standby.signal")
        standby.configure(
            primary_conninfo=f"host={primary.home} port={primary.port} user=replicator application_name={standby.name}",
            primary_slot_name=_slot(standby),
        )

    def superuser_url(self, cluster: Cluster, database: str = SYSTEM) -> str:
        """How a node is reached by TCP as its superuser."""
        return cluster.url(database, "postgres", self._secrets["postgres"])

    def service_url(self, cluster: Cluster) -> str:
        """How a node is reached by TCP as the service's own role."""
        return cluster.url(SYSTEM, SYSTEM, self._secrets[f"{SYSTEM}.database"])

    def unplaced_url(self) -> str:
        """The service's role, password and database at a server that the DNS names."""
        return f"postgresql://{SYSTEM}:{self._secrets[f'{SYSTEM}.database']}@{HOST}/{SYSTEM}"


def _has_replayed(connection: Connection[Any], lsn: str) -> bool:
    row = connection.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (lsn,)).fetchone()
    return row is not None and bool(row[0])


def _slot(standby: Cluster) -> str:
    return standby.name.replace("-", "_")
