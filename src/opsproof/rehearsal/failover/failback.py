"""The old primary is brought back as a standby of the new one, and the service's home is switched over to it again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsproof.errors import PreconditionMissing, TimedOut
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.failover import asked
from opsproof.rehearsal.failover.exports import runs
from opsproof.rehearsal.failover.promotion import Promotion, promote
from opsproof.rehearsal.node import Node
from opsproof.stack.clusters import Cluster

_CONTROL = "SELECT timeline_id FROM pg_control_checkpoint()"
_PASSWORD = re.compile(r"password\s*=\s*(?:\\?'.*?\\?'|\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class Rewound:
    """
    What pg_rewind did.

    Attributes:
        words: What it said.
        replaced: Configuration files that it had replaced by those of the source, each with the lines that differ
            ("-" its own, "+" the source's); its own have been put back.
    """

    words: str
    replaced: Mapping[str, tuple[str, ...]]


async def settled_timeline(primary: Node, *, seconds: float = 60.0, force: bool = True) -> int:
    """
    The gate before pg_rewind: the control file of the new primary knows its new timeline.

    Until its first checkpoint after the promotion some versions of pg_rewind read the old timeline there, say "no
    rewind required" with status 0, and leave the lost commits in place.

    Args:
        primary: The new primary.
        seconds: Limit for the checkpoint.
        force: False to look without a CHECKPOINT.

    Returns:
        The timeline, by the name of the WAL file.

    Raises:
        PreconditionMissing: It does not know it; do not rewind.
        TimedOut: The checkpoint did not end.
    """
    if force:
        done = await primary.commit("CHECKPOINT", seconds=seconds)
        if not done.acknowledged:
            next_step = "See what the checkpointer of the new primary does; do not run pg_rewind before."
            raise TimedOut(f"no checkpoint: {done.why}", where=f"{primary.name}: CHECKPOINT", next_step=next_step)
    writes = await asked.timeline(primary)
    known = int(await primary.value(_CONTROL))
    if known != writes:
        raise PreconditionMissing(
            f"{primary.name} writes timeline {writes}, its control file says {known}",
            where=f"{primary.name}: {_CONTROL}",
            next_step="CHECKPOINT on the new primary, and ask again; do not run pg_rewind before.",
        )
    return writes


async def rewind(
    asking: Asking, old: Cluster, primary: Node, *, from_archive: bool = False, gate: float = 60.0
) -> Rewound:
    """
    Bring the stopped old primary to the new one's timeline by pg_rewind, and give it back its own configuration.

    Args:
        asking: Keeps what pg_rewind said.
        old: The old primary.
        primary: The new primary; `settled_timeline` is asked of it first.
        from_archive: Whether WAL that the old primary has recycled is fetched by its restore_command (-c).
        gate: Seconds for the checkpoint of `settled_timeline`.

    Raises:
        PreconditionMissing: It runs, or pg_rewind refused; nothing of it is usable then but its copy.
    """
    if runs(old):
        next_step = "Stop it and fence it first: pg_rewind of a server that takes writes loses them."
        raise PreconditionMissing(f"{old.name} runs", where=str(old.data), next_step=next_step)
    await settled_timeline(primary, seconds=gate)

    def call() -> dict[str, Any]:
        own = _configuration(old.data)
        options = ["-c"] if from_archive else []
        source, secret = _without_password(primary.conninfo)
        argv = ["-D", str(old.data), f"--source-server={source}", "--no-sync", *options]
        done = old.grounds.programs.run("pg_rewind", *argv, seconds=540, env=secret)
        theirs = _configuration(old.data)
        for name, content in own.items():
            (old.data / name).write_bytes(content)
            old.grounds.programs.own(old.data / name)
        replaced = {name: _differences(own.get(name, b""), theirs.get(name, b"")) for name in sorted({*own, *theirs})}
        return {
            "status": done.status,
            "words": (done.err.strip() or done.out.strip()),
            "replaced": {name: lines for name, lines in replaced.items() if lines},
        }

    by_hand = f"pg_rewind -D {old.data}{' -c' if from_archive else ''} --source-server={primary.name}"
    told = await asking.ask(f"pg_rewind of {old.name} to {primary.name}", by_hand, call)
    if told["status"] != 0:
        raise PreconditionMissing(
            f"pg_rewind ended with status {told['status']}: {told['words'].splitlines()[-1]}",
            where=str(old.data),
            next_step="Keep a copy of the folder; if WAL is missing, rewind with the archive (-c), else build it anew.",
        )
    return Rewound(told["words"], {name: tuple(lines) for name, lines in told["replaced"].items()})


def follow(standby: Cluster, conninfo: str, slot: str = "") -> None:
    """Make a stopped server a standby of another one, to begin with its next start; the newest timeline is followed."""
    standby.configure(
        primary_conninfo=conninfo,
        primary_slot_name=slot,
        recovery_target_timeline="latest",
        synchronous_standby_names="",
    )
    signal = standby.data / "standby.signal"
    signal.touch(mode=0o600)
    standby.grounds.programs.own(signal)


@dataclass(frozen=True)
class SwitchedOver:
    """
    A planned change of the primary.

    Attributes:
        shutdown: The old primary's last record, its shutdown checkpoint.
        replayed: How far the standby had replayed when it was promoted: at least that record.
        promotion: Of the standby.
    """

    shutdown: str
    replayed: str
    promotion: Promotion


async def switch_over(asking: Asking, primary: Cluster, standby: Node, *, seconds: float = 60.0) -> SwitchedOver:
    """
    Stop the primary, wait until the standby has all of it, and promote that; nothing is lost, or it is not done.

    Args:
        primary: To be stopped; its clients have been stopped before.
        standby: Takes over.
        seconds: Patience until it has all.

    Raises:
        TimedOut: The standby has not everything; it was not promoted, and the primary can be started again.
    """

    def call() -> str:
        primary.stop("fast")
        return primary.control()["Latest checkpoint location"]

    shutdown = await asking.ask(f"stop {primary.name}, and read its last checkpoint", "pg_ctl stop -m fast", call)
    sql = """
        SELECT pg_last_wal_replay_lsn()::text AS replayed, pg_last_wal_replay_lsn() > %(lsn)s::pg_lsn AS everything
    """

    async def look() -> dict[str, Any]:
        return (await standby.rows(sql, lsn=shutdown))[0]

    seen = await asked.until(look, lambda row: bool(row["everything"]), seconds)
    if not seen["everything"]:
        raise TimedOut(
            f"{standby.name} has replayed {seen['replayed']}, and {primary.name} ended at {shutdown}",
            where=f"{standby.name}: pg_last_wal_replay_lsn()",
            next_step=f"Start {primary.name} again and see why the standby is behind; it was not promoted.",
        )
    return SwitchedOver(shutdown, seen["replayed"], await promote(standby))


def _without_password(conninfo: str) -> tuple[str, dict[str, str]]:
    """For a command line, which everybody on the machine can read; the password goes by the environment."""
    import psycopg.conninfo

    told = psycopg.conninfo.conninfo_to_dict(conninfo)
    password = told.pop("password", None)
    return psycopg.conninfo.make_conninfo("", **told), {"PGPASSWORD": str(password)} if password else {}


def _configuration(data: Path) -> dict[str, bytes]:
    files = (*data.glob("*.conf"), *data.glob("conf.d/*.conf"))
    return {str(file.relative_to(data)): file.read_bytes() for file in sorted(files)}


def _differences(own: bytes, theirs: bytes) -> list[str]:
    import difflib

    before, after = own.decode("utf-8", "replace").splitlines(), theirs.decode("utf-8", "replace").splitlines()
    return [
        _PASSWORD.sub("password=***", line.rstrip())
        for line in difflib.unified_diff(before, after, n=0, lineterm="")
        if line[:1] in "+-" and not line.startswith(("+++", "---"))
    ]
