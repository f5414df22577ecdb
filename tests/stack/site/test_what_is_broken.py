"""What a rehearsal does to the sites, and brings back."""

import json

import httpx
import pytest
from site_asking import asked, call, databases_of, eventually, holds

from opsproof.errors import StackError
from opsproof.probes.backup.objects import Objects
from opsproof.stack.clusters import Grounds
from opsproof.stack.site import HTTP, EmbeddedSite


@pytest.fixture
def broken():
    """Sites that the test may break."""
    with Grounds() as grounds, EmbeddedSite(grounds) as site:
        yield site


def test_a_lost_region_is_served_from_the_other_one_and_comes_back(broken):
    """Break, promote, switch, activate, protect, rewind: each step of the runbook is possible here."""
    site = broken
    site.break_home()
    assert not site.home.answers()
    assert not site.services["home"].running()

    assert site.dr.sql("SELECT pg_promote()") == [(True,)]
    site.switch_dns("dr")
    site.activate("dr")

    assert asked(site.resolvers["home"], HTTP) == [site.variables["SITE_DR_HTTP_SRV"]]
    written = call(
        site, "dr", "/api/v1/judgment/executions", {"workflow_id": "line-quality", "input": {"temperature": 1}}
    )
    assert written.status_code == 201
    assert {(one["server_port"], one["timeline"]) for one in databases_of(site, "dr")} == {(site.dr.port, 2)}
    protecting = site.attach_standby(site.dr, "protecting")
    assert all(holds(cluster, written.json()["execution_id"]) for cluster in (site.cascade, protecting))
    assert eventually((site.backups.wal / "00000002.history").exists)
    entry = json.loads(Objects(site.catalogue).read(f"{site.back_up(site.dr).base}.json"))
    assert (entry["timeline"], entry["system_identifier"]) == (2, str(site.system_identifier))

    site.start_home_again()
    site.home.stop()
    site.home.must("pg_rewind", "-D", str(site.home.data), f"--source-server={site.dr.conninfo()}", "--no-sync")
    site.follow(site.dr, site.home)

    streaming = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'home' AND state = 'streaming'"
    assert eventually(lambda: site.dr.sql(streaming) == [(1,)])
    assert all(part.running for part in site.parts() if part.name != "service-home")


def test_a_damaged_database_does_not_start_again(broken):
    """Its files must come from somewhere else; the standby is whole."""
    destroyed = broken.damage_home()

    with pytest.raises(StackError, match="home"):
        broken.start_home_again()
    assert "global/pg_control" in destroyed
    assert len(destroyed) > 1
    assert broken.dr.sql("SELECT count(*) FROM core.judgment_executions", database="factory-ai") == [(1000,)]


def test_a_rule_without_where_reaches_every_standby(broken):
    """Replication is no backup: the pollution is everywhere at once."""
    done = broken.pollute()

    wrong = "SELECT count(*) FROM core.judgment_executions WHERE result <> 'STOP'"
    assert done.rows == 1000
    for cluster in (broken.home, broken.dr, broken.cascade):
        assert eventually(lambda cluster=cluster: cluster.sql(wrong, database="factory-ai") == [(0,)])


def test_a_service_with_other_secrets_at_the_other_site_is_seen(broken):
    """Each site has its own file of secrets; one that was not kept in step stops the service there."""
    file = broken.services["dr"].environment_file
    url = broken.databases.unplaced_url()
    file.write_text(file.read_text().replace(url, url.replace("factory-ai:", "factory-ai:old")))
    broken.services["dr"].start()

    assert eventually(broken.services["dr"].running)
    assert eventually(lambda: _refused(broken))


def _refused(site):
    try:
        return call(site, "dr", "/health").status_code == 503
    except httpx.ConnectError:
        return False
