"""Defects that count once a number shows them, and are gone once that number is well again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from opsproof.stack.faults.defects import Defect
from opsproof.stack.faults.processes import never_in_doubt
from opsproof.stack.faults.seen import Seen
from opsproof.stack.stack import Stack


def together(*seen: Seen) -> Seen:
    """All of these are seen."""
    return lambda stack, system: all(one(stack, system) for one in seen)


@dataclass(frozen=True)
class NumberDefect(Defect):
    """
    A defect that lingers in numbers over a window: between bad and well it is neither in force nor gone.

    Args:
        well: Whether a system is seen to be well again.
    """

    well: Seen = never_in_doubt

    @override
    def gone(self, stack: Stack) -> bool:
        return all(self.well(stack, system) for system in self._present(stack))


def more_users(system: str, per_second: float, **defects: Any) -> Mapping[str, Any]:
    """Defects of a system that has so many users meanwhile, so that a small share shows soon."""
    return {"users_per_second": per_second, "users_of": [system], **defects}
