"""The two sites as they stand before anything is broken."""

import asyncio
import contextlib
import hashlib
import json
import shutil
from datetime import datetime

import psycopg
import pytest
from site_asking import asked, call, databases_of, eventually, holds

from opsproof.probes.backup.objects import Objects
from opsproof.stack.clusters import Cluster
from opsproof.stack.services.common.database import Database, PoolSize
from opsproof.stack.services.common.failures import Unavailable
from opsproof.stack.services.common.named_database import NamedDatabase
from opsproof.stack.site import API, DATABASE, HTTP


def test_both_standbys_stream_and_show_what_the_service_has_written(site):
    """A rehearsal that begins with a broken standby measures nothing."""
    streams = [
        cluster.sql("SELECT application_name, state FROM pg_stat_replication") for cluster in (site.home, site.dr)
    ]

    written = call(
        site, "home", "/api/v1/judgment/executions", {"workflow_id": "line-quality", "input": {"temperature": 1}}
    )

    execution = written.json()["execution_id"]
    assert all(holds(cluster, execution) for cluster in (site.home, site.dr, site.cascade))
    assert streams == [[("dr", "streaming")], [("cascade", "streaming")]]


def test_the_sites_say_that_they_may_be_broken(site):
    """The marker row is what a rehearsal looks for before it touches anything."""
    with psycopg.connect(site.service_conninfo(site.home)) as connection:
        assert connection.execute("SELECT name FROM opsproof_environment").fetchall() == [("rehearsal",)]
        connection.execute("INSERT INTO opsproof_heartbeat VALUES (%s, now(), 'test')", (-1,))
        connection.rollback()
    for cluster in (site.home, site.dr, site.cascade):
        assert cluster.sql("SELECT system_identifier FROM pg_control_system()") == [(site.system_identifier,)]
    assert site.home.sql("SHOW data_checksums") == [("on",)]


def test_only_an_administrator_learns_which_database_the_service_is_on(site):
    """The answer names addresses and roles."""
    refused = call(site, "home", "/admin/database")
    (first, *_) = databases_of(site, "home")

    assert refused.status_code == 403
    assert first["server_port"] == site.home.port
    assert first["system_identifier"] == str(site.system_identifier)
    assert first["in_recovery"] is False
    assert first["timeline"] == 1
    assert first["role"] == "factory-ai"


@pytest.mark.parametrize("tcp", [False, True])
def test_both_resolvers_lead_home(site, tcp):
    """UDP and TCP, every kind of record, and a name that nobody has."""
    for resolver in site.resolvers.values():
        assert asked(resolver, HTTP, tcp=tcp) == [site.variables["SITE_HOME_HTTP_SRV"]]
        assert asked(resolver, DATABASE, tcp=tcp) == [site.variables["SITE_HOME_DATABASE_SRV"]]
        assert asked(resolver, API, "A", tcp=tcp) == ["127.0.0.1"]
        assert asked(resolver, API, "AAAA", tcp=tcp) == ["NOERROR"]
        assert asked(resolver, "gone.factory-ai.test", "A", tcp=tcp) == ["NXDOMAIN"]


def test_one_resolver_can_be_stale(site):
    """Some clients still get yesterday's answer: asking one resolver is not enough."""
    try:
        site.switch_dns("dr", names=[HTTP], resolvers=["dr"])

        assert asked(site.resolvers["home"], HTTP) == [site.variables["SITE_HOME_HTTP_SRV"]]
        assert asked(site.resolvers["dr"], HTTP) == [site.variables["SITE_DR_HTTP_SRV"]]
        assert asked(site.resolvers["dr"], DATABASE) == [site.variables["SITE_HOME_DATABASE_SRV"]]
    finally:
        site.switch_dns("home")


def test_a_new_connection_goes_where_the_name_leads_and_an_old_one_stays(site):
    """That a name was switched says nothing of a pool that is connected already."""

    async def asked_ports(database):
        while True:
            with contextlib.suppress(Unavailable):  # no connection within its second: the machine is busy
                return {row["port"] for row in await database.on_each("SELECT inet_server_port() AS port")}

    async def ports():
        url = NamedDatabase(site.databases.unplaced_url(), DATABASE, site.resolvers["home"])
        old, fresh = (Database(url, name, PoolSize(), 20) for name in ("old", "fresh"))
        try:
            await old.open()
            before = await asked_ports(old)
            site.switch_dns("dr", names=[DATABASE])
            await fresh.open()
            return before, await asked_ports(old), await asked_ports(fresh)
        finally:
            await old.close()
            await fresh.close()
            site.switch_dns("home")

    before, kept, new = asyncio.run(ports())

    assert before == kept == {site.home.port}
    assert new == {site.dr.port}


def test_a_database_whose_name_is_unknown_is_unavailable(site):
    """The error says which name, and no password."""
    named = NamedDatabase(site.databases.unplaced_url(), "_postgresql._tcp.gone.test", site.resolvers["home"])

    with pytest.raises(psycopg.OperationalError, match=r"_postgresql\._tcp\.gone\.test is not resolved: NXDOMAIN"):
        asyncio.run(named())


def test_clearing_the_cache_spares_what_others_keep_there(site):
    """Never FLUSHALL on a shared server."""
    from redis import Redis

    with Redis.from_url(site.cache_urls["dr"]) as cache:
        cache.mset({"factory-ai:judgment:a": 1, "factory-ai:judgment:b": 1, "neighbour:a": 1})

        assert site.clear_cache("factory-ai:judgment:") == 2
        assert cache.keys() == [b"neighbour:a"]
        cache.delete("neighbour:a")


def test_a_polluted_row_has_a_transaction_and_a_time_to_stop_before(site):
    """A recovery needs both, and the standbys have the pollution too."""
    done = site.pollute("UPDATE rule_deployments SET status = status")

    ((at,),) = site.home.sql("SELECT pg_xact_commit_timestamp(%s::text::xid)", str(done.xid))
    assert done.rows == 1
    assert datetime.fromisoformat(done.began) <= datetime.fromisoformat(done.committed) == at


def test_every_backed_up_file_is_what_the_catalogue_says(site):
    """The catalogue is what a verification compares with; it is kept in another place."""
    with psycopg.connect(site.service_conninfo(site.home)) as connection:
        connection.execute("INSERT INTO opsproof_heartbeat VALUES (-2, now(), 'test')")
        (beats,) = connection.execute("SELECT count(*) FROM opsproof_heartbeat").fetchone()

    first, second = site.back_up(), site.back_up()

    store, catalogue = Objects(site.store), Objects(site.catalogue)
    names = {one.name: one.size for one in store.names("postgres/")}
    assert len({first.dump, second.dump}) == 2
    assert {first.dump, second.dump, "postgres/daily/latest.dump.gz"} <= set(names)
    for made in (first, second):
        dump = json.loads(catalogue.read(f"{made.dump}.json"))
        assert dump["sha256"] == hashlib.sha256(store.read(made.dump)).hexdigest()
        assert dump["bytes"] == names[made.dump]
        assert dump["tables"]["public.opsproof_heartbeat"] == beats
        assert datetime.fromisoformat(dump["heartbeat"]) <= datetime.fromisoformat(dump["started"])
        base = json.loads(catalogue.read(f"{made.base}.json"))
        stored = {name.removeprefix(f"{made.base}/"): name for name in names if name.startswith(f"{made.base}/")}
        assert set(base["files"]) == set(stored)
        assert all(base["files"][name] == _sha256(store, stored[name]) for name in stored)
        assert base["bytes"] == sum(names[name] for name in stored.values())
        assert site.grounds.programs.run("pg_verifybackup", str(store.path(made.base))).ok


def test_a_base_backup_and_the_archive_are_a_database_again(site):
    """What the rehearsals recover from."""
    made = site.back_up()
    with psycopg.connect(site.service_conninfo(site.home), autocommit=True) as connection:
        connection.execute("INSERT INTO opsproof_heartbeat VALUES (-3, now(), 'after the backup')")
    site.home.sql("SELECT pg_switch_wal()")
    ((last,),) = site.home.sql("SELECT pg_walfile_name(pg_current_wal_lsn() - 1)")
    assert eventually(lambda: (site.backups.wal / last).exists())
    restored = Cluster(site.grounds, "restored", tcp=True)
    shutil.copytree(Objects(site.store).path(made.base), restored.data)
    (restored.data / "recovery.signal").touch()
    restored.data.chmod(0o700)
    site.grounds.programs.own(restored.data)

    restored.start({"archive_mode": "off"})

    try:
        assert eventually(lambda: restored.sql("SELECT pg_is_in_recovery()") == [(False,)])
        with psycopg.connect(site.service_conninfo(restored)) as connection:
            found = connection.execute("SELECT writer FROM opsproof_heartbeat WHERE id = -3").fetchall()
        assert found == [("after the backup",)]
        site.serve_from(restored, "dr")
        assert asked(site.resolvers["dr"], DATABASE)[0].split()[2] == str(restored.port)
        assert {one["server_port"] for one in databases_of(site, "home")} == {site.home.port}
        site.restart("home")
        assert {one["server_port"] for one in databases_of(site, "home")} == {restored.port}
    finally:
        site.serve_from(site.dr, "dr")
        site.switch_dns("home")
        restored.kill()
        site.restart("home")


def _sha256(store, name):
    return hashlib.sha256(b"".join(store.stream(name))).hexdigest()
