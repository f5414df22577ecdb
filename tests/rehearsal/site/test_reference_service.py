"""The decision engine's reference service at a DR site, asked with the words of runbook 001."""

import asyncio
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from opsproof.profile.loading import load_with_unset
from opsproof.profile.rehearsals import Rehearsals
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.damage.site.responder import Records, Responder
from opsproof.rehearsal.site.verification import SiteVerification
from opsproof.stack.clusters import Cluster
from opsproof.stack.parts.valkey import valkey_command
from opsproof.stack.ports import HOST
from opsproof.stack.process import wait_for

PROFILES = Path(__file__).parents[3] / "profiles"
NAME = "api.factory-ai.test"
STRETCH = "WHERE executed_at >= %(since)s AND executed_at < %(until)s"


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def dr(grounds):
    """Both clusters, the service on the new primary, and a resolver: the profile's section."""
    password, key = secrets.token_hex(8), secrets.token_hex(16)
    home, dr = (Cluster(grounds, f"factory-{name}", tcp=True) for name in ("home", "dr"))
    home.initialize()
    home.start()
    home.sql(f"CREATE ROLE factory LOGIN PASSWORD '{password}'")
    home.sql("CREATE DATABASE factory_ai OWNER factory")
    url = home.url("factory_ai", "factory", password)
    migrate = [sys.executable, "-m", "opsproof.stack.services.migrate", "factory-ai"]
    subprocess.run(migrate, env={"PYTHONPATH": ":".join(sys.path), "FACTORY_AI_DATABASE_URL": url}, check=True)
    assert home.copy_to(dr.data, "-R", "-X", "stream").ok
    dr.start()
    dr.sql("SELECT pg_promote()")
    port, cache = grounds.port("factory"), grounds.port("factory-cache")
    folder = grounds.folder("factory-cache")
    grounds.spawn(valkey_command(cache, folder), name="factory-cache", cwd=folder, ours=True)
    environment = {
        "PYTHONPATH": ":".join(path for path in sys.path if path),
        "DATABASE_URL": dr.url("factory_ai", "factory", password),
        "REDIS_URL": f"redis://{HOST}:{cache}/3",
        "API_KEY": key,
        "JWT_SECRET": secrets.token_hex(24),
    }
    log = grounds.folder("factory")
    with (log / "serve.log").open("w") as output, Responder(Records({(NAME, "A"): [HOST]})) as resolver:
        serve = [sys.executable, "-m", "opsproof.stack.services.serve", "factory-ai", "--port", str(port)]
        service = subprocess.Popen(serve, env=environment, stdout=output, stderr=output)
        try:
            assert wait_for(lambda: _answers(f"http://{HOST}:{port}/health/ready"), 60, pause=0.2)
            yield _rehearsals(home, dr, port, cache, key, resolver.address)
        finally:
            service.terminate()
            service.wait(20)


def _rehearsals(home, dr, port, cache, key, resolver):
    sites = {
        name: {
            "database": f"postgresql://postgres@localhost:{one.port}/factory_ai?host={quote(str(one.home), safe='')}"
        }
        for name, one in (("home", home), ("dr", dr))
    }
    return Rehearsals.model_validate(
        {
            "scenarios": {},
            **sites,
            "resolvers": [resolver],
            "names": {"api": {"name": NAME, "home": ["127.0.0.3"], "dr": [HOST], "ttl": "60s"}},
            "recovered": {
                "public": f"http://{NAME}:{port}",
                "auth": {"api_key": key},
                "connections": {
                    "write": "INSERT INTO workflow_instances (id, workflow_id, status, finished_at)"
                    " VALUES (%(token)s, 'notification', 'COMPLETED', now())",
                    "read": "/api/v1/workflows/{token}",
                    "remove": "DELETE FROM workflow_instances WHERE id = %(token)s",
                },
                "cache": {
                    "url": f"redis://{HOST}:{cache}/3",
                    "prefix": "factory-ai:judgment:",
                    "fill": {
                        "submit": "/api/v1/judgment/executions",
                        "body": {"workflow_id": "line-quality", "method": "RULE_ONLY", "input": {"temperature": 95}},
                        "id_field": "execution_id",
                    },
                    "passing": {"use_cache": False},
                    "same": ["result", "ruleset_version"],
                    "value": "SELECT result, ruleset_version FROM judgment_executions WHERE id = %(id)s",
                },
                "data": {
                    "settled": "2s",
                    "counts": {
                        "judgments": {
                            "sql": f"SELECT count(*) FROM judgment_executions {STRETCH}",
                            "expected": 1000,
                            "tolerance": 0.1,
                        }
                    },
                    "completed": {
                        "sql": "SELECT status, count(*) FROM workflow_instances WHERE started_at >= %(since)s"
                        " AND started_at < %(until)s GROUP BY status",
                        "least": 20,
                    },
                    "versions": {
                        "sql": f"SELECT DISTINCT ruleset_version AS version FROM judgment_executions {STRETCH}",
                        "expected": "v1.4.0",
                        "last_good": "v1.3.0",
                    },
                    "totals": {
                        "confidence": f"SELECT sum(confidence)::numeric(12, 3) FROM judgment_executions {STRETCH}"
                    },
                },
                "release": {"replicas": 1},
            },
        }
    )


def test_the_reference_service_is_recovered(dr):
    """Runbook 001's phases 4 to 6 with its own names of routes, counters, tables and keys."""
    profile = load_with_unset("factory-ai/embedded", root=PROFILES, variables={})[0]
    questions = (
        "every_resolver_leads_to_the_dr_site",
        "the_service_sees_what_the_new_primary_commits",
        "the_planted_key_is_gone",
        "nothing_but_the_cache_was_cleared",
        "the_cache_is_rebuilt",
        "the_cache_says_what_the_database_says",
        "the_counts_are_the_usual",
        "the_totals_are_those_of_before",
        "work_was_completed",
        "one_version_of_the_rules_decided",
        "representative_judgments_are_made",
        "workflows_come_to_their_end",
        "dashboards_have_data",
        "the_chat_bot_replies",
        "the_release_of_home_runs_in_all_replicas",
        "the_clocks_agree",
    )

    async def ask():
        t0 = datetime.now(UTC) + timedelta(seconds=2)

        def made(before):
            return SiteVerification(
                dr,
                asking=Asking.alone,
                token="t1",
                t0=t0,
                before=before,
                decisions=profile.decisions,
                work=profile.work,
            )

        site = made(await made(None).note(datetime.now(UTC)))
        cleared = await site.clear_cache()
        return cleared, {name: await getattr(site, name)() for name in questions}, site.refilled

    cleared, found, refilled = asyncio.run(ask())

    assert cleared.keys >= 1
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert refilled is not None
    assert (refilled.misses, refilled.hits) == (1, 9)
