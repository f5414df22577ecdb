"""Operations runbooks as pytest checks that run, leave evidence, and are themselves proven by real faults."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsproof.errors import Hopeless, NoData, PreconditionMissing, Unreachable
    from opsproof.plugin.marks import each, needs, proven_by, runbook, scenario, step, writes
    from opsproof.probes import ANONYMOUS, Forged

__version__ = "0.1.0"
__all__ = [
    "ANONYMOUS",
    "Forged",
    "Hopeless",
    "NoData",
    "PreconditionMissing",
    "Unreachable",
    "__version__",
    "each",
    "needs",
    "proven_by",
    "runbook",
    "scenario",
    "step",
    "writes",
]

_HOMES = {
    **dict.fromkeys(("ANONYMOUS", "Forged"), "opsproof.probes"),
    **dict.fromkeys(("Hopeless", "NoData", "PreconditionMissing", "Unreachable"), "opsproof.errors"),
    **dict.fromkeys(("each", "needs", "proven_by", "runbook", "scenario", "step", "writes"), "opsproof.plugin.marks"),
}


def __getattr__(name: str) -> Any:
    """What a check imports, found when first used: `import opsproof` alone imports neither pytest nor a client."""
    if name not in _HOMES:
        raise AttributeError(f"module 'opsproof' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
