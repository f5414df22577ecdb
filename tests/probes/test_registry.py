"""Every kind of target has its probe, and none costs anything before its first question."""

import subprocess
import sys
from typing import get_args

import pytest
from asking import a_probe

from opsproof.probes import KINDS
from opsproof.profile.targets import AnyTarget

TARGETS = {
    "http": {"url": "http://ops:planted-pw@api.example:8080/v1"},
    "prometheus": {"url": "http://ops:planted-pw@metrics.example:9090"},
    "scrape": {"url": "http://ops:planted-pw@api.example:8080/metrics"},
    "alertmanager": {"url": "http://ops:planted-pw@alerts.example:9093"},
    "loki": {"url": "http://ops:planted-pw@logs.example:3100", "selector": '{app="web"}'},
    "postgres": {"dsn": "postgresql://app:planted-pw@db.example/x"},
    "redis": {"url": "redis://:planted-pw@cache.example/0"},
    "celery": {"broker": "redis://:planted-pw@cache.example/1"},
    "alembic": {"heads": ["a1"]},
    "logfile": {"path": "/var/log/api.log"},
    "settings": {"env_file": "/etc/api.env"},
    "host": {"url": "local://"},
    "store": {"url": "s3://backups", "access_key": "a-reader", "secret_key": "planted-pw"},
}
HEAVY = (
    "httpx",
    "psycopg",
    "redis",
    "celery",
    "kombu",
    "alembic",
    "sqlalchemy",
    "dotenv",
    "prometheus_client",
    "promql_parser",
    "testinfra",
    "obstore",
)


def test_every_kind_of_a_profile_has_a_probe():
    union = get_args(AnyTarget)[0]
    kinds = {get_args(model.model_fields["kind"].annotation)[0] for model in get_args(union)}

    assert kinds == set(KINDS) == set(TARGETS)


@pytest.mark.parametrize("kind", TARGETS)
def test_a_probe_shows_where_it_asks_and_no_secret(kind):
    """pytest prints fixtures that take part in a failure."""
    probe = a_probe(kind=kind, name="target", **TARGETS[kind])

    assert repr(probe) == f"<target: {probe.address}>"
    assert "planted-pw" not in repr(probe) + str(vars(probe)) + repr(probe.observer)


def test_no_client_library_is_loaded_before_the_first_question():
    """Start-up counts: the gate's first request must be out within half a second."""
    program = (
        "import sys\n"
        "from test_registry import TARGETS\n"
        "from asking import a_probe\n"
        "for kind, target in TARGETS.items(): a_probe(kind=kind, **target)\n"
        f"print(*(name for name in {HEAVY} if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=_paths())

    assert done.stdout.split() == []


def _paths() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(path for path in sys.path if path)}
