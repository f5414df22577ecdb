"""A canary beside the stable version on one machine: what a watch of a release is shown, and what goes wrong there."""

from opsproof.stack.canary.counted import SELECTED, Counted
from opsproof.stack.canary.site import CANARY_VERSION, STABLE_VERSION, CanarySite
from opsproof.stack.canary.traffic import Traffic

__all__ = ["CANARY_VERSION", "SELECTED", "STABLE_VERSION", "CanarySite", "Counted", "Traffic"]
