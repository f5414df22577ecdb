"""Which module probes which kind of target."""

from importlib import import_module
from typing import Any

from opsproof.evidence.observer import Observer
from opsproof.probes.probe import Probe
from opsproof.profile.targets import AnyTarget

KINDS = {
    "http": "opsproof.probes.http:HttpProbe",
    "prometheus": "opsproof.probes.metrics:PrometheusProbe",
    "scrape": "opsproof.probes.metrics:ScrapeProbe",
    "alertmanager": "opsproof.probes.alertmanager:AlertmanagerProbe",
    "loki": "opsproof.probes.loki:LokiProbe",
    "postgres": "opsproof.probes.postgres:PostgresProbe",
    "redis": "opsproof.probes.redis:RedisProbe",
    "celery": "opsproof.probes.celery:CeleryProbe",
    "alembic": "opsproof.probes.alembic:AlembicProbe",
    "logfile": "opsproof.probes.logfile:LogFileProbe",
    "settings": "opsproof.probes.settings:SettingsProbe",
    "host": "opsproof.probes.host:HostProbe",
    "store": "opsproof.probes.store:StoreProbe",
}
"""For every kind of target the class that probes it; a new kind is one module and one line here."""


def open_probe(name: str, target: AnyTarget, observer: Observer) -> Probe:
    """
    A probe for a target. Nothing is sent and no client library is loaded before its first question.

    Args:
        name: Name of the target in the profile.
        target: The target as the profile describes it.
        observer: Asks on the probe's behalf and keeps the evidence.
    """
    module, _, cls = KINDS[target.kind].partition(":")
    kind: Any = getattr(import_module(module), cls)
    probe: Probe = kind(name, target, observer)
    return probe
