"""A scratch copy: what it was made of, what that took, and why it failed if it did."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.node import Node
from opsproof.stack.clusters import Cluster

RestoredFrom = Literal["dump", "base"]


@dataclass(frozen=True)
class RecoveryTarget:
    """
    Where a recovery ends.

    Attributes:
        kind: `time` (ISO 8601 with an offset), `xid`, `name`, `lsn`, or `immediate` (as soon as it is consistent).
        value: Of that kind; "" for `immediate`.
        inclusive: Whether what is exactly there is still replayed.
        action: What the server does there. `pause` leaves it in recovery: it reads, and takes no write.
        timeline: `latest`, `current` or a number.
    """

    kind: Literal["time", "xid", "name", "lsn", "immediate"]
    value: str = ""
    inclusive: bool = True
    action: Literal["promote", "pause", "shutdown"] = "promote"
    timeline: str = "latest"

    def settings(self) -> dict[str, str]:
        """As the server is told it."""
        name = "recovery_target" if self.kind == "immediate" else f"recovery_target_{self.kind}"
        return {
            name: self.value or "immediate",
            "recovery_target_inclusive": "on" if self.inclusive else "off",
            "recovery_target_action": self.action,
            "recovery_target_timeline": self.timeline,
        }

    def __str__(self) -> str:
        return f"{self.kind} {self.value}".strip()


@dataclass(frozen=True)
class Restored:
    """
    A restore that came to its end, well or not.

    Attributes:
        cluster: The scratch server; it has no TCP port. Still running if `failed` is "" (and perhaps if it is not).
        database: The database that was asked for; `postgres` of a base backup.
        made_from: A dump or a base backup.
        failed: Why the restore is none; "" if it came to its end. Nothing else may be believed if it is not "".
        seconds: By part: `copy`, `start`, `replay`, `roles`, `rows`, `analyze`; their sum is the whole.
        bytes: Read from the backup.
        wal_bytes: Replayed; None for a dump, and where the start is not known.
        target: Where the recovery was to end; None for the end of the archive.
        timeline: Of the base backup; None for a dump.
        last_segment: The last WAL segment that recovery read from the archive; "" if none.
        archive_end: The newest segment that the archive had; "" without an archive.
        last_commit: Time of the last replayed commit, as the server says it (ISO 8601); "" if none or not known.
        left_out: What the backup's own configuration wanted and the scratch server was not given.
    """

    cluster: Cluster
    database: str
    made_from: RestoredFrom
    failed: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    bytes: int = 0
    wal_bytes: int | None = None
    target: RecoveryTarget | None = None
    timeline: int | None = None
    last_segment: str = ""
    archive_end: str = ""
    last_commit: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the scratch server."""
        return self.cluster.name

    def node(self, asking: Asking, *, database: str | None = None, user: str = "postgres") -> Node:
        """The copy as a node, by its socket as the superuser."""
        conninfo = f"{self.cluster.conninfo(database or self.database, user)} client_encoding=utf8"
        return Node(self.name, conninfo, asking)

    def log(self) -> list[str]:
        """The server's log, line by line."""
        return lines_of(self.cluster.log)


def lines_of(log: Path) -> list[str]:
    """The lines of a log; none where it is not there."""
    return log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []


def closed_settings() -> dict[str, str]:
    """
    Settings of every scratch server, for its command line, where they win over every file: nothing is archived, nothing
    is fetched from a primary, no job of an extension runs, no subscription is served, nobody is let in by TCP.
    """
    return {
        "archive_mode": "off",
        "archive_command": "",
        "archive_cleanup_command": "",
        "recovery_end_command": "",
        "primary_conninfo": "",
        "primary_slot_name": "",
        "synchronous_standby_names": "",
        "shared_preload_libraries": "",
        "session_preload_libraries": "",
        "local_preload_libraries": "",
        "ssl": "off",
        "ssl_passphrase_command": "",
        "max_logical_replication_workers": "0",
        "log_min_messages": "warning",
        "logging_collector": "off",
        "log_destination": "stderr",
        "lc_messages": "C",
    }


def only_with_secrets(cluster: Cluster) -> None:
    """Let the superuser in by the socket, and every other role only with its password, as in production."""
    access = cluster.home / "access.conf"
    access.write_text("local all postgres trust\nlocal all all scram-sha-256\n", encoding="ascii")
    cluster.grounds.programs.own(access)
    cluster.reload()
