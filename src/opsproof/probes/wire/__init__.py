"""The wire: bodies of any size and framing, streamed to an HTTP target, and exactly what became of them."""

from opsproof.probes.wire.answer import WireAnswer
from opsproof.probes.wire.bodies import Body, TooSmall, items_body, list_body
from opsproof.probes.wire.probe import WireProbe
from opsproof.probes.wire.request import WireRequest

__all__ = ["Body", "TooSmall", "WireAnswer", "WireProbe", "WireRequest", "items_body", "list_body"]
