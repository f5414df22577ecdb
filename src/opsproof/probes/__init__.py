"""Probes: one module a kind of target. They read; they never judge."""

from opsproof.probes.http.forged import Forged
from opsproof.probes.http.identity import ANONYMOUS
from opsproof.probes.probe import Probe
from opsproof.probes.registry import KINDS, open_probe

__all__ = ["ANONYMOUS", "KINDS", "Forged", "Probe", "open_probe"]
