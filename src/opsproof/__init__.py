"""Operations runbooks as pytest checks that run, leave evidence, and are themselves proven by real faults."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsproof.plugin.marks import each, needs, proven_by, runbook, writes

__version__ = "0.1.0"
__all__ = ["__version__", "each", "needs", "proven_by", "runbook", "writes"]


def __getattr__(name: str) -> Any:
    """The marks of a check, imported when first used: `import opsproof` alone does not import pytest."""
    if name not in __all__:
        raise AttributeError(f"module 'opsproof' has no attribute {name!r}")
    from opsproof.plugin import marks

    return getattr(marks, name)
