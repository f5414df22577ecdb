"""A sound source that resembles the judgment service, with its backups: made once, and copied by the labs."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

from opsproof.errors import StackError
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored import Marker, Reference, plant, reference_of
from opsproof.stack.clusters import Cluster, Grounds
from opsproof.stack.process import wait_for

DATABASE = "factory"
SERVICE_ROLE, SERVICE_SECRET = "app_service", "lab-only-secret"
UNLOGGED = ("core.scratchpad",)
TOTALS = {
    "judgments by result": "SELECT jsonb_object_agg(result, n) FROM (SELECT result, count(*) AS n FROM"
    " core.judgment_executions GROUP BY 1) r",
    "money spent": "SELECT sum(cost) FROM core.workflow_instances",
}
STATEMENTS = (
    "SELECT count(*) FROM judgment_executions",
    "INSERT INTO workflow_instances (workflow_id, summary) VALUES (1, 'of the rehearsal')",
    "UPDATE workflow_instances SET status = 'COMPLETED' WHERE id = currval('workflow_instances_id_seq')",
    "SELECT count(*) FROM completed WHERE workflow_id = 1",
    "SELECT similarity('judgment', 'judgement')",
)
ARTIFACTS = "SELECT key FROM core.artifacts"
ROLES = f"""
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_readers NOLOGIN;
CREATE ROLE {SERVICE_ROLE} LOGIN CONNECTION LIMIT 20 PASSWORD '{SERVICE_SECRET}';
CREATE ROLE app_report LOGIN PASSWORD 'lab-report' IN ROLE app_readers;
ALTER ROLE {SERVICE_ROLE} SET statement_timeout = '30s'
"""
OF_DATABASE = (
    "ALTER DATABASE {0} OWNER TO app_owner",
    "REVOKE CONNECT ON DATABASE {0} FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {0} TO app_service, app_readers",
    "ALTER DATABASE {0} SET timezone = 'Asia/Seoul'",
    f"ALTER ROLE {SERVICE_ROLE} IN DATABASE {{0}} SET search_path = core, public",
)
_made: WeakKeyDictionary[Grounds, "Source"] = WeakKeyDictionary()


@dataclass(frozen=True)
class Source:
    """
    The source and what was stored of it.

    Attributes:
        cluster: Still running: a copy that reaches out finds it.
        dump: By pg_dump -Fc, uncompressed.
        plain: By pg_dump -Fp.
        roles: By pg_dumpall --globals-only.
        base: By pg_basebackup.
        archive: Its WAL archive, up to after the second marker.
        before: Committed after the base and before the reference.
        after: Committed after the reference.
        reference: What it was between the two; the dumps are of the same moment.
    """

    cluster: Cluster
    dump: Path
    plain: Path
    roles: Path
    base: Path
    archive: Path
    early: tuple[Marker, Marker]
    before: Marker
    after: Marker
    reference: Reference


def source_on(grounds: Grounds) -> Source:
    """The source of these grounds; made when it is first asked for."""
    if grounds not in _made:
        _made[grounds] = asyncio.run(_make(grounds))
    return _made[grounds]


async def _make(grounds: Grounds) -> Source:
    stored, archive = grounds.folder("stored"), grounds.folder("stored-wal")
    cluster = Cluster(grounds, "source", tcp=True)
    unchecked = "--no-data-checksums"  # before PostgreSQL 18 the default, and no option
    known = unchecked in grounds.programs.run("initdb", "--help").out
    cluster.initialize("--wal-segsize=1", *([unchecked] if known else []))
    cluster.configure(archive_mode="on", archive_command=f'test ! -f "{archive}/%f" && cp "%p" "{archive}/%f"')
    cluster.configure(log_line_prefix="%t ", wal_level="logical")
    cluster.start()
    for statement in ROLES.strip().split(";"):
        cluster.sql(statement)
    cluster.sql(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
    for statement in OF_DATABASE:
        cluster.sql(statement.format(DATABASE))
    with cluster.connect(DATABASE) as connection:
        connection.execute(Path(__file__).with_name("factory.sql").read_bytes())
    node = Node("source", cluster.conninfo(DATABASE), Asking.alone("source"))
    early = (await plant(node, "early"), await plant(node, "early-after"))
    taken = cluster.copy_to(stored / "base")
    if not taken.ok:
        raise StackError("the base backup of the lab failed", where=taken.err, next_step="read its lines above")
    before = await plant(node, "before")
    reference = await reference_of(node, TOTALS)
    where = ["-h", str(cluster.home), "-p", str(cluster.port), "-U", "postgres"]
    cluster.must("pg_dump", *where, "-Fc", "-Z0", "-f", str(stored / "factory.dump"), DATABASE)
    cluster.must("pg_dump", *where, "-Fp", "--create", "-f", str(stored / "factory.sql"), DATABASE)
    cluster.must("pg_dumpall", *where, "--globals-only", "-f", str(stored / "roles.sql"))
    for _ in range(3):
        _switch(cluster, archive)
    after = await plant(node, "after")
    for _ in range(2):
        _switch(cluster, archive)
    return Source(
        cluster, stored / "factory.dump", stored / "factory.sql", stored / "roles.sql", stored / "base", archive,
        early, before, after, reference,
    )  # fmt: skip


def _switch(cluster: Cluster, archive: Path) -> None:
    """End the segment with something in it, and wait until it is archived."""
    cluster.sql("SELECT pg_logical_emit_message(true, 'lab', 'filler')")
    name = cluster.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")[0][0]
    cluster.sql("SELECT pg_switch_wal()")
    if not wait_for(lambda: (archive / name).exists(), 60, pause=0.02):
        raise StackError(f"{name} is not archived", where=str(cluster.log), next_step="read the server's log")


def copied(folder: Path, to: Path, grounds: Grounds) -> Path:
    """A copy of a folder, for a fault to be put into."""
    shutil.copytree(folder, to, symlinks=True)
    grounds.programs.own(to)
    return to
