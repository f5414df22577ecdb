"""The named faults of Prometheus, Alertmanager, and of what they are told."""

from opsproof.stack.faults.alerts import AlertFiring
from opsproof.stack.faults.defects import Defect
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.metrics import StoreEmpty, target_is_down
from opsproof.stack.faults.named import EVERY
from opsproof.stack.faults.processes import PartStopped
from opsproof.stack.faults.rules import RulesMissing

_HANGS_SECONDS = 10

PROMETHEUS: tuple[Fault, ...] = (
    PartStopped(
        "prometheus-stopped",
        "Prometheus has ended; connections are refused",
        EVERY,
        ("prometheus",),
        group="metrics",
        part="prometheus",
    ),
    StoreEmpty("prometheus-empty", "Prometheus answers from an empty store and scrapes nothing", EVERY),
    RulesMissing("alert-rule-missing", "Prometheus has lost its alert rules", EVERY),
    Defect(
        "scrape-down",
        "/metrics answers 503: Prometheus has no samples from now on",
        EVERY,
        {"status": [{"path": "/metrics", "status": 503}]},
        target_is_down,
        group="metrics",
        part="prometheus",
    ),
    Defect(
        "metrics-stale",
        f"/metrics answers after {_HANGS_SECONDS} s: Prometheus waits in vain, the last samples grow old",
        EVERY,
        {"slow": [{"path": "/metrics", "seconds": _HANGS_SECONDS}]},
        target_is_down,
        group="metrics",
        part="prometheus",
    ),
)

ALERTS: tuple[Fault, ...] = (
    PartStopped(
        "alertmanager-stopped",
        "Alertmanager has ended; connections are refused",
        EVERY,
        ("alertmanager",),
        group="alerts",
        part="alertmanager",
    ),
    AlertFiring("alert-firing", "an alert of priority P0 fires for every system", EVERY),
    AlertFiring("alert-silenced", "an alert of priority P0 fires, and is silenced", EVERY, silenced=True),
)
