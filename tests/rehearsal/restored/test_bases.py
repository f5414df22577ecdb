"""A base backup is recovered apart from everything that its configuration knows."""

import asyncio

from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.damage.restored.source import DATABASE, copied, source_on
from opsproof.rehearsal.restored import restore_base, time_between, transaction_of
from opsproof.rehearsal.restored.isolation import listing
from opsproof.rehearsal.restored.markers import is_there
from opsproof.stack.clusters import Cluster

_EVIL = """
archive_mode = 'on'
archive_command = 'touch {0}/archived'
restore_command = 'touch {0}/fetched; false'
recovery_end_command = 'touch {0}/ended'
primary_conninfo = 'host={1} port={2} user=postgres'
shared_preload_libraries = 'pg_cron'
listen_addresses = '*'
"""


def _markers(made, *names):
    node = made.node(Asking.alone(made.name), database=DATABASE)

    async def asked():
        return [await is_there(node, name) for name in names]

    return asyncio.run(asked())


def test_nothing_of_the_backups_configuration_is_in_force(grounds):
    """It may archive, stream, and run jobs: on a copy all of that reaches production."""
    source = source_on(grounds)
    touched = grounds.folder("touched")
    base = copied(source.base, grounds.folder("evil") / "base", grounds)
    evil = _EVIL.format(touched, source.cluster.home, source.cluster.port)
    (base / "postgresql.auto.conf").write_text(evil)
    (base / "postgresql.conf").write_text("include '/nowhere/conf.d/one.conf'\n")
    (base / "standby.signal").touch()
    archive = listing(source.archive)

    made = restore_base(grounds, base, source.archive, "isolated", time_between(source.before, source.after))
    shown = {name: made.cluster.sql(f"SHOW {name}")[0][0] for name in ("archive_mode", "primary_conninfo")}
    made.cluster.kill()

    assert made.failed == ""
    assert shown == {"archive_mode": "off", "primary_conninfo": ""}
    assert list(touched.iterdir()) == []
    assert "postgresql.auto.conf: shared_preload_libraries = pg_cron" in made.left_out
    assert listing(source.archive) == archive
    assert (base / "backup_label").exists()


def test_a_transaction_is_a_target_with_or_without_itself(grounds):
    """Polluted data is left by the transaction that polluted it: it must not come along."""
    source = source_on(grounds)

    kept = restore_base(grounds, source.base, source.archive, "with", transaction_of(source.after))
    left = restore_base(grounds, source.base, source.archive, "without", transaction_of(source.after, inclusive=False))
    found = [_markers(made, "before", "after") for made in (kept, left)]
    for made in (kept, left):
        made.cluster.kill()

    assert found == [[True, True], [True, False]]


def test_what_was_replayed_is_measured(grounds):
    """Bytes and seconds are what the time at full size is projected from."""
    source = source_on(grounds)

    made = restore_base(grounds, source.base, source.archive, "measured")
    made.cluster.kill()

    assert made.failed == ""
    assert made.bytes > 1_000_000
    assert made.wal_bytes
    assert made.last_segment == made.archive_end
    assert made.seconds.keys() == {"copy", "replay"}
    assert made.last_commit


def test_a_tablespace_is_copied_and_never_written_to(grounds):
    """The links of a base backup lead out of it: a server that follows them damages the backup."""
    cluster, stored = Cluster(grounds, "spaced"), grounds.folder("spaced-stored")
    cluster.initialize()
    cluster.start()
    cluster.sql(f"CREATE TABLESPACE far LOCATION '{grounds.folder('far')}'")
    cluster.sql("CREATE TABLE t TABLESPACE far AS SELECT 'far away' AS word")
    taken = cluster.copy_to(stored / "base", "-T", f"{grounds.folder('far')}={stored / 'far'}")
    cluster.kill()
    before = listing(stored / "far")

    made = restore_base(grounds, stored / "base", None, "spaced-copy")
    made.cluster.sql("INSERT INTO t VALUES ('written to the copy')")
    made.cluster.sql("CHECKPOINT")
    words = made.cluster.sql("SELECT word FROM t ORDER BY 1")
    made.cluster.kill()

    assert taken.ok
    assert made.failed == ""
    assert words == [("far away",), ("written to the copy",)]
    assert before
    assert listing(stored / "far") == before


def test_wal_behind_a_link_is_copied_and_never_written_to(grounds):
    """A server whose pg_wal leads to the backup recycles the backup's own segments."""
    source = source_on(grounds)
    base = copied(source.base, grounds.folder("linked") / "base", grounds)
    outside = grounds.folder("outside-wal") / "pg_wal"
    (base / "pg_wal").rename(outside)
    (base / "pg_wal").symlink_to(outside)
    before = listing(outside)

    made = restore_base(grounds, base, source.archive, "linked-copy")
    made.cluster.kill()

    assert made.failed == ""
    assert listing(outside) == before
